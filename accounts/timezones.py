"""Which time zones an account may have, and how they are offered."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

DEFAULT = "UTC"
COOKIE = "tz"  # static/js/timezone.js writes it

# What these two mean depends on the machine, so they are no property of a person.
_MACHINE_DEPENDENT = {"localtime", "Factory"}

_AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every valid name. Reading them walks a directory tree, so it is done once a process."""
    return frozenset(available_timezones() - _MACHINE_DEPENDENT)


def is_valid(name: object) -> bool:
    return isinstance(name, str) and name in names()


def validate(name: str) -> None:
    if not is_valid(name):
        raise ValidationError(_("Choose a time zone from the list."), code="time_zone")


def valid_or_default(name: object) -> str:
    return name if isinstance(name, str) and is_valid(name) else DEFAULT


def zone(name: object) -> ZoneInfo:
    """The zone of that name, or UTC where there is none."""
    return ZoneInfo(valid_or_default(name))


def choices(current: str = DEFAULT) -> list[tuple[str, str] | tuple[str, list[tuple[str, str]]]]:
    """Choices for a select, grouped by area; ``current`` is among them even if it is an old alias."""
    listed = sorted(name for name in names() if name.split("/", 1)[0] in _AREAS and "/" in name)
    single = [DEFAULT]
    if current not in listed and current != DEFAULT and is_valid(current):
        single.append(current)
    grouped: list[tuple[str, str] | tuple[str, list[tuple[str, str]]]] = [(name, name) for name in single]
    for area, members in groupby(listed, key=lambda name: name.split("/", 1)[0]):
        grouped.append((area, [(name, name.replace("_", " ")) for name in members]))
    return grouped
