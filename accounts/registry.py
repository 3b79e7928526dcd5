"""What the site knows about a person, told by the apps that know it.

``accounts`` must not know the other apps, so each of them registers, in its ``AppConfig.ready()``, what it
can hand over to a user, how it forgets one, how a guest's things become those of an account, and how many they are::

    registry.register_exporter("predictions", export_predictions)
    registry.register_file_exporter("predictions", pictures_of)
    registry.register_eraser("predictions", erase_predictions)
    registry.register_merger("predictions", merge_predictions)
    registry.register_counter("predictions", count_pictures)
    registry.register_section("predictions-shares", account_section)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User

Exporter = Callable[["User"], Any]
# Raises FileNotFoundError where the file is gone.
Opener = Callable[[], IO[bytes]]
FileExporter = Callable[["User"], Iterable[tuple[str, Opener]]]
Eraser = Callable[["User"], None]
Merger = Callable[["User", "User"], str]
Counter = Callable[["User"], int]
Suspender = Callable[["User"], Any]
Section = Callable[["HttpRequest"], tuple[str, dict[str, Any]] | None]

_exporters: dict[str, Exporter] = {}
_file_exporters: dict[str, FileExporter] = {}
_erasers: dict[str, Eraser] = {}
_mergers: dict[str, Merger] = {}
_counters: dict[str, Counter] = {}
_suspenders: dict[str, Suspender] = {}
_sections: dict[str, Section] = {}
_first_sections: dict[str, Section] = {}


def register_exporter(name: str, exporter: Exporter) -> None:
    """``exporter(user)`` returns all that the app holds about the user, as values that JSON can carry.

    Of what there may be thousands it returns an iterator, as a value of the mapping.
    """
    _register(_exporters, name, exporter)


def register_file_exporter(name: str, files: FileExporter) -> None:
    """``files(user)`` yields the files that the user is given: a name for the archive and what opens it for reading."""
    _register(_file_exporters, name, files)


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


def register_suspender(name: str, suspender: Suspender) -> None:
    """``suspender(user)`` stops what the app has waiting for a user who is being suspended, inside a transaction."""
    _register(_suspenders, name, suspender)


def register_section(name: str, section: Section, *, first: bool = False) -> None:
    """``section(request)`` returns a template and its context for the account page, or None for nothing to show.

    The template is rendered with the request, on its own: ``<section class="card stack">`` with a heading ``h2``.
    With ``first`` it stands above everything else on the page, for what the account's owner has to know.
    """
    _register(_first_sections if first else _sections, name, section)


def exporters() -> Mapping[str, Exporter]:
    """Every exporter by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_exporters)


def file_exporters() -> Mapping[str, FileExporter]:
    """Every exporter of files by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_file_exporters)


def erasers() -> Mapping[str, Eraser]:
    """Every eraser by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_erasers)


def mergers() -> Mapping[str, Merger]:
    """Every merger by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_mergers)


def suspenders() -> Mapping[str, Suspender]:
    """Every suspender by its name, in the order of registration; cannot be written to."""
    return MappingProxyType(_suspenders)


def sections(request: HttpRequest, *, first: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """What the apps show on the account page of the user who asks: templates with their contexts."""
    registered = _first_sections if first else _sections
    return [shown for section in registered.values() if (shown := section(request)) is not None]


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
