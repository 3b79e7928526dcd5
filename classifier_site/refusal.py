"""How a process ends that cannot run with the variables it was given: with sentences, and without a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.core.exceptions import ImproperlyConfigured

STATUS = 3
"""gunicorn gives up when a process of its ends with this; with any other it would start the next one, for ever."""

_READERS = ("environment.py", "backends.py")


def is_about_variables(error: BaseException) -> bool:
    """Whether a variable was refused; what Django or a package says of settings needs its traceback."""
    if not isinstance(error, ImproperlyConfigured):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.endswith(
        tuple(f"/classifier_site/{name}" for name in _READERS)
    )


def install() -> None:
    """For every process that does not catch what importing the settings raises: `celery`, `manage.py`."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if is_about_variables(error):
            sys.stderr.write(f"{error}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = hook


@contextmanager
def in_sentences() -> Iterator[None]:
    """Around what gunicorn imports, which would log a traceback of it or start it again and again."""
    try:
        yield
    except ImproperlyConfigured as error:
        if not is_about_variables(error):
            raise
        said = str(error)
    except SystemExit as refused:
        if not isinstance(refused.code, str):
            raise
        said = refused.code
    else:
        return
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()
    raise SystemExit(STATUS)
