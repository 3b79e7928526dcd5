"""Lesson 10: breaking it, with bars and with doses, and what the network looked at."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures.training import runs_of
from learn.lessons import Guess, Lesson, Task
from ml.artifact import cards


def context() -> dict[str, Any]:
    """What the networks' evaluations say of pictures with bars, and which networks were trained on some."""
    known = [(card, card.evaluation() or {}) for card in cards()]
    return {
        "records": [
            {
                "title": card.title,
                "whole": found["top1"],
                "covered": found["covered"]["top1"],
                "n": found["n"],
            }
            for card, found in known
            if "covered" in found
        ],
        "share": next((found["covered"]["share"] for _card, found in known if "covered" in found), None),
        "shown_bars": [
            card.title
            for card, _found in known
            if any(run.get("recipe", {}).get("cover") for run in runs_of(card))
        ],
        "rise": RISE,
        "black": BLACK,
    }


RISE = Guess(
    key="rise",
    question=_(
        "A black square hides one part of the background. Can the network become surer of its answer?"
    ),
    choices=(
        ("no", _("No: less to see can only mean less to know.")),
        ("same", _("No: the background plays no part.")),
        ("yes", _("Yes, that happens.")),
    ),
    right="yes",
    answer=_(
        "Every place speaks for some classes and against others. Cover one that spoke against, and the answer grows "
        "surer. In the maps below such squares are blue, those that spoke for it red."
    ),
)

BLACK = Guess(
    key="black",
    question=_("The whole picture is black. What do the networks answer?"),
    choices=(
        ("nothing", _("Nothing: there is nothing to see.")),
        ("equal", _("Every class with the same share.")),
        ("class", _("One of their classes, as always.")),
    ),
    right="class",
    answer=_(
        "They cannot be silent. A hundred scores come out, one of them is the largest, and softmax makes shares of "
        "them. Open “All steps as a table” in the figure: its last row says which class each network takes black for."
    ),
)

lesson = Lesson(
    slug="breaking",
    number=10,
    title=_("Breaking it: what the network looked at"),
    summary=_("Hide parts of a picture until the answer tips, and learn what that does and does not tell."),
    aim=_(
        "find out which parts of a picture an answer rests on, and say why each way of asking can mislead."
    ),
    order=110,
    template="learn/lessons/breaking.html",
    minutes=20,
    context=context,
    tasks=(
        Task(
            key="little",
            title=_("A little is enough"),
            # xgettext:no-python-format
            text=_(
                "Press “Take all bars away” below the maps. Then cover at most 10% of what the networks see (six of "
                "the 64 squares), so that at least one network gives another answer than for the whole picture."
            ),
            hint=_("Begin with the square of the largest number: the words below each map say where it is."),
            reason=_(
                "Much of the evidence sits in few places. What tips the answer is often not the whole thing but the "
                "part that tells it from the runner-up."
            ),
            solution=_(
                "On the first sample picture take all bars away and cover the square that the words below the first "
                "map call the strongest."
            ),
        ),
        Task(
            key="resist",
            title=_("A lot is not enough"),
            text=_(
                "Now take all bars away and cover at least 10% (seven of the 64 squares) so that neither network "
                "changes its answer."
            ),
            hint=_(
                "Hatched squares hardly matter to the network in whose map they are. Look for places that are hatched "
                "or blue in both maps."
            ),
            reason=_(
                "Where the bars lie can count for more than how much they hide. CutMix was made to teach networks to "
                "use the less telling parts as well (Yun and others, 2019)."
            ),
            solution=_(
                "On the first sample picture take all bars away and cover the first seven squares of the top row."
            ),
        ),
        Task(
            key="tip",
            title=_("Where it tips"),
            text=_(
                "Let the most important squares be covered first, and leave the slider at the first step at which one "
                "of the networks gives another answer."
            ),
            hint=_(
                "Below each picture stands what its network answers at this step. Arrow keys move step by step."
            ),
            reason=_(
                "A curve falls slowly or steeply, but an answer tips at one point: where another class overtakes. "
                "Often the network was less sure already just before it; then the percentage told you more than the "
                "answer."
            ),
            solution=_(
                "Choose “Most important first”, move the slider to 0, and go on step by step until the answer below "
                "one of the pictures is another one for the first time."
            ),
        ),
        Task(
            key="hold",
            title=_("Which order holds out longest?"),
            text=_(
                "Find the order of covering in which both networks together stay surest on average, from nothing to "
                "everything covered, and leave the figure at it."
            ),
            hint=_("The table “Average confidence” has the area under every curve. Add up the two columns."),
            reason=_(
                "If the order of importance is right, this is usually the least important first. The order comes from "
                "a map, and a map is only as good as a test of it: try other pictures and see whether it holds."
            ),
            solution=_(
                "Choose the order for which the two areas in the table “Average confidence” add up to most."
            ),
        ),
    ),
)
