"""The verbs that make something: take pictures in, ask networks. What is done with it later: `lifecycle`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from ml import artifact
from ml.artifact import Card
from predictions import held, quotas, removal, tasks
from predictions.corruption import Bar, canonical
from predictions.crop import AUTO, Crop, CropInvalid, Wanted, canonical_crop, fitted
from predictions.images import PreparedImage
from predictions.inputs import Inputs, make_inputs, save_inputs
from predictions.jobs import CLAIM
from predictions.models import Batch, Job, Network, Prediction, Upload
from predictions.threads import each

QuotaExceeded = quotas.QuotaExceeded


class NoNetwork(Exception):
    """No network is offered, or not the one asked for."""


class KeyReused(Exception):
    """The key of a submission stands for another one; the message says what to do."""


@dataclass(frozen=True)
class RejectedPicture:
    """A picture that could not be taken, and why."""

    filename: str
    code: str
    message: str

    def row(self, position: int) -> dict[str, Any]:
        """As its batch keeps it."""
        return {"position": position, **asdict(self)}


@dataclass
class Submission:
    """What came of a submission: its batch and, picture by picture, runs or the reason why there are none."""

    batch: Batch
    entries: list[Prediction | RejectedPicture] = field(default_factory=list)
    # Whether an earlier submission with the same key made it.
    repeated: bool = False

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


def draft(owner: User, picture: PreparedImage, *, ours: bool = False) -> Upload | RejectedPicture:
    """Keeps a prepared picture as a draft. One of the site's own (``ours``) is not among a guest's five.

    A picture that is held for review is rejected; the networks are asked about it when it is released. Raises
    QuotaExceeded.
    """
    upload = None if ours else held.already(owner, [picture]).get(0)
    if upload is None:
        upload = store(owner, picture, counts=not ours)
        if not upload.held:
            return upload
        with suppress(QuotaExceeded, NoNetwork):
            submit(owner, [upload], crop=AUTO)
    return RejectedPicture(picture.filename, held.CODE, held.says())


def store(owner: User, picture: PreparedImage, *, counts: bool = True) -> Upload:
    """Keeps a prepared picture as a draft; ``counts`` says whether as one of a guest's five. Raises QuotaExceeded."""
    return store_all(owner, [picture], counts=counts)[0]


def store_all(owner: User, pictures: Sequence[PreparedImage], *, counts: bool = True) -> list[Upload]:
    """Keeps prepared pictures as drafts, all of them or none; holds those for review that look like removed ones.

    What does not count is the site's own, and needs no review. Raises QuotaExceeded.
    """
    if not pictures:
        return []
    uploads = [
        Upload(
            owner=owner,
            filename=picture.filename,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            source_width=picture.source_width,
            source_height=picture.source_height,
            bytes=len(picture.data),
            fingerprint=picture.fingerprint,
        )
        for picture in pictures
    ]
    try:
        # The files first: a file without a row is swept, a row without a file would be a broken page.
        each(_write_file, list(zip(uploads, pictures, strict=True)))
        with transaction.atomic():
            kept = sum(upload.bytes for upload in uploads)
            quotas.take(owner, kept, len(uploads), counts=counts)
            Upload.objects.bulk_create(uploads, batch_size=500)
            if counts:
                held.look_through(uploads)
    except BaseException:
        removal.delete_files([upload.file.name or "" for upload in uploads])
        raise
    return uploads


def _write_file(one: tuple[Upload, PreparedImage]) -> None:
    upload, picture = one
    upload.file.save(f"picture.{picture.extension}", ContentFile(picture.data), save=False)


# --- asking networks ---------------------------------------------------------------------------------------


def check_early(visitor: Any, pictures: int, runs: int) -> None:
    """Whether so many new pictures and runs may come, before they are read. Raises QuotaExceeded.

    ``visitor`` may still be nobody, whose first picture makes a guest of them.
    """
    if not visitor.is_authenticated:
        return quotas.check_trial(visitor, pictures)
    with transaction.atomic():
        return quotas.check_early(visitor, pictures, runs)


def submit(
    owner: User,
    pictures: Sequence[Upload | PreparedImage | RejectedPicture],
    models: Iterable[str] = (),
    bars: tuple[Bar, ...] = (),
    crop: Wanted = None,
    *,
    key: str | None = None,
    fingerprint: str = "",
) -> Submission:
    """Asks the networks called ``models`` about every picture, clean or, with ``bars``, covered and clean.

    ``crop`` is the square of each picture that goes in; without one the networks' own preprocessing decides. A
    picture on which it is not square is rejected. Entries follow the pictures in their order and, within each, the
    networks in theirs; a rejected picture has one entry. So has one that is held for review, whose runs wait out of
    sight until it is released. With the same ``key`` a second call returns what the first
    one made; ``fingerprint`` says what both must have asked for. Raises QuotaExceeded, NoNetwork and KeyReused, and
    then nothing is kept.
    """
    if key and (earlier := recall(owner, key, fingerprint)):
        return earlier
    cards = chosen(models)
    pictures = fitting(pictures, crop)
    names = [picture.filename for picture in pictures]
    pictures = held.instead(owner, pictures)
    taken = [p for p in pictures if not isinstance(p, RejectedPicture)]
    new = sum(isinstance(picture, PreparedImage) for picture in taken)
    check_early(owner, new, len(taken) * len(cards) * (2 if bars else 1))
    mine: list[Upload] = []
    try:
        mine = store_all(owner, [picture for picture in taken if isinstance(picture, PreparedImage)])
        fresh = iter(mine)
        uploads = [picture if isinstance(picture, Upload) else next(fresh) for picture in taken]
        return _write(owner, pictures, names, uploads, cards, bars, crop, (key, fingerprint))
    except PictureGone:
        _forget(mine)
        raise
    except IntegrityError:
        _forget(mine)
        # The same submission came twice at once and the other one was faster.
        if key and (earlier := recall(owner, key, fingerprint)):
            return earlier
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


def _forget(uploads: list[Upload]) -> None:
    for upload in uploads:
        removal.remove_upload(upload)
        quotas.give_back(upload.owner, 1)


def recall(owner: User, key: str, fingerprint: str = "") -> Submission | None:
    """What the owner's earlier submission with this key made; None when there was none, or nothing of it is left.

    Raises KeyReused when it asked for something else.
    """
    batch = Batch.objects.filter(owner=owner, key=key).first()
    if batch is None:
        return None
    earlier = _recall(batch)
    if earlier is None:
        # It was deleted since: the same again is meant anew, and the key is free for it.
        Batch.objects.filter(pk=batch.pk).update(key=None)
    elif fingerprint and batch.fingerprint != fingerprint:
        raise KeyReused(
            _("This key was used for another request. Use a new key, or send what was sent with it before.")
        )
    return earlier


def _recall(batch: Batch) -> Submission | None:
    """What an earlier submission made, as far as it was not deleted; None when nothing of it is left."""
    runs = list(batch.predictions.visible().filter(asked=True).with_answers().order_by("position"))
    if not runs and held.is_deleted(batch):
        return None
    by_position: dict[int, Prediction | RejectedPicture] = {run.position: run for run in runs}
    for row in batch.rejected:
        by_position[row["position"]] = RejectedPicture(row["filename"], row["code"], row["message"])
    return Submission(batch, [by_position[place] for place in sorted(by_position)], repeated=True)


def _inputs(
    pictures: Sequence[Upload | PreparedImage | RejectedPicture],
    uploads: list[Upload],
    cards: list[Card],
    bars: tuple[Bar, ...],
    crop: Wanted,
) -> list[Inputs | None]:
    """What the networks see of each picture, None of the rejected ones. New pictures are shrunk several at a time."""
    remaining = iter(uploads)
    pairs = [(p, None if isinstance(p, RejectedPicture) else next(remaining)) for p in pictures]

    def of_new(pair: tuple[PreparedImage, Upload]) -> Inputs:
        return make_inputs(pair[1], cards, bars, crop, pair[0].data)

    fresh = iter(
        each(of_new, [(p, upload) for p, upload in pairs if upload and isinstance(p, PreparedImage)])
    )
    inputs: list[Inputs | None] = []
    for picture, upload in pairs:
        if upload is None:
            inputs.append(None)
        elif isinstance(picture, PreparedImage):
            inputs.append(next(fresh))
        else:
            inputs.append(make_inputs(upload, cards, bars, crop))
    return inputs


def _write(
    owner: User,
    pictures: Sequence[Upload | PreparedImage | RejectedPicture],
    names: list[str],
    uploads: list[Upload],
    cards: list[Card],
    bars: tuple[Bar, ...],
    crop: Wanted,
    identity: tuple[str | None, str],
) -> Submission:
    inputs = _inputs(pictures, uploads, cards, bars, crop)
    taken = [picture for picture in pictures if not isinstance(picture, RejectedPicture)]
    remaining = iter(uploads)
    runs_each = len(cards) * (2 if bars else 1)
    with transaction.atomic():
        quotas.check_in_flight(owner, len(uploads) * runs_each)
        waiting = _lock(uploads)
        if waiting:
            held.check_room(owner, sum(upload.pk in waiting for upload in uploads) * runs_each)
        batch = Batch.objects.create(owner=owner, key=identity[0], fingerprint=identity[1])
        common = {"owner": owner, "batch": batch, "priority": _priority(owner, len(uploads))}
        entries: list[Prediction | RejectedPicture] = []
        runs: list[Prediction] = []
        place = 0
        for picture, name, made in zip(pictures, names, inputs, strict=True):
            if isinstance(picture, RejectedPicture):
                batch.rejected.append(picture.row(place))
                entries.append(picture)
                place += 1
                continue
            assert made is not None
            upload = next(remaining)
            out_of_sight = {"deleted": upload.hidden} if upload.pk in waiting else {}
            asked = [
                _runs(upload, card, made, bars, position=place + number, **common, **out_of_sight)
                for number, card in enumerate(cards)
            ]
            runs += chain(*asked)
            if out_of_sight:
                refusal = RejectedPicture(name, held.CODE, held.says())
                batch.rejected.append({**refusal.row(place), "upload": str(upload.pk)})
                entries.append(refusal)
            else:
                entries += [of_network[-1] for of_network in asked]
            place += len(cards)
        if batch.rejected:
            batch.save(update_fields=["rejected"])
        save_inputs(runs, {u.pk for p, u in zip(taken, uploads, strict=True) if isinstance(p, PreparedImage)})
        Prediction.objects.bulk_create(runs, batch_size=500)
        if runs:
            tasks.predict.delay_on_commit()
    return Submission(batch, entries)


def _lock(uploads: list[Upload]) -> set[Any]:
    """Locks the uploads, so that neither a sweeper nor a moderator takes one away while it gets its predictions.

    Returns the keys of those that are held for review, and were when they were sent. Raises PictureGone.
    """
    rows = Upload.objects.kept().select_for_update().filter(pk__in=[upload.pk for upload in uploads])
    rows = rows.order_by("pk")  # as everybody locks several
    there = {pk: (hidden, waits) for pk, hidden, waits in rows.values_list("pk", "hidden", "held")}
    waiting = {upload.pk for upload in uploads if upload.held and there.get(upload.pk, ("", False))[1]}
    if any(u.pk not in there or (there[u.pk][0] and u.pk not in waiting) for u in uploads):
        raise PictureGone
    return waiting


def _runs(upload: Upload, card: Card, made: Inputs, bars: tuple[Bar, ...], **common: Any) -> list[Prediction]:
    """The runs of one network on one picture; the last one is what was asked for."""
    common |= {
        "upload": upload,
        "model_id": card.name,
        "crop": canonical_crop(made.crop),
        "search_name": Prediction.search_form(upload.filename),
    }
    clean = Prediction(network_input=made.rows[card.name, False], asked=not bars, **common)
    if not bars:
        return [clean]
    of_bars = {"bars": canonical(bars), "covered": True, "clean_run": clean}
    return [clean, Prediction(network_input=made.rows[card.name, True], **of_bars, **common)]


def _priority(owner: User, pictures: int) -> int:
    """A picture that came alone goes before many at once, unless its owner sends one after the other without waiting:
    beyond what a worker takes at once, that is many too.
    """
    alone = Prediction.objects.of(owner).filter(status=Job.Status.QUEUED, priority=Job.Priority.SINGLE)
    if pictures > 1 or alone.order_by()[:CLAIM].count() == CLAIM:
        return Job.Priority.BULK
    return Job.Priority.SINGLE
