"""Showing a result to others by a link, taking the link back, and what somebody sees who has one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from predictions.batch_table import BatchTable, table_of
from predictions.groups import Group, group_of
from predictions.models import Prediction, Share, Upload
from predictions.shares import TOKEN_LENGTH

TOKEN = re.compile(f"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")


class NothingToShare(Exception):
    """There is nothing of the owner's here to be shown to others; the message says why."""


class AccountNeeded(NothingToShare):
    """A guest's pictures are kept for a day, and nobody answers for what they show."""


def share(owner: Any, *, run: Any = None, other: Any = None, batch: Any = None) -> Share:
    """The link of a prediction, of two compared (``run`` and ``other``) or of a ``batch``, given as rows or their ids.

    Made where there is none yet. A prediction is shared with what the other networks said of it. Raises
    NothingToShare.
    """
    run, other, batch = (getattr(one, "pk", one) for one in (run, other, batch))
    for _attempt in range(2):
        wanted = _wanted(owner, run, other, batch)
        if owner.is_guest:
            raise AccountNeeded(_("To share a result, make an account. What guests try is gone after a day."))
        if there := Share.objects.live().filter(**wanted).first():
            return there
        try:
            with transaction.atomic():
                return Share.objects.create(owner=owner, **wanted)
        except IntegrityError:
            # Shared twice at once, or removed for good in between: the next look tells.
            continue
    raise NothingToShare(_gone())


def _wanted(owner: Any, run: Any, other: Any, batch: Any) -> dict[str, Any]:
    """The columns of a share of these. Raises NothingToShare."""
    own = Prediction.objects.of(owner)
    if batch is not None:
        if not own.filter(batch_id=batch, asked=True).exists():
            raise NothingToShare(_gone())
        return _columns(batch=batch)
    if other is not None:
        if run == other:
            raise NothingToShare(_("Choose two different predictions to share how they compare."))
        if own.filter(pk__in=[run, other]).count() != 2:
            raise NothingToShare(_("One of these predictions is not there. It may have been deleted."))
        return _columns(run, other)
    first = _first_beside(owner, run)
    if first is None:
        raise NothingToShare(_gone())
    return _columns(first)


def _columns(run: Any = None, other: Any = None, batch: Any = None) -> dict[str, Any]:
    if batch is not None:
        return {"kind": Share.Kind.BATCH, "batch_id": batch}
    if other is not None:
        return {"kind": Share.Kind.COMPARISON, "run_id": run, "other_id": other}
    return {"kind": Share.Kind.PREDICTION, "run_id": run}


def _first_beside(owner: Any, run: Any) -> Any:
    """The first of the runs that are shown on one page with this one: whichever it is, the page has one link."""
    own = Prediction.objects.of(owner)
    found = own.filter(pk=run).values_list("batch_id", "upload_id").first()
    if found is None:
        return None
    beside = own.filter(batch_id=found[0], upload_id=found[1], asked=True)
    return beside.order_by("position", "created").values_list("pk", flat=True).first()


def _gone() -> str:
    return _("There is nothing here to share. It may have been deleted, or the address may be wrong.")


def withdraw(owner: Any, pk: Any) -> bool:
    """Ends one of the owner's links for good; False when there was none, or it was withdrawn already."""
    return bool(Share.objects.live().filter(owner=owner, pk=pk).update(withdrawn=Now()))


# --- what a page says of sharing ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """What a page says of sharing what it shows: its link, or a form for one with these fields."""

    action: str
    allowed: bool
    share: Share | None
    fields: Mapping[str, Any] = field(default_factory=dict)


def offer(
    user: Any,
    action: str,
    *,
    run: Any = None,
    other: Any = None,
    batch: Any = None,
    fields: Mapping[str, Any] | None = None,
) -> Offer:
    """For the page of something of the user's own that is there; of a prediction ``run`` is the first on its page."""
    run, other, batch = (getattr(one, "pk", one) for one in (run, other, batch))
    there = Share.objects.live().filter(owner=user, **_columns(run, other, batch)).first()
    return Offer(action, not user.is_guest, there, fields or {})


# --- what somebody sees who has a link ------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What a link shows now. Made by ``find`` anew for each request."""

    share: Share

    @property
    def owner(self) -> Any:
        return self.share.owner

    @property
    def runs(self) -> QuerySet[Prediction]:
        """All runs that the link lets people see, clean ones beside covered ones included."""
        own = Prediction.objects.of(self.owner).filter(upload__hidden__isnull=True)
        share = self.share
        if share.kind == Share.Kind.BATCH:
            return own.filter(batch_id=share.batch_id)
        if share.kind == Share.Kind.COMPARISON:
            return own.filter(pk__in=[share.run_id, share.other_id])
        assert share.run is not None
        return own.filter(batch_id=share.run.batch_id, upload_id=share.run.upload_id)

    @property
    def uploads(self) -> QuerySet[Upload]:
        """All pictures that the link lets people see."""
        return Upload.objects.shown().filter(pk__in=self.runs.order_by().values("upload"))

    def upload(self, pk: Any) -> Upload | None:
        """One of these pictures; None for anything else, an id or not."""
        return _one(self.uploads, pk)

    def run(self, pk: Any) -> Prediction | None:
        return _one(self.runs, pk)

    def group(self, upload: Any = None) -> Group | None:
        """The prediction that is shown, or that of one of a batch's pictures."""
        if upload is None:
            return group_of(self.owner, self.share.run_id)
        run = self.runs.filter(upload=upload, asked=True).order_by("position", "created").first()
        return group_of(self.owner, run.pk) if run else None

    def sides(self) -> list[Prediction]:
        """The two that are compared."""
        found = self.runs.with_answers().in_bulk([self.share.run_id, self.share.other_id])  # type: ignore[attr-defined]
        return [found[pk] for pk in (self.share.run_id, self.share.other_id) if pk in found]

    def table(self, sort: str = "") -> BatchTable | None:
        """The batch that is shown. Of pictures that were not taken nothing is told, not even their names."""
        table = table_of(self.owner, self.share.batch_id, sort)
        if table is None or not table.runs:
            return None
        return replace(table, rows=[row for row in table.pictures if row.upload and not row.upload.hidden])


def _one(rows: QuerySet[Any], pk: Any) -> Any:
    try:
        return rows.filter(pk=pk).first()
    except (ValidationError, ValueError):
        return None


def find(token: str) -> Shown | None:
    """What a link shows; None for one that shows nothing any more, or never did."""
    if not TOKEN.fullmatch(token):
        return None
    found = Share.objects.showing().filter(token=token).select_related("owner", "run").first()
    return Shown(found) if found else None
