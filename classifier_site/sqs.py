"""kombu's transport for SQS, made safe against SQS being away.

Its receiver asks again when an answer has been dealt with. An answer that is an error (SQS away, credentials that have
expired, a queue that is being made) raises in the middle of that, so nobody asks again: the worker lives, beats, and
takes no message until it is started anew. Here every such answer counts as an empty one, is said once, and is followed
by the next question.
"""

from __future__ import annotations

import logging
from typing import Any

# Its libcurl has to be there before TensorFlow's older one, where that is the engine.
import kombu.asynchronous.http.curl  # noqa: F401
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.transport import SQS

logger = logging.getLogger(__name__)


class Receiver(AsyncSQSConnection):
    """The requests for messages, which are under way beside everything else that a worker does."""

    _trouble = ""

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Any:
        try:
            answer = super()._on_list_ready(parent, markers, operation, response)  # type: ignore[misc]
        except Exception as error:
            # Its text may name the account.
            answer, trouble = None, f"{type(error).__name__}, HTTP {response.status}"
        else:
            trouble = "" if isinstance(answer, dict) else f"HTTP {response.status}"
        self.say(trouble)
        return answer if isinstance(answer, dict) else {}

    def say(self, trouble: str) -> None:
        if bool(trouble) != bool(self._trouble):
            logger.log(
                logging.WARNING if trouble else logging.INFO,
                "Messages from SQS: %s.",
                f"there are none for now ({trouble})" if trouble else "they come again",
            )
        self._trouble = trouble


class Channel(SQS.Channel):
    def asynsqs(self, queue: str | None = None) -> Receiver:
        """One for the connection, or one for each queue that the settings name."""
        known: dict[str, Receiver] = self._predefined_queue_async_clients
        name = (queue or "") if self.predefined_queues else ""
        if name not in known:
            known[name] = Receiver(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                message_system_attribute_names=["ApproximateReceiveCount"],
            )
        return known[name]

    def _schedule_queue(self, queue: str) -> None:
        try:
            super()._schedule_queue(queue)  # type: ignore[misc]
        except Exception as error:
            # Before the request was under way: there are no credentials just now, for example.
            logger.warning("Messages from SQS cannot be asked for (%s); they will be.", type(error).__name__)
            self._loop1(queue)  # type: ignore[attr-defined]


class Transport(SQS.Transport):
    Channel = Channel


def ask(app: Any) -> None:
    """Asks SQS for what is known of the queue of predictions; raises what comes instead of an answer.

    By a connection of the pool that publishes: a new one takes a tenth of a second of the processor.
    """
    with app.connection_or_acquire() as link:
        link.default_channel.queue_declare(queue=app.conf.task_default_queue, passive=True)
