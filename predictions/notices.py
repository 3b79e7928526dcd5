"""What the account page tells an owner about pictures that moderators withhold or removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models.functions import Now
from django.http import HttpRequest

from accounts.models import ModerationEntry, User
from predictions.models import Upload

REMOVED_TOLD = timedelta(days=30)
MOST = 50

Action = ModerationEntry.Action


@dataclass(frozen=True)
class Notice:
    """One picture: what happened to it, when and why. What is removed for good has no name any more."""

    kind: str
    when: datetime
    reason: str = ""
    filename: str = ""


def account_section(request: HttpRequest) -> tuple[str, dict[str, Any]] | None:
    """For ``accounts.registry``: the pictures that are hidden or held, and those removed within a month."""
    user = cast(User, request.user)
    withheld = Upload.objects.filter(owner=user, hidden__isnull=False).order_by("-hidden", "pk")
    uploads = list(withheld[: MOST + 1])
    entries = ModerationEntry.objects.filter(account=user)
    # Whosever it was then: what a guest's entries are about now belongs to an account.
    hidden = ModerationEntry.objects.filter(picture__in=[upload.pk for upload in uploads], action=Action.HIDE)
    reasons = {entry.picture: entry.reason for entry in hidden.order_by("pk")}
    notices = [
        Notice(
            "held" if upload.held else "hidden",
            upload.hidden,
            "" if upload.held else reasons.get(upload.pk, ""),
            upload.filename,
        )
        for upload in uploads[:MOST]
        if upload.hidden is not None
    ]
    removed = entries.filter(action=Action.REMOVE, created__gt=Now() - REMOVED_TOLD)[:MOST]
    notices += [Notice("removed", entry.created, entry.reason) for entry in removed]
    if not notices:
        return None
    return "accounts/_notices.html", {"notices": notices, "more": len(uploads) > MOST}
