"""Processor time and memory of processes that are at work, from /proc, by the part they play."""

from __future__ import annotations

import os
import re
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def children(parent: int) -> list[int]:
    """The processes whose parent is ``parent``."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            match = re.search(r"^PPid:\s+(\d+)$", status.read_text(), re.MULTILINE)
        except OSError:
            continue
        if match and int(match[1]) == parent:
            found.append(int(status.parent.name))
    return found


def tree(root: int) -> list[int]:
    """The process and all below it."""
    return [root, *(process for child in children(root) for process in tree(child))]


def proportional_mb(process: int) -> float:
    """Memory of a process, what it shares with others divided among them; 0 when it is gone."""
    try:
        match = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(match[1]) / 1024 if match else 0.0


def memory_mb(root: int) -> float:
    """Memory of a process and all below it, what they share counted once."""
    return sum(proportional_mb(process) for process in tree(root))


def seconds(process: int) -> float:
    """Processor time of a process and of those children that it has waited for; 0 when it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0.0
    # The name in brackets may hold blanks; utime, stime, cutime and cstime are the 14th to 17th values.
    values = text.rpartition(")")[2].split()[11:15]
    return sum(int(value) for value in values) / TICK


def is_decoder(process: int) -> bool:
    try:
        return b"predictions.decoder_pool" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def seconds_by_part(roots: dict[str, int]) -> dict[str, float]:
    """Processor time so far of each part's processes; the decoders of pictures are a part of their own."""
    spent = dict.fromkeys([*roots, "decoders"], 0.0)
    for part, root in roots.items():
        for process in tree(root):
            spent["decoders" if is_decoder(process) else part] += seconds(process)
    return spent
