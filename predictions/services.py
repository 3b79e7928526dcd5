"""The verbs that make something: take pictures in, ask networks. What is done with it later: `lifecycle`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from ml import artifact
from ml.artifact import Card
from predictions import removal, tasks
from predictions.corruption import Bar, canonical
from predictions.crop import Crop, CropInvalid, Wanted, canonical_crop, fitted
from predictions.images import PreparedImage
from predictions.inputs import make_inputs, save_inputs
from predictions.models import Batch, Job, Network, Prediction, Upload

QUOTA_BYTES = 2 * 1024**3
QUOTA_PICTURES = 20_000
QUOTA_IN_FLIGHT = 2_000


class QuotaExceeded(Exception):
    """The user has used up what one account may use; the message says which and what to do."""


class NoNetwork(Exception):
    """No network is offered, or not the one asked for."""


@dataclass(frozen=True)
class RejectedPicture:
    """A picture that could not be taken, and why."""

    filename: str
    code: str
    message: str


@dataclass
class Submission:
    """What came of a submission: its batch and, picture by picture, runs or the reason why there are none."""

    batch: Batch
    entries: list[Prediction | RejectedPicture] = field(default_factory=list)

    @property
    def runs(self) -> list[Prediction]:
        return [entry for entry in self.entries if isinstance(entry, Prediction)]


class PictureGone(IntegrityError):
    """A picture that was to be asked about has been removed for good in the meantime."""


def offered() -> list[Card]:
    """The networks that can be asked, the cheapest first, each with the rows that its answers refer to."""
    cards = artifact.cards()
    if {card.name for card in cards} - set(Network.objects.values_list("name", flat=True)):
        Network.synchronise()
    return cards


def chosen(names: Iterable[str]) -> list[Card]:
    """The cards of ``names`` in the order asked, each once; every network offered when there are none.

    Raises NoNetwork with a sentence for a name that is not offered.
    """
    known = {card.name: card for card in offered()}
    wanted = list(dict.fromkeys(names)) or list(known)
    for name in wanted:
        if name not in known:
            options = ", ".join(known) or _("none yet")
            raise NoNetwork(
                _("There is no network %(name)s. There are: %(known)s.")
                % {"name": repr(name), "known": options}
            )
    if not wanted:
        raise NoNetwork(_("No network is ready yet. Try again later."))
    return [known[name] for name in wanted]


# --- taking pictures in ------------------------------------------------------------------------------------


def store(owner: User, picture: PreparedImage) -> Upload:
    """Keeps a prepared picture as a draft. Raises QuotaExceeded."""
    upload = Upload(
        owner=owner,
        filename=picture.filename,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        source_width=picture.source_width,
        source_height=picture.source_height,
        bytes=len(picture.data),
    )
    # The file first: a file without a row is swept, a row without a file would be a broken page.
    upload.file.save(f"picture.{picture.extension}", ContentFile(picture.data), save=False)
    try:
        with transaction.atomic():
            _check_storage(owner, len(picture.data))
            upload.save(force_insert=True)
    except BaseException:
        upload.file.delete(save=False)
        raise
    return upload


def _locked(owner: User) -> None:
    """Serialises the checks of one owner's quotas until the transaction's end: two requests at once must not both
    see the last free place.
    """
    User.objects.select_for_update().filter(pk=owner.pk).values_list("pk", flat=True).first()


def _check_storage(owner: User, more: int) -> None:
    if not settings.RATE_LIMITS:
        return
    _locked(owner)
    mine = Upload.objects.filter(owner=owner)
    if mine.count() >= QUOTA_PICTURES:
        raise QuotaExceeded(
            _("You keep 20,000 pictures, the most an account may. Delete some from your history.")
        )
    if (mine.aggregate(total=Sum("bytes"))["total"] or 0) + more > QUOTA_BYTES:
        raise QuotaExceeded(
            _("Your pictures fill 2 GB, the most an account may. Delete some from your history.")
        )


def _check_in_flight(owner: User, more: int) -> None:
    if not settings.RATE_LIMITS:
        return
    _locked(owner)
    in_flight = [Job.Status.QUEUED, Job.Status.RUNNING]
    waiting = Prediction.objects.of(owner).filter(status__in=in_flight).count()
    if waiting + more > QUOTA_IN_FLIGHT:
        raise QuotaExceeded(
            _("%(waiting)d of your predictions are still waiting. Send more when they are done.")
            % {"waiting": waiting}
        )


# --- asking networks ---------------------------------------------------------------------------------------


def submit(
    owner: User,
    pictures: Sequence[Upload | PreparedImage | RejectedPicture],
    models: Iterable[str] = (),
    bars: tuple[Bar, ...] = (),
    crop: Wanted = None,
    *,
    key: str | None = None,
) -> Submission:
    """Asks the networks called ``models`` about every picture, clean or, with ``bars``, covered and clean.

    ``crop`` is the square of each picture that goes in; without one the networks' own preprocessing decides. A
    picture on which it is not square is rejected. Entries follow the pictures in their order and, within each, the
    networks in theirs; a rejected picture has one entry. With the same ``key`` a second call returns what the first
    one made. Raises QuotaExceeded and NoNetwork, and then nothing is kept.
    """
    if key and (earlier := Batch.objects.filter(owner=owner, key=key).first()):
        if recalled := _recall(earlier):
            return recalled
        # It was deleted since: the same again is meant anew.
        key = None
    cards = chosen(models)
    pictures = fitting(pictures, crop)
    taken = [p for p in pictures if not isinstance(p, RejectedPicture)]
    _check_early(owner, len(taken) * len(cards) * (2 if bars else 1))
    uploads: list[Upload] = []
    mine: list[Upload] = []
    try:
        for picture in taken:
            if isinstance(picture, Upload):
                uploads.append(picture)
            else:
                uploads.append(store(owner, picture))
                mine.append(uploads[-1])
        return _write(owner, pictures, uploads, cards, bars, crop, key)
    except PictureGone:
        _forget(mine)
        raise
    except IntegrityError:
        _forget(mine)
        # The same submission came twice at once and the other one was faster.
        if key and (earlier := Batch.objects.filter(owner=owner, key=key).first()):
            return _recall(earlier) or Submission(earlier)
        raise
    except BaseException:
        _forget(mine)
        raise


def fitting(
    pictures: Sequence[Upload | PreparedImage | RejectedPicture], crop: Wanted
) -> list[Upload | PreparedImage | RejectedPicture]:
    """The pictures, those rejected on which the box would not be square."""
    return [_fitting(picture, crop) for picture in pictures]


def _fitting(
    picture: Upload | PreparedImage | RejectedPicture, crop: Wanted
) -> Upload | PreparedImage | RejectedPicture:
    if isinstance(crop, Crop) and not isinstance(picture, RejectedPicture):
        try:
            fitted(crop, picture.width, picture.height)
        except CropInvalid as error:
            return RejectedPicture(picture.filename, "box_not_square", str(error))
    return picture


def _check_early(owner: User, runs: int) -> None:
    with transaction.atomic():
        _check_in_flight(owner, runs)


def _forget(uploads: list[Upload]) -> None:
    for upload in uploads:
        removal.remove_upload(upload)


def _recall(batch: Batch) -> Submission | None:
    """What an earlier submission made, as far as it was not deleted; None when nothing of it is left."""
    runs = list(batch.predictions.visible().filter(asked=True).with_answers().order_by("position"))
    if not runs and batch.predictions.exists():
        return None
    by_position: dict[int, Prediction | RejectedPicture] = {run.position: run for run in runs}
    for row in batch.rejected:
        by_position[row["position"]] = RejectedPicture(row["filename"], row["code"], row["message"])
    return Submission(batch, [by_position[place] for place in sorted(by_position)])


def _write(
    owner: User,
    pictures: Sequence[Upload | PreparedImage | RejectedPicture],
    uploads: list[Upload],
    cards: list[Card],
    bars: tuple[Bar, ...],
    crop: Wanted,
    key: str | None,
) -> Submission:
    many = len(uploads) > 1
    priority = Job.Priority.BULK if many else Job.Priority.SINGLE
    remaining = iter(uploads)
    inputs = [
        None if isinstance(p, RejectedPicture) else make_inputs(next(remaining), cards, bars, crop)
        for p in pictures
    ]
    remaining = iter(uploads)
    with transaction.atomic():
        _check_in_flight(owner, len(uploads) * len(cards) * (2 if bars else 1))
        # Locked, so that no sweeper takes a picture away while it gets its predictions.
        there = Upload.objects.select_for_update().filter(pk__in=[upload.pk for upload in uploads])
        if len(there.values_list("pk")) < len({upload.pk for upload in uploads}):
            raise PictureGone
        batch = Batch.objects.create(owner=owner, key=key)
        entries: list[Prediction | RejectedPicture] = []
        runs: list[Prediction] = []
        rejected: list[dict[str, Any]] = []
        for picture, made in zip(pictures, inputs, strict=True):
            if isinstance(picture, RejectedPicture):
                rejected.append(
                    {
                        "position": len(entries),
                        "filename": picture.filename,
                        "code": picture.code,
                        "message": picture.message,
                    }
                )
                entries.append(picture)
                continue
            assert made is not None
            upload = next(remaining)
            for card in cards:
                common = {
                    "owner": owner,
                    "upload": upload,
                    "batch": batch,
                    "model_id": card.name,
                    "priority": priority,
                    "position": len(entries),
                    "crop": canonical_crop(made.crop),
                    "search_name": Prediction.search_form(upload.filename),
                }
                clean = Prediction(network_input=made.rows[card.name, False], asked=not bars, **common)
                runs.append(clean)
                if bars:
                    runs.append(
                        Prediction(
                            network_input=made.rows[card.name, True],
                            bars=canonical(bars),
                            covered=True,
                            clean_run=clean,
                            **common,
                        )
                    )
                entries.append(runs[-1])
        if rejected:
            batch.rejected = rejected
            batch.save(update_fields=["rejected"])
        save_inputs(runs)
        Prediction.objects.bulk_create(runs, batch_size=500)
        if runs:
            tasks.predict.delay_on_commit()
    return Submission(batch, entries)
