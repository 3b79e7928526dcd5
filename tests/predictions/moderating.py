"""What tests of moderation share: a reason, a report, and what the log says."""

from __future__ import annotations

from typing import Any

from accounts.models import ModerationEntry
from predictions import moderation, sharing
from predictions.models import Prediction, Report

WHY = "It shows a person who did not agree to it"


def report_of(run: Prediction, key: str = "one", **values: Any) -> Report:
    shown = sharing.Shown(sharing.share(run.owner, run=run))
    asked = {"reason": "person", "text": "", "reporter": None, "reporter_key": key, **values}
    return moderation.report(shown, run.upload, **asked)


def logged() -> list[tuple[str, str | None, Any, str]]:
    """The log, the oldest entry first: action, moderator, picture, reason."""
    entries = ModerationEntry.objects.select_related("actor").order_by("pk")
    return [
        (entry.action, entry.actor.email if entry.actor else None, entry.picture, entry.reason)
        for entry in entries
    ]
