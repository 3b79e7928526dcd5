"""Lesson 5: from scores to probabilities, and whether to believe them."""

from __future__ import annotations

import math
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from learn.lessons import Guess, Lesson, Task
from ml.artifact import Card, cards

EXAMPLE = (("apple", 6.0), ("sweet pepper", 4.0), ("pear", 2.0))
"""Three classes with their logits: few enough to be reckoned in the head."""


def context() -> dict[str, Any]:
    """The worked example and the networks' records, computed, so that prose and figures agree to the digit."""
    known = cards()
    return {
        "example": _softmax(1.0),
        "halved": _softmax(2.0),
        "records": [record for card in known if (record := _record(card))],
        "order": ORDER,
        "modest": _modest(known),
    }


def _softmax(temperature: float) -> list[dict[str, Any]]:
    """Label, logit, difference from the largest, exponential and probability of each class of the example."""
    largest = max(logit for _label, logit in EXAMPLE)
    powers = [math.exp((logit - largest) / temperature) for _label, logit in EXAMPLE]
    return [
        {
            "label": label,
            "logit": logit,
            "difference": logit - largest,
            "power": power,
            "probability": power / sum(powers),
        }
        for (label, logit), power in zip(EXAMPLE, powers, strict=True)
    ]


def _record(card: Card) -> dict[str, Any] | None:
    """What a network's evaluation says in words: all of it, and the bin of its surest answers but one.

    ``ece`` is in percentage points.
    """
    found = card.evaluation()
    if not found:
        return None
    rows = [row for row in found["reliability"] if row["n"]]
    bin_ = rows[-2] if len(rows) > 1 else rows[-1]
    return {
        "title": card.title,
        "n": found["n"],
        "top1": found["top1"],
        "ece": 100 * found["ece"],
        "temperature": card.temperature,
        "low": bin_["low"],
        "high": bin_["high"],
        "bin_n": bin_["n"],
        "confidence": bin_["confidence"],
        "accuracy": bin_["accuracy"],
        "covered": found.get("covered", {}).get("top1"),
    }


ORDER = Guess(
    key="order",
    question=_("All logits are divided by 2 before softmax. What becomes of the order of the classes?"),
    choices=(
        ("stays", _("It stays as it is.")),
        ("turns", _("The least likely classes come first.")),
        ("depends", _("That depends on the picture.")),
    ),
    right="stays",
    answer=_(
        "Dividing by a positive number keeps the larger of two numbers the larger one, and so does raising e to it. "
        "The percentages come closer together; their order, and with it the answer, stays."
    ),
)


def _modest(known: list[Card]) -> Guess:
    """The second guess; which answer is right the fitted temperatures decide."""
    modest = all(card.temperature < 1 for card in known)
    boastful = all(card.temperature > 1 for card in known)
    right = "low" if modest else "high" if boastful else "differ"
    return Guess(
        key="modest",
        question=_(
            "Training never asked these networks for certainty: instead of 100% the right class was to get about 90%, "
            "and some pictures were mixed of two (lesson 9). Are their bare percentages, at temperature 1, too high or "
            "too low?"
        ),
        choices=(
            ("high", _("Too high: networks boast.")),
            ("low", _("Too low: they learned to hedge.")),
            ("differ", _("One is too high, the other too low.")),
        ),
        right=right,
        answer=_tells(right, known),
    )


def _tells(right: str, known: list[Card]) -> str:
    """The answer to the second guess: what the temperatures show, and then why."""
    tells = {
        "low": _(
            "Too low: the temperatures that make them honest lie below 1 (%(fitted)s), so each has to be made surer "
            "than its bare logits."
        ),
        "high": _(
            "Too high: the temperatures that make them honest lie above 1 (%(fitted)s), so each has to be made less "
            "sure than its bare logits."
        ),
        "differ": _(
            "One is too high, the other too low, as the temperatures that make them honest show (%(fitted)s): below 1 "
            "a network has to be made surer than its bare logits, above 1 less sure."
        ),
    }
    fitted = ", ".join(f"{card.title} {number_format(round(card.temperature, 2), 2)}" for card in known)
    first = tells[right] % {"fitted": fitted} if known else ""
    why = _(
        "Networks trained on plain labels usually boast (Guo and others, 2017). Labels that stop short of certainty, "
        "mixed pictures and the softened answers of a teacher (lesson 11) push the other way; how far, the temperature "
        "shows."
    )
    return f"{first} {why}".strip()


lesson = Lesson(
    slug="confidence",
    number=5,
    title=_("From scores to probabilities, and whether to believe them"),
    summary=_(
        "How a hundred scores become a hundred percentages, and what it takes for “90%” to mean something."
    ),
    aim=_(
        "say what a logit and a probability are, and check whether a network’s confidence can be believed."
    ),
    order=105,
    template="learn/lessons/confidence.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="doubt",
            title=_("Make it doubt"),
            text=_("Turn the temperature until the likeliest class has less than 20%."),
            hint=_("Temperatures above 1 bring all classes closer together. Drag the slider to the right."),
            reason=_(
                "At a high temperature the differences between logits hardly count, and every class tends to the same "
                "share. The likeliest one stays the likeliest all the way."
            ),
            solution=_("Turn the temperature up; for the first sample picture 12 is enough."),
        ),
        Task(
            key="never",
            title=_("Never is not a number"),
            text=_(
                "Under “Name in the fifth row”, choose a class that is not among the five likeliest, and bring it to "
                "0.5% or more."
            ),
            hint=_("Something absurd will do, and then the temperature has to rise."),
            reason=_(
                "e to the power of anything is above zero, so softmax gives every class something, however absurd. A "
                "percentage of zero on a screen has been rounded."
            ),
            solution=_("For the apple name the rocket in the fifth row, and turn the temperature up to 20."),
        ),
        Task(
            key="boast",
            title=_("Make it boast"),
            text=_(
                "Turn the temperature down until it claims more than 99%. Then look for anything in the figure that "
                "supports this claim."
            ),
            hint=_(
                "The lower the temperature, the more the largest logit takes. Drag the slider to the left."
            ),
            reason=_(
                "The same logits, the same picture, the same answer, and now it is “certain”. A percentage alone "
                "proves nothing. Only counting how often such answers were right does."
            ),
            solution=_(
                "For the first sample picture turn the temperature down to 0.05. Nothing else in the figure has "
                "changed, so nothing supports the claim."
            ),
        ),
        Task(
            key="surer",
            title=_("Which of the two is surer?"),
            text=_(
                "Find out which network is surer of its answer to this picture, each at the temperature that makes it "
                "honest. Then choose the other one, and turn its temperature until it claims as much, to within one "
                "percentage point."
            ),
            hint=_(
                "Both squares say how sure “this answer” is. The network is chosen above the figure, and a lower "
                "temperature lets it claim more."
            ),
            reason=_(
                "Now both claim the same, and the second knows no more than before. Only at their fitted temperatures "
                "are two networks’ percentages on one scale: each then says about as much as it can keep. The surer of "
                "two answers may still be the wrong one; of many, the surer ones are right more often."
            ),
            solution=_(
                "Compare “this answer” in the two squares and choose the network with the smaller percentage. Lower "
                "the temperature until “at this temperature” in its square is what “this answer” is in the other one."
            ),
        ),
    ),
)
