"""Lesson 11: how the networks of this site were trained, what they confuse, and what they cannot do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.evaluations import labels_of
from learn.figures.training import Log, log_of, rate_text, runs_of, value_of
from learn.lessons import Guess, Lesson, Task
from learn.templatetags.learn_format import chosen_percent, grouped, percent
from ml.artifact import Card, cards

SHARES = (("chance", 0.01), ("tenth", 1 / 10), ("sixth", 1 / 6), ("half", 1 / 2))
EARLY, LATE = 0.1, 0.67
"""Shares of a training: the highest rate before the first is at its beginning, after the second at its end."""


def context() -> dict[str, Any]:
    """The recipes, logs and evaluations of the networks, so that prose, guesses and figures agree to the digit."""
    known = cards()
    logs = [log for style, card in enumerate(known) if (log := log_of(card, style)).rows]
    first = logs[0] if logs else None
    recipe = first.card.training.get("recipe", {}) if first else {}
    return {
        "first": first.card if first else None,
        "recipe": recipe,
        "right_gets": 1 - recipe["label_smoothing"] if recipe.get("label_smoothing") else None,
        "sizes": _sizes(logs),
        "widened": [card for card in known if card.training.get("grown_from")],
        "beside": [card for card in known if card.training.get("beside")],
        "table": _table(known),
        "records": [record for card in known if (record := _record(card))],
        "snapshots": next((card for card in known if card.snapshots), None),
        "steps": _steps_guess(first),
        "one": _one_guess(first),
        "ahead": _ahead_guess(first),
    }


def _sizes(logs: Sequence[Log]) -> list[int]:
    """The smallest and the largest side of pictures that anything was trained on, in pixels."""
    sizes = {int(row["size"]) for log in logs for row in log.rows if row.get("size")}
    return [min(sizes), max(sizes)] if sizes else []


def _record(card: Card) -> dict[str, Any] | None:
    """The pair that a network confuses most, and the class that it recognises least often."""
    found = card.evaluation()
    if not found or not found.get("confused_pairs"):
        return None
    labels, pair = labels_of(card), found["confused_pairs"][0]
    counted = [
        (row["accuracy"], i) for i, row in enumerate(found["per_class"]) if row["accuracy"] is not None
    ]
    least, index = min(counted)
    return {
        "title": card.title,
        "n": found["n"],
        "top1": found["top1"],
        "a": labels[pair["a"]],
        "b": labels[pair["b"]],
        "a_as_b": pair["a_as_b"],
        "b_as_a": pair["b_as_a"],
        "hardest": labels[index],
        "least": least,
    }


# -- the recipe as a table ----------------------------------------------------------------------------------


def _table(known: Sequence[Card]) -> dict[str, Any] | None:
    """What was chosen for every run, a column a run; None where no network says how it was trained."""
    runs = [
        (_heading(card, place, len(runs_of(card))), run)
        for card in known
        for place, run in enumerate(runs_of(card))
        if run.get("recipe")
    ]
    if not runs:
        return None
    return {
        "heads": [heading for heading, _run in runs],
        "rows": [(title, [write(run) for _heading, run in runs]) for title, write in _rows()],
    }


def _heading(card: Card, place: int, count: int) -> str:
    if count == 1:
        return card.title
    return _("%(title)s, run %(number)s") % {"title": card.title, "number": place + 1}


def _rows() -> list[tuple[str, Any]]:
    def chosen(key: str, write: Any) -> Any:
        return lambda run: "–" if run["recipe"].get(key) is None else write(run["recipe"][key])

    def of_run(key: str, write: Any) -> Any:
        return lambda run: "–" if run.get(key) is None else write(run[key])

    return [
        (_("Epochs"), chosen("epochs", grouped)),
        (_("Training pictures"), of_run("pictures", grouped)),
        (_("Held-out pictures"), of_run("held_out", grouped)),
        (_("Pictures in a batch"), chosen("batch", grouped)),
        (_("Highest learning rate"), chosen("peak_rate", rate_text)),
        (_("Rate rises for"), chosen("warm_up", _share_of_epochs)),
        (_("Side of the pictures"), chosen("phases", _phases)),
        (_("Batches that are mixed"), _mixed),
        (_("Pictures with a black bar"), chosen("cover", _share)),
        (_("Softening of the labels"), chosen("label_smoothing", _share)),
        (_("Numbers that dropout sets to zero"), chosen("dropout", _share)),
        (_("Weight of the teacher"), chosen("distill", _share)),
        (_("Average moves at each step by"), chosen("ema", lambda kept: _share(1 - kept))),
        (_("Weights that were kept"), lambda run: _("the last") if run.get("last") else _("their average")),
        (_("Minutes"), of_run("training_seconds", lambda seconds: grouped(round(seconds / 60)))),
    ]


def _share(value: float) -> str:
    return chosen_percent(value) if value else _("none")


def _share_of_epochs(value: float) -> str:
    return _("%(share)s of the epochs") % {"share": chosen_percent(value)}


def _phases(phases: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(number_format(phase["size"]) for phase in phases)


def _mixed(run: Mapping[str, Any]) -> str:
    recipe = run["recipe"]
    if not recipe.get("cutmix"):
        return _("none")
    return _("%(share)s, until %(until)s of the epochs") % {
        "share": chosen_percent(recipe["cutmix"]),
        "until": chosen_percent(recipe.get("cutmix_until", 1)),
    }


# -- guesses: the log decides which answer is right ---------------------------------------------------------


def _steps_guess(log: Log | None) -> Guess:
    peak = log.peak() if log else None
    share = peak / log.last if log and peak else None
    names = {"title": log.card.title if log else "", "peak": peak, "last": log.last if log else 0}
    measured = (
        _("%(title)s took its largest steps around epoch %(peak)s of %(last)s.") % names if share else ""
    )
    asked = (
        _("When did the training of %(title)s take its largest steps?") % names
        if log
        else _("When should the steps be largest?")
    )
    return Guess(
        key="steps",
        question=asked,
        choices=(
            ("first", _("At the very beginning, when everything has still to be learned.")),
            ("later", _("Some time after the beginning, and long before the end.")),
            ("end", _("At the end, when the direction is known.")),
        ),
        right="later" if share is None or EARLY < share < LATE else "first" if share <= EARLY else "end",
        answer=_(
            "The rate rises and then falls. Random weights stand on steep ground where the slope changes at "
            "every step: large steps would throw them anywhere. Later large steps are safe and get far. At the "
            "end small ones find the bottom of the valley instead of crossing it again and again. %(measured)s"
        )
        % {"measured": measured},
    )


def _ahead_guess(log: Log | None) -> Guess:
    row = log.rows[0] if log else {}
    held, training = value_of(row, "val_accuracy"), value_of(row, "train_accuracy")
    measured, right = "", "held"
    if log and held is not None and training is not None:
        right = "held" if held > training else "training"
        measured = _(
            "%(title)s was right on %(held)s of the held-out pictures after its first epoch, and on %(training)s "
            "of those it learned from."
        ) % {"title": log.card.title, "held": percent(held), "training": percent(training)}
    return Guess(
        key="ahead",
        question=_("After the first epoch, on which pictures is a network of this site right more often?"),
        choices=(
            ("training", _("On those that it has just learned from.")),
            ("same", _("On both about equally often.")),
            ("held", _("On those that it has never seen.")),
        ),
        right=right,
        answer=_(
            "%(measured)s The two are not measured alike. Training pictures are made harder on purpose, and they are "
            "counted while the epoch runs, the held-out ones at its end."
        )
        % {"measured": measured},
    )


def _one_guess(log: Log | None) -> Guess:
    held = value_of(log.rows[0], "val_accuracy") if log else None
    names = {
        "title": log.card.title if log else "",
        "share": percent(held) if held else "",
        "chance": percent(1 / len(log.card.labels)) if log else "",
    }
    return Guess(
        key="one",
        question=_(
            "Each training picture has been looked at once. Of the held-out pictures, how many does the network "
            "name rightly?"
        ),
        choices=(
            ("chance", _("One in a hundred, as if by chance.")),
            ("tenth", _("About a tenth.")),
            ("sixth", _("About a sixth.")),
            ("half", _("About half.")),
        ),
        right=nearest(held) if held else "sixth",
        answer=_(
            "%(title)s: %(share)s, where chance would give %(chance)s. Much can be guessed from colour alone, "
            "and that is learned first. How long the rest takes, the curve below shows."
        )
        % names,
    )


def nearest(share: float) -> str:
    """The choice of the last guess that is nearest to a share, by their ratio."""
    return min(SHARES, key=lambda choice: abs(math.log(choice[1] / share)))[0]


lesson = Lesson(
    slug="training",
    number=11,
    title=gettext_lazy("How ours were trained"),
    summary=gettext_lazy(
        "The real curves, the picture of your choice after one epoch and after twenty, the real confusions, and "
        "what these networks cannot do."
    ),
    aim=gettext_lazy(
        "read a training curve, say what each part of a recipe is for, and name what a network should not be "
        "trusted with."
    ),
    order=111,
    template="learn/lessons/training.html",
    minutes=20,
    context=context,
    tasks=(
        Task(
            key="steps",
            title=gettext_lazy("The largest steps"),
            text=gettext_lazy("Leave the slider at the epoch in which the steps were largest."),
            hint=gettext_lazy(
                "The curve “Learning rate” has its highest point there. Beside its title stands the rate at the "
                "end of the epoch; the arrow keys move by one."
            ),
            reason=gettext_lazy(
                "Look at the thick curve of right answers above: it is restless where the steps are large, up "
                "one epoch and down the next, and calm where they are small. Large steps look around, small ones "
                "settle."
            ),
            solution=gettext_lazy(
                "Move the slider to the highest point of the curve “Learning rate”, and find its epoch with the arrow "
                "keys."
            ),
        ),
        Task(
            key="leap",
            title=gettext_lazy("A leap without learning"),
            text=gettext_lazy(
                "In one epoch the right answers on training pictures leap, much further than in the epochs just "
                "before it, while the pictures keep their size and those held out follow by far less. Leave the "
                "slider there."
            ),
            hint=gettext_lazy(
                "Look for a step in the thin curve of “Right answers” in the second half. The sentence below the "
                "curves says what has changed."
            ),
            reason=gettext_lazy(
                "From this epoch on no pictures were mixed. The network did not learn all this in one epoch: its "
                "exercises became easier. Whoever watches only the pictures that are trained on takes a change "
                "of the ruler for growth."
            ),
            solution=gettext_lazy(
                "In the second half move the slider to the top of the step in the thin curve of right answers: there "
                "the sentence below the curves says that from here on no pictures were mixed."
            ),
        ),
        Task(
            key="sure",
            title=gettext_lazy("Half as sure"),
            text=gettext_lazy(
                "Find the first snapshot that gave the finished network’s first answer at least half of what the "
                "finished network gives it, and leave the figure there."
            ),
            hint=gettext_lazy(
                "Follow that class: it is the first in the list. The last column of the table has its "
                "probability at every snapshot."
            ),
            reason=gettext_lazy(
                "An answer may come first long before the network is sure of it, go again, and come back. Plain "
                "things of one colour and shape are often known early. Things that differ from others by a "
                "handle or a rim come late, with the larger pictures."
            ),
            solution=gettext_lazy(
                "Read the last column of the table from the top, and choose the first snapshot with at least half of "
                "the number in the last row."
            ),
        ),
        Task(
            key="oneway",
            title=gettext_lazy("One way more than the other"),
            text=gettext_lazy(
                "Find two classes that a network confuses at least twice as often in one direction as in the "
                "other, that way for at least ten pictures, and show their square."
            ),
            hint=gettext_lazy(
                "The tables below have both directions. A class in them leads to its square; there are more "
                "pairs than these."
            ),
            reason=gettext_lazy(
                "Likeness alone has no direction: a couch is as like a bed as a bed is like a couch. But between "
                "two classes the network has to draw a line somewhere, and whatever lies on the wrong side goes "
                "to one of them. Where the line came to lie is a matter of the training pictures."
            ),
            solution=gettext_lazy(
                "In the tables look for a pair with at least 10 in one column and at most half as many in the other, "
                "and follow one of its classes."
            ),
        ),
    ),
)
