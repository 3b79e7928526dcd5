"""How much the laboratory keeps and computes for one account, and for the sample pictures together."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from learn.models import Explanation
from predictions import quotas

QueueFull = quotas.QuotaExceeded

MB = 1024**2
IN_FLIGHT = 20
# About sample pictures, of everybody together: visitors have no name under which they could be counted.
SAMPLES_IN_FLIGHT = 200
# Rows that are removed in one transaction to make room.
STEP = 50


def check_in_flight(owner: User | None) -> None:
    """Whether one more may wait. In a transaction, at whose end nobody else has taken the place.

    Raises QuotaExceeded, and GuestGone for a guest who is gone.
    """
    if owner is not None:
        quotas.hold_in_flight(owner)
    if not settings.RATE_LIMITS:
        return
    waiting = Explanation.objects.filter(owner=owner).in_flight().count()
    if owner is None and waiting >= SAMPLES_IN_FLIGHT:
        raise QueueFull(_("Many people are using the laboratory at this moment. Try again in a minute."))
    if owner is not None and waiting >= IN_FLIGHT:
        raise QueueFull(
            _("%(waiting)d of your figures are still waiting. Ask for more when they are done.")
            % {"waiting": waiting}
        )


def limit(owner_id: int | None) -> int:
    """How many bytes are kept for an account, or for the sample pictures together."""
    megabytes: int = settings.LABORATORY_SAMPLE_MB if owner_id is None else settings.LABORATORY_QUOTA_MB
    return megabytes * MB


def stored(owner_id: int | None) -> int:
    """How many bytes are kept now."""
    rows = Explanation.objects.filter(owner_id=owner_id)
    return rows.aggregate(total=Sum("bytes"))["total"] or 0


def make_room(owner_id: int | None, more: int) -> int:
    """Removes what was used least recently until ``more`` bytes fit; returns how many rows that were.

    What waits, runs or was made with the release stays: if that alone fills the room, there is nothing to be removed.
    """
    if not settings.RATE_LIMITS:
        return 0
    over = stored(owner_id) + more - limit(owner_id)
    removed = 0
    while over > 0:
        oldest = Explanation.objects.filter(owner_id=owner_id).evictable()
        rows = list(oldest.values_list("pk", "bytes")[:STEP])
        chosen = []
        for pk, size in rows:
            if over <= 0:
                break
            chosen.append(pk)
            over -= size
        if not chosen:
            break
        Explanation.objects.filter(pk__in=chosen).delete()
        removed += len(chosen)
    return removed
