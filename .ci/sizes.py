"""Refuses files above 95 MB: the repository's host takes none above 100."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 95 * 1024 * 1024


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    paths = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    large = [path for path in paths if path.is_file() and path.stat().st_size > LIMIT]
    for path in large:
        sys.stderr.write(f"{path} is larger than 95 MB; keep it out of the repository.\n")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
