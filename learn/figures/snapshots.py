"""What a network said of a picture at its snapshots: which one belongs to an epoch, and each in words.

``steps`` are those of learn.kinds.snapshots. The sentences are those of static/js/laboratory/training-answers.js.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from learn.figures.training import across, up
from learn.templatetags.learn_format import percent
from ml.artifact import Card

Step = Mapping[str, Any]


def step_at(steps: Sequence[Step], epoch: int, last: int) -> Step | None:
    """The last snapshot that is not later than ``epoch``, at the ``last`` one the finished network; None before all."""
    if epoch >= last:
        return steps[-1]
    return next((step for step in reversed(steps[:-1]) if step["epoch"] <= epoch), None)


def share_of(step: Step, classes: Sequence[int], index: int) -> float:
    """The probability of one of ``classes``."""
    return float(step["probabilities"][classes.index(index)])


def points(
    steps: Sequence[Step], classes: Sequence[int], index: int, last: int, axis: int
) -> list[dict[str, str]]:
    """A class's probability at every step, as places of a panel whose axis ends at the epoch ``axis``."""
    return [
        {
            "x": f"{across(last if step['epoch'] is None else step['epoch'], axis):.1f}",
            "y": f"{up(share_of(step, classes, index), 1):.1f}",
        }
        for step in steps
    ]


def in_words(card: Card, steps: Sequence[Step], step: Step, classes: Sequence[int], index: int) -> str:
    """A step in one or two sentences: what it said first, and what it gave to the class ``index``."""
    (top, best), final = step["top"][0], share_of(steps[-1], classes, index)
    names = {
        "network": card.title,
        "epoch": step["epoch"],
        "size": step["size"],
        "top": _(card.label(top)),
        "best": percent(best),
        "label": _(card.label(index)),
        "share": percent(share_of(step, classes, index)),
        "final": percent(final),
    }
    if step["epoch"] is None:
        first = _("The finished %(network)s says %(top)s, %(best)s.") % names
        return first if top == index else f"{first} {_('To %(label)s it gives %(share)s.') % names}"
    first = _("After epoch %(epoch)s, on %(size)s × %(size)s pixels, %(network)s said %(top)s, %(best)s.")
    then = (
        _("The finished one gives %(label)s %(final)s.")
        if top == index
        else _("To %(label)s it gave %(share)s, the finished one gives %(final)s.")
    )
    return f"{first} {then}" % names


def before_words(epoch: int) -> str:
    return _("No snapshot was kept up to epoch %(epoch)s.") % {"epoch": epoch}


def unfollowed_words(label: str) -> str:
    return _("“%(label)s” never came among the first five here, so it was not kept.") % {"label": label}


def none_words(card: Card) -> str:
    return _(
        "No snapshots of %(title)s were kept, so it cannot be asked as it was earlier; only its curves are shown."
    ) % {"title": card.title}
