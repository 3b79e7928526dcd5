"""What can be computed to explain a network: one module each in this package, found by looking.

A module offers a module-level ``kind``, an instance of Kind. It is thin: it checks what was asked and calls
``ml.explain``. Web processes load every kind and compute none, so what is costly to load is imported in ``compute``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from learn.discovery import discover
from ml.artifact import Card
from predictions.jobs import Job


class KindError(Exception):
    """What was asked cannot be computed. ``sentence`` says why to the student, ``field`` names the parameter."""

    def __init__(self, sentence: str | Promise, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def __str__(self) -> str:
        return str(self.sentence)


@dataclass(frozen=True)
class Work:
    """What a kind computes from: ``clean`` and ``covered``, uint8 (size, size, 3), RGB, as the network sees them.

    ``covered`` is None where no bars are on the picture, and for kinds that do not look at them. ``parameters`` are
    what the kind's own ``clean`` returned. For a kind that looks at all sample pictures together ``clean`` is uint8
    (pictures, size, size, 3), in the order of `predictions.samples.every`.
    """

    card: Card
    clean: NDArray[np.uint8]
    covered: NDArray[np.uint8] | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """``data``: small (at most 64 kB), for pages, as JSON without NaN. ``members``: what the file holds, by name:
    bytes, or arrays that are stored as NumPy files.
    """

    data: dict[str, Any]
    members: Mapping[str, bytes | NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One way of explaining.

    ``clean(parameters, card)`` returns the parameters in one canonical form, defaults written out, so that the same
    question has the same key; it raises KindError. ``compute(work)`` runs in a worker within 50 s; it may raise
    KindError with a sentence for the student. ``for_samples``: what is made with every release for each sample picture.
    ``looks_at_bars``: whether ``covered`` matters; if not, one answer serves for all bars. ``revision`` is raised when
    the same parameters are to give another result: stored results of the one before are then no longer found.
    ``pictures``: a kind of all ``samples`` together is made with every release, and nobody can ask for it.
    ``offered_for``: of which networks it is made with every release; ``clean`` refuses the others with a sentence.
    """

    name: str
    clean: Callable[[Mapping[str, Any], Card], dict[str, Any]]
    compute: Callable[[Work], Result]
    for_samples: tuple[dict[str, Any], ...] = ()
    looks_at_bars: bool = True
    priority: Job.Priority = Job.Priority.LABORATORY
    revision: int = 1
    pictures: Literal["one", "samples"] = "one"
    offered_for: Callable[[Card], bool] = lambda _card: True


@cache
def every() -> Mapping[str, Kind]:
    """All kinds by their names. Raises ValueError when a module offers none or two have one name."""
    return discover(sys.modules[__name__], "kind", Kind, lambda kind: kind.name, "Two kinds are called %r.")


def find(name: str) -> Kind:
    """The kind called ``name``. Raises KindError."""
    try:
        return every()[name]
    except KeyError:
        raise KindError(
            _("The laboratory computes nothing called “%(name)s”.") % {"name": name[:40]}, "kind"
        ) from None
