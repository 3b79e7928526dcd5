"""What the site knows about a person, told by the apps that know it.

``accounts`` must not know the other apps, so each of them registers, in its ``AppConfig.ready()``, what it
can hand over to a user, how it forgets one, how a guest's things become those of an account, and how many they are::

    registry.register_exporter("predictions", export_predictions)
    registry.register_eraser("predictions", erase_predictions)
    registry.register_merger("predictions", merge_predictions)
    registry.register_counter("predictions", count_pictures)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User

Exporter = Callable[["User"], Any]
Eraser = Callable[["User"], None]
Merger = Callable[["User", "User"], str]
Counter = Callable[["User"], int]

_exporters: dict[str, Exporter] = {}
_erasers: dict[str, Eraser] = {}
_mergers: dict[str, Merger] = {}
_counters: dict[str, Counter] = {}


def register_exporter(name: str, exporter: Exporter) -> None:
    """``exporter(user)`` returns all that the app holds about the user, as values that JSON can carry."""
    _register(_exporters, name, exporter)


def register_eraser(name: str, eraser: Eraser) -> None:
    """``eraser(user)`` removes all that the app holds about the user; it may be called twice."""
    _register(_erasers, name, eraser)


def register_merger(name: str, merger: Merger) -> None:
    """``merger(from_user, to_user)`` hands over all that the app holds about one user to another.

    Called inside a transaction. Returns a sentence for the page, empty where there was nothing to speak of.
    """
    _register(_mergers, name, merger)


def register_counter(name: str, counter: Counter) -> None:
    """``counter(user)`` returns of how many pictures of a user the app would show something."""
    _register(_counters, name, counter)


def exporters() -> Mapping[str, Exporter]:
    """Every exporter by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_exporters)


def erasers() -> Mapping[str, Eraser]:
    """Every eraser by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_erasers)


def mergers() -> Mapping[str, Merger]:
    """Every merger by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_mergers)


def pictures(user: User) -> int:
    """Of how many pictures of a user something can be seen."""
    return sum(count(user) for count in _counters.values())


def forget(user: User) -> None:
    """Removes a user with all that the apps hold about them, files included. Can be repeated if it was interrupted."""
    # First what the apps keep outside the database, such as pictures, which deleting the row would leave behind.
    for erase in _erasers.values():
        erase(user)
    user.delete()


def _register(registered: dict[str, Any], name: str, function: Callable[..., Any]) -> None:
    # Two apps under one name would mean that one of them is silently not exported or not erased.
    if registered.setdefault(name, function) is not function:
        raise ValueError(f"{name!r} is registered already.")
