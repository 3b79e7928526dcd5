"""How much one account may keep and have waiting, and what a guest may try without one."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.guests import GuestGone
from accounts.models import User
from predictions.models import Prediction, Upload

QUOTA_BYTES = 2 * 1024**3
QUOTA_PICTURES = 20_000
QUOTA_IN_FLIGHT = 2_000

# Pictures taken in count, asked about or not, and deleted ones too: asking again about one costs nothing.
GUEST_PICTURES = 5
# With the site's own, which are not among the five.
GUEST_KEPT = 60
GUEST_IN_FLIGHT = 100


class QuotaExceeded(Exception):
    """The user has used up what one account may use; the message says which and what to do."""

    code = "quota"


class TrialOver(QuotaExceeded):
    """The guest has tried as many pictures as one may without an account."""

    code = "trial_over"


class AccountSuspended(QuotaExceeded):
    """A moderator suspended the account while its request was under way."""

    code = "account_suspended"


class Trial(NamedTuple):
    """What a visitor without an account may still do."""

    left: int
    most: int

    @property
    def says(self) -> str:
        return ngettext(
            "%(left)d of %(most)d picture left", "%(left)d of %(most)d pictures left", self.most
        ) % {
            "left": self.left,
            "most": self.most,
        }


def trial(visitor: Any) -> Trial | None:
    """The trial of a guest, or of somebody who may become one; None for an account."""
    if not visitor.is_authenticated:
        return Trial(GUEST_PICTURES, GUEST_PICTURES)
    if not visitor.is_guest:
        return None
    used = User.objects.filter(pk=visitor.pk).values_list("trials", flat=True).first() or 0
    return Trial(max(0, GUEST_PICTURES - used), GUEST_PICTURES)


# --- pictures ----------------------------------------------------------------------------------------------


def check_early(owner: User, pictures: int, runs: int) -> None:
    """Whether so many new pictures and runs may come, before any work is done for them. In a transaction."""
    check_in_flight(owner, runs)
    check_trial(owner, pictures)


def check_trial(visitor: Any, pictures: int) -> None:
    """Whether a visitor without an account may try so many more pictures; an account always may."""
    left = trial(visitor)
    if settings.RATE_LIMITS and left is not None and pictures > left.left:
        raise TrialOver(_more_than(left, pictures))


def take(owner: User, more: int, pictures: int = 1, *, counts: bool = True) -> None:
    """Counts pictures of ``more`` bytes together that are about to be kept, in the same transaction.

    Those that do not count as tried by a guest are bounded all the same.
    """
    if owner.is_guest:
        _take_trial(owner, pictures if counts else 0)
        if settings.RATE_LIMITS and Upload.objects.filter(owner=owner).count() + pictures > GUEST_KEPT:
            raise TrialOver(
                _("You have looked at many pictures without an account. Sign up or log in to go on.")
            )
    elif settings.RATE_LIMITS:
        _check_storage(owner, more, pictures)


def give_back(owner: User, pictures: int) -> None:
    """Takes the counting of pictures back, which were not kept in the end."""
    if owner.is_guest:
        User.objects.filter(pk=owner.pk).update(trials=Greatest(F("trials") - pictures, 0))


def _take_trial(guest: User, pictures: int) -> None:
    # One statement, so that two requests at once do not both take the last picture.
    there = User.objects.filter(pk=guest.pk, is_active=True)
    free = there.filter(trials__lte=GUEST_PICTURES - pictures) if settings.RATE_LIMITS else there
    if free.update(trials=F("trials") + pictures):
        return
    if not there.exists():
        raise GuestGone
    raise TrialOver(_more_than(trial(guest) or Trial(0, GUEST_PICTURES), pictures))


def _more_than(left: Trial, pictures: int) -> str:
    if not left.left:
        return _(
            "You have tried %(most)d pictures, as many as one can without an account. Sign up or log in to send more; "
            "the ones you have are kept for 24 hours."
        ) % {"most": left.most}
    says = ngettext(
        "Without an account you can try %(left)d more picture, and these are %(pictures)d. Choose fewer, or sign up.",
        "Without an account you can try %(left)d more pictures, and these are %(pictures)d. Choose fewer, or sign up.",
        left.left,
    )
    return says % {"left": left.left, "pictures": pictures}


def _check_storage(owner: User, more: int, pictures: int) -> None:
    _lock(owner)
    mine = Upload.objects.kept().filter(owner=owner)
    if mine.count() + pictures > QUOTA_PICTURES:
        raise QuotaExceeded(
            _("You keep 20,000 pictures, the most an account may. Delete some from your history.")
        )
    if (mine.aggregate(total=Sum("bytes"))["total"] or 0) + more > QUOTA_BYTES:
        raise QuotaExceeded(
            _("Your pictures fill 2 GB, the most an account may. Delete some from your history.")
        )


# --- runs --------------------------------------------------------------------------------------------------


def hold_in_flight(owner: User) -> None:
    """Lets nobody else add to what the owner has waiting until the end of the transaction, for who counts first."""
    if settings.RATE_LIMITS or owner.is_guest:
        _lock(owner)


def check_in_flight(owner: User, more: int) -> None:
    """Whether ``more`` runs may wait beside those that do, until the end of the transaction."""
    hold_in_flight(owner)
    if not settings.RATE_LIMITS:
        return
    waiting = Prediction.objects.of(owner).in_flight().count()
    if waiting + more > (GUEST_IN_FLIGHT if owner.is_guest else QUOTA_IN_FLIGHT):
        raise QuotaExceeded(
            _("%(waiting)d of your predictions are still waiting. Send more when they are done.")
            % {"waiting": waiting}
        )


def _lock(owner: User) -> None:
    """Serialises the checks of one owner's quotas until the transaction's end: two requests at once must not both
    see the last free place. A guest may be gone, merged or erased, which waits for the lock as well.
    """
    there = User.objects.select_for_update().filter(pk=owner.pk)
    active = there.values_list("is_active", flat=True).first()
    if owner.is_guest and not active:
        raise GuestGone
    if active is False:
        raise AccountSuspended(_("This account is suspended or closed. Reload the page."))
