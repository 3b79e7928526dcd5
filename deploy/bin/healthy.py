"""How a container is: ``python deploy/bin/healthy.py web`` asks the site, ``worker`` and ``lab`` their sign of life."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))


def trouble(name: str) -> str:
    """What is wrong, in a few words; empty when all is well."""
    if name == "web":
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000/healthz", timeout=4):
                return ""
        except OSError as error:
            return f"/healthz does not answer ({error})"
    from predictions import signs

    if name not in (signs.ANSWERING, signs.OTHER):
        return f"{name!r} is none of web, {signs.ANSWERING}, {signs.OTHER}"
    says = signs.read(Path(os.environ.get("DATA_DIR", "var")), name).says
    return "" if says == signs.OK else says


if __name__ == "__main__":
    found = trouble(sys.argv[1] if len(sys.argv) > 1 else "web")
    sys.stdout.write(f"{found or 'ok'}\n")
    sys.exit(bool(found))
