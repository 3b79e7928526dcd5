"""What the site knows about a person, told by the apps that know it.

``accounts`` must not know the other apps, so each of them registers, in its ``AppConfig.ready()``, what it
can hand over to a user and how it forgets one::

    registry.register_exporter("predictions", export_predictions)
    registry.register_eraser("predictions", erase_predictions)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User

Exporter = Callable[["User"], Any]
Eraser = Callable[["User"], None]

_exporters: dict[str, Exporter] = {}
_erasers: dict[str, Eraser] = {}


def register_exporter(name: str, exporter: Exporter) -> None:
    """``exporter(user)`` returns all that the app holds about the user, as values that JSON can carry."""
    _register(_exporters, name, exporter)


def register_eraser(name: str, eraser: Eraser) -> None:
    """``eraser(user)`` removes all that the app holds about the user; it may be called twice."""
    _register(_erasers, name, eraser)


def exporters() -> Mapping[str, Exporter]:
    """Every exporter by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_exporters)


def erasers() -> Mapping[str, Eraser]:
    """Every eraser by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_erasers)


def _register(registered: dict[str, Any], name: str, function: Callable[..., Any]) -> None:
    # Two apps under one name would mean that one of them is silently not exported or not erased.
    if registered.setdefault(name, function) is not function:
        raise ValueError(f"{name!r} is registered already.")
