"""kombu's file transport, made safe against readers that are faster than writers.

kombu opens a message's file under its final name and then writes it. A worker that looks in between takes an
empty file, cannot decode it, and dies of that. Here a message appears under its name only when it is whole, and
what cannot be read all the same is dropped: messages are wake-ups, and the timer sends them again.
"""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        # No reader looks at a name of this kind.
        unfinished = folder / f"{name}.part"
        try:
            unfinished.write_text(dumps(payload), encoding="utf-8")
            unfinished.replace(folder / name)
        except OSError as error:
            raise ChannelError(f"Cannot add {name} to {folder}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError:
            logger.warning("A message that cannot be read was dropped; the timer sends another.")
            raise Empty from None

    def get_table(self, exchange: str) -> list[Any]:
        try:
            return super().get_table(exchange)
        except ValueError:
            # It is being written this moment, by the first worker that starts.
            return []


class Transport(filesystem.Transport):
    Channel = Channel


def register() -> None:
    """Makes `filesystem://` mean this transport, and `sqs://` the one that outlives an outage."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["sqs"] = "classifier_site.sqs:Transport"
