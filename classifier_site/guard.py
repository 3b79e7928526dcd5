"""Ends the process groups of a supervisor that was killed and could not do it itself.

Runs as a small process of its own, on any system. Its standard input is the supervisor's pipe: lines `+GROUP`
and `-GROUP` name the groups to mind, and the end of the pipe means that the supervisor is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 12.0


def signal_group(group: int, number: int) -> bool:
    """False when nothing of the group is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def end_groups(groups: Iterable[int], grace: float = GRACE) -> None:
    """Asks every group to end, and after `grace` seconds makes it."""
    left = [group for group in groups if signal_group(group, signal.SIGTERM)]
    end = time.monotonic() + grace
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end_groups(groups)


if __name__ == "__main__":
    main()
