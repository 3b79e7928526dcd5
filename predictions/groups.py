"""What one submission says about one picture: its runs, network by network, as the pages show them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from ml import artifact
from ml.artifact import ArtifactError, Card, Record
from predictions.corruption import covered_share, parse_bars
from predictions.crop import WHOLE, Crop, side_in_pixels, stored
from predictions.models import Batch, Job, Prediction, Upload
from predictions.templatetags.prediction_format import percent
from predictions.waiting import Wait, waits


def uploads_of(user: Any) -> QuerySet[Upload]:
    """The pictures that ``user`` may see: drafts, and those with a prediction that is not deleted. Not what moderators
    withhold.
    """
    runs = Prediction.objects.filter(upload=OuterRef("pk"))
    return Upload.objects.shown().filter(~Q(Exists(runs)) | Q(Exists(runs.visible())), owner=user)


def card_of(name: str) -> Card | None:
    """The card of a network, or None once it is no longer there."""
    try:
        return artifact.load_card(name)
    except ArtifactError:
        return None


@dataclass(frozen=True)
class Side:
    """One run: the picture as it is, or under its bars."""

    run: Prediction
    covered: bool
    answers: list[dict[str, Any]]
    wait: Wait | None = None
    record: Record | None = None

    @property
    def title(self) -> str:
        return _("With bars") if self.covered else _("Without bars")


@dataclass(frozen=True)
class Result:
    """What one network says: the clean side first, then the covered one where there is one."""

    run: Prediction
    card: Card | None
    sides: list[Side]

    @property
    def title(self) -> str:
        return self.run.model.title

    @property
    def person(self) -> bool:
        """Whether a likeliest class is about people."""
        card = self.card
        return card is not None and any(
            card.is_person(side.answers[0]["index"]) for side in self.sides if side.answers
        )

    @property
    def changed(self) -> bool:
        """Whether the bars changed the first answer."""
        firsts = [side.answers[0]["index"] for side in self.sides if side.answers]
        return len(firsts) == 2 and firsts[0] != firsts[1]

    @property
    def queued(self) -> bool:
        return any(side.run.status == Job.Status.QUEUED for side in self.sides)

    @property
    def again(self) -> bool:
        ended_badly = (Job.Status.FAILED, Job.Status.CANCELLED)
        return any(side.run.status in ended_badly and not side.run.upload.expired for side in self.sides)


@dataclass(frozen=True)
class Group:
    """All runs that one submission asked for on one picture."""

    upload: Upload
    batch: Batch
    results: list[Result]

    @property
    def runs(self) -> list[Prediction]:
        return [result.run for result in self.results]

    @property
    def bars(self) -> list[list[float]]:
        return self.results[0].run.bars

    @property
    def crop(self) -> Crop | None:
        return stored(self.results[0].run.crop)

    @property
    def hidden_share(self) -> float:
        return covered_share(parse_bars(self.bars))

    @property
    def final(self) -> bool:
        return all(side.run.is_final for result in self.results for side in result.sides)

    @property
    def small_for(self) -> int:
        """The input side of the largest network that takes in more than there was to give; 0 for none."""
        sizes = [result.card.size for result in self.results if result.card]
        given = self.box_side or min(self.upload.source_width, self.upload.source_height)
        return max((size for size in sizes if given < size), default=0)

    @property
    def box_side(self) -> int:
        """The side of the box in pixels of the picture as it is kept; 0 where the whole picture went in."""
        if self.crop in (None, WHOLE):
            return 0
        return side_in_pixels(self.crop or WHOLE, self.upload.width, self.upload.height)

    @property
    def seen(self) -> str:
        """Differs whenever the page would look different."""
        sides = [side for result in self.results for side in result.sides]
        state = [
            (str(side.run.pk), side.run.status, side.wait and (side.wait.place, side.wait.says))
            for side in sides
        ]
        return hashlib.sha256(repr(state).encode()).hexdigest()[:16]

    @property
    def says(self) -> str:
        """The state of things in one line, for those who hear the page."""
        return " ".join(_says(result, side) for result in self.results for side in result.sides)


def group_of(user: Any, pk: Any) -> Group | None:
    """The group of one of the user's own runs; None where there is nothing that they may see."""
    own = Prediction.objects.of(user)
    run = own.select_related("batch").filter(pk=pk).first()
    if run is None:
        return None
    beside = own.filter(batch_id=run.batch_id, upload_id=run.upload_id, asked=True)
    runs = list(beside.with_answers().order_by("position", "created"))
    # A clean run whose covered one was deleted has nobody left to stand beside.
    return Group(runs[0].upload, run.batch, results_of(runs)) if runs else None


def results_of(runs: Iterable[Prediction]) -> list[Result]:
    pairs = [
        (run, run.clean_run if run.clean_run and run.clean_run.deleted is None else None) for run in runs
    ]
    standing = waits([run for pair in pairs for run in pair if run])
    results = []
    for run, clean in pairs:
        sides = [side_of(clean, covered=False, wait=standing.get(clean.pk))] if clean else []
        sides.append(side_of(run, covered=bool(run.bars), wait=standing.get(run.pk)))
        results.append(Result(run, card_of(run.model_id), sides))
    return results


def side_of(run: Prediction, *, covered: bool, wait: Wait | None = None) -> Side:
    """One run as a page shows it; ``wait`` says where it stands in the line when it waits."""
    try:
        answers = run.answers or []
    except (ArtifactError, IndexError):
        # The network is gone, or is another one now: what is stored by name is still true.
        answers = []
        if run.top1:
            answers = [{"index": run.top1.index, "name": run.top1.name, "probability": run.probability1}]
    shown = [{**answer, "label": answer["name"]} for answer in answers]
    return Side(run, covered, shown, wait, record_of(run, covered=covered))


def record_of(run: Prediction, *, covered: bool) -> Record | None:
    """How often this network was right on test pictures when it was so sure; None where that says nothing.

    That is: it has not answered, it is another version by now, it was never evaluated, or the picture is unlike all
    of its classes, and so unlike the test pictures too.
    """
    card = card_of(run.model_id)
    if card is None or run.probability1 is None or run.artifact != card.version or run.outside:
        return None
    return card.track_record(run.probability1, covered=covered)


def _says(result: Result, side: Side) -> str:
    names = {"network": result.title, "side": side.title}
    if side.answers:
        first = side.answers[0]
        answer = {**names, "label": first["label"], "probability": percent(first["probability"])}
        said = _("%(network)s, %(side)s: %(label)s, %(probability)s.") % answer
        return said + " " + _("The picture is unlike those it learned from.") if side.run.outside else said
    state = side.run.error_sentence or side.run.get_status_display()
    return _("%(network)s, %(side)s: %(state)s.") % {**names, "state": state.rstrip(".")}
