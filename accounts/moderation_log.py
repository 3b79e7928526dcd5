"""What moderators did, in a log that only grows."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = 500


def as_reason(words: str) -> str:
    """A reason as it is kept and told: without blanks around it, and never too long for its column."""
    return words.replace("\0", "").strip()[:REASON_LENGTH]


class LogIsAppendOnly(TypeError):
    """Somebody tried to change or remove what was logged."""


class ModerationEntryQuerySet(models.QuerySet["ModerationEntry"]):
    def update(self, **values: Any) -> NoReturn:
        raise LogIsAppendOnly("The moderation log is never changed.")

    def delete(self) -> NoReturn:
        raise LogIsAppendOnly("The moderation log is never shortened.")


class ModerationEntry(models.Model):
    """One thing that a moderator, or the site itself (``actor`` null), did to a picture, a report or an account.

    It outlives what it speaks of, so pictures and reports are named by their ids alone. When an account is erased the
    database sets the entry's ``account`` or ``actor`` to null: what happened stays, of whom it was does not.
    """

    class Action(models.TextChoices):
        HIDE = "hide", _("hidden everywhere")
        SHOW = "show", _("shown again")
        REMOVE = "remove", _("removed for good")
        DISMISS = "dismiss", _("report dismissed")
        HOLD = "hold", _("held for review")
        RELEASE = "release", _("released after review")
        SUSPEND = "suspend", _("account suspended")
        LIFT = "lift", _("suspension lifted")

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("moderator"),
    )
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="moderation_entries",
        verbose_name=_("account"),
    )
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    picture = models.UUIDField(_("picture"), null=True, blank=True, db_index=True)
    report = models.UUIDField(_("report"), null=True, blank=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)
    created = models.DateTimeField(_("time"), db_default=Now(), editable=False, db_index=True)

    objects = ModerationEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("moderation log entry")
        verbose_name_plural = _("moderation log entries")
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return f"{self.get_action_display()}, {self.picture or self.account_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LogIsAppendOnly("The moderation log is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LogIsAppendOnly("The moderation log is never shortened.")
