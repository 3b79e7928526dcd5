"""The key of a local site: made once, kept beside the data, readable by its owner only."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def local_secret_key(folder: Path) -> str:
    """The key in `folder`, made if there is none; processes that start together agree on one."""
    path = folder / "secret_key"
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".secret_key-")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(64))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="ascii").strip()
