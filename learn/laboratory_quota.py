"""How much the laboratory keeps and computes for one account, and for the sample pictures together."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from learn.models import Explanation
from predictions import quotas

QueueFull = quotas.QuotaExceeded

MB = 1024**2
IN_FLIGHT = 20
# About sample pictures, of everybody together.
SAMPLES_IN_FLIGHT = 200
# Of those, asked by one account or from one address. A class has one address in common and asks at once.
SAMPLES_OF_ONE = 40
# The last questions of one asker that are remembered, so that those that still wait can be counted.
REMEMBERED = 3 * SAMPLES_OF_ONE
REMEMBERED_SECONDS = 60 * 60
# Rows that are removed in one transaction to make room.
STEP = 50


def check_in_flight(owner: User | None, asker: str = "") -> None:
    """Whether one more may wait. In a transaction, at whose end nobody else has taken the place.

    ``asker`` (``learn.asking_rate.asker``) is who asks about a sample picture; "" counts nobody. Raises QuotaExceeded,
    and GuestGone for a guest who is gone.
    """
    if owner is not None:
        quotas.hold_in_flight(owner)
    if not settings.RATE_LIMITS:
        return
    waiting = Explanation.objects.filter(owner=owner).in_flight().count()
    if owner is None and waiting >= SAMPLES_IN_FLIGHT:
        raise QueueFull(_("Many people are using the laboratory at this moment. Try again in a minute."))
    if owner is None and asker and (own := waiting_of(asker)) >= SAMPLES_OF_ONE:
        raise QueueFull(
            _("%(waiting)d figures that you asked for are still waiting. Ask for more when they are done.")
            % {"waiting": own}
        )
    if owner is not None and waiting >= IN_FLIGHT:
        raise QueueFull(
            _("%(waiting)d of your figures are still waiting. Ask for more when they are done.")
            % {"waiting": waiting}
        )


def remember(asker: str, pk: Any) -> None:
    """Notes that ``asker`` asked this about a sample picture. The rows themselves are everybody's and name nobody."""
    if not (asker and settings.RATE_LIMITS):
        return
    counter = f"laboratory-asked:{asker}"
    cache.add(counter, 0, timeout=REMEMBERED_SECONDS)
    try:
        number = int(cache.incr(counter))
    except ValueError:  # the cache was emptied between the two lines
        number = 1
    cache.set(_place(asker, number), str(pk), timeout=REMEMBERED_SECONDS)


def waiting_of(asker: str) -> int:
    """How many of the questions that ``asker`` is remembered to have asked wait or run.

    A cache that is away or was emptied knows of none, and requests of the same moment do not see each other: then only
    the bound for everybody together holds. Whoever has many addresses is many askers.
    """
    remembered = cache.get_many([_place(asker, number) for number in range(REMEMBERED)])
    return Explanation.objects.of_samples().filter(pk__in=set(remembered.values())).in_flight().count()


def _place(asker: str, number: int) -> str:
    return f"laboratory-asked:{asker}:{number % REMEMBERED}"


def limit(owner_id: int | None) -> int:
    """How many bytes are kept for an account, or for the sample pictures together."""
    megabytes: int = settings.LABORATORY_SAMPLE_MB if owner_id is None else settings.LABORATORY_QUOTA_MB
    return megabytes * MB


def stored(owner_id: int | None) -> int:
    """How many bytes are kept now."""
    rows = Explanation.objects.filter(owner_id=owner_id)
    return rows.aggregate(total=Sum("bytes"))["total"] or 0


def make_room(owner_id: int | None, newest: Any) -> int:
    """Removes what was used least recently until what is kept fits; returns how many rows that were.

    Called in the transaction that wrote ``newest``, the key of a row, which stays. So do those that wait, run or were
    made with the release: if they alone fill the room, there is nothing to be removed.
    """
    if not settings.RATE_LIMITS:
        return 0
    over = stored(owner_id) - limit(owner_id)
    removed = 0
    while over > 0:
        oldest = Explanation.objects.filter(owner_id=owner_id).evictable().exclude(pk=newest)
        rows = list(oldest.values_list("pk", "bytes")[:STEP])
        chosen = []
        for pk, size in rows:
            if over <= 0:
                break
            chosen.append(pk)
            over -= size
        if not chosen:
            break
        # Two workers may make room for the same account at once.
        held = Explanation.objects.filter(pk__in=chosen).lock()
        Explanation.objects.filter(pk__in=held).delete()
        removed += len(chosen)
    return removed
