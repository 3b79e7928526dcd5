"""Pictures that look like one that moderators removed: they are taken in, and wait out of sight for a review.

A picture on which this errs, because two pictures can have one fingerprint, costs its sender the wait and nothing else:
``moderation.release`` lets the networks answer what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.utils.translation import gettext as _

from accounts.models import User
from predictions import moderation, quotas
from predictions.fingerprint import alike
from predictions.images import PreparedImage
from predictions.models import Batch, Prediction, RemovedPicture, Upload

CODE = moderation.HELD_CODE

Other = TypeVar("Other")


def says() -> str:
    """What the sender is told."""
    return _(
        "This picture looks like one that was removed from this site, so a moderator looks at it first. If nothing is "
        "wrong with it, it appears in your history with its answers."
    )


def look_through(uploads: Sequence[Upload]) -> None:
    """Holds those that look like a removed picture, in the transaction that takes them in."""
    marks = {upload.fingerprint for upload in uploads if upload.fingerprint}
    if not marks:
        return
    found = alike(marks, RemovedPicture.objects.order_by().values_list("fingerprint", flat=True))
    for upload in uploads:
        if upload.fingerprint in found:
            moderation.hold(upload)


def already(owner: User, pictures: Sequence[PreparedImage | Other]) -> dict[int, Upload]:
    """Which of the pictures (by their place) are held of this owner already: sent again they are the same one."""
    marks = {one.fingerprint for one in pictures if isinstance(one, PreparedImage) and one.fingerprint}
    if not marks:
        return {}
    rows = Upload.objects.filter(owner=owner, held=True, fingerprint__in=marks).order_by("-created")
    there = {(row.fingerprint, row.width, row.height, row.bytes): row for row in rows}
    places = {}
    for place, one in enumerate(pictures):
        if isinstance(one, PreparedImage):
            row = there.get((one.fingerprint, one.width, one.height, len(one.data)))
            if row is not None:
                places[place] = row
    return places


def instead(owner: User, pictures: Sequence[PreparedImage | Other]) -> list[PreparedImage | Upload | Other]:
    """The pictures, each that is held of this owner already as the upload that it is."""
    known = already(owner, pictures)
    return [known.get(place, one) for place, one in enumerate(pictures)]


def check_room(owner: User, more: int) -> None:
    """Whether ``more`` runs may wait for a review. Raises QuotaExceeded."""
    waiting = Prediction.objects.filter(owner=owner, upload__held=True).in_flight().count()
    if waiting + more > quotas.QUOTA_IN_FLIGHT:
        raise quotas.QuotaExceeded(
            _("%(waiting)d of your predictions wait for a moderator. Send more when they were looked at.")
            % {"waiting": waiting}
        )


def is_deleted(batch: Batch) -> bool:
    """Whether a batch of which nothing can be seen had pictures that are there no more, or not to be seen."""
    return batch.predictions.exclude(upload__held=True).exists()
