"""Whether this machine is about to go away, so that it begins nothing any more.

A file in ``DATA_DIR`` says so to every process of the machine, also to those that are started again meanwhile;
``predictions.termination`` writes and removes it. Only where ``TERMINATION_HOOK`` names a lifecycle hook does it count.
Here, because whoever begins work asks, and no app is below this one.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from django.conf import settings


def flag() -> Path:
    folder: Path = settings.DATA_DIR
    return folder / "draining"


def draining() -> bool:
    """Whether nothing may be begun here: no job claimed, no wake-up sent, which others send anyway."""
    return bool(settings.TERMINATION_HOOK) and flag().exists()


def begin() -> bool:
    """Has every process of this machine begin nothing more; False if that was said before."""
    try:
        flag().touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def end() -> bool:
    """The machine stays after all; False if it was not about to go."""
    if not flag().exists():
        return False
    with contextlib.suppress(FileNotFoundError):
        flag().unlink()
    return True
