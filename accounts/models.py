from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import timezones
from accounts.exports import DataExport
from accounts.fields import NormalisedEmailField, refuse_guest_domain
from accounts.moderation_log import REASON_LENGTH, ModerationEntry

__all__ = ["ApiToken", "DataExport", "ModerationEntry", "User", "UserManager", "digest_of"]


class UserManager(BaseUserManager["User"]):
    """Makes users from an e-mail address and a password; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """An ordinary account. Without a password nobody can log in to it until one is set."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """An account that may do everything in the admin."""
        extra.update(is_staff=True, is_superuser=True)
        return self.create_user(email, password, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by one e-mail address, or for a day a guest without an account: see ``accounts.guests``."""

    email = NormalisedEmailField(
        _("e-mail address"),
        max_length=254,
        unique=True,
        validators=[refuse_guest_domain],
        error_messages={"unique": _("There is an account with this e-mail address already.")},
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default=timezones.DEFAULT,
        validators=[timezones.validate],
        help_text=_("Dates on the pages and in their filters are in this zone."),
    )
    # Chosen in the footer; empty for whoever leaves it to the browser.
    language = models.CharField(
        _("language"), max_length=12, blank=True, default="", db_default="", editable=False
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("An inactive account can neither log in nor use its API tokens."),
    )
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May log in to the admin."))
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    is_guest = models.BooleanField(
        _("guest"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Tries the site without an account."),
    )
    # A guest may do nothing after it, and is erased soon.
    guest_until = models.DateTimeField(_("guest until"), null=True, editable=False)
    # How much a guest has used of what may be tried; what that is, the apps know.
    trials = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Of an account that a moderator suspended: it is inactive, and at its login it is told why.
    suspended = models.DateTimeField(_("suspended"), null=True, blank=True, editable=False)
    suspension_reason = models.CharField(
        _("reason of the suspension"), max_length=REASON_LENGTH, blank=True, db_default="", editable=False
    )
    # When an account that its owner deleted is erased. Until then it can be kept after all.
    deletion_due = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("suspend_user", _("Can suspend accounts and lift suspensions"))]
        constraints = [
            # With the unique index this makes addresses unique whatever their case, whichever way they come.
            models.CheckConstraint(
                condition=Q(email=Lower("email")),
                name="accounts_user_email_lower_case",
                violation_error_message=_("Write the e-mail address in lower case."),
            ),
            models.CheckConstraint(
                condition=Q(is_guest=False, guest_until=None)
                | Q(is_guest=True, guest_until__isnull=False, is_staff=False, is_superuser=False),
                name="accounts_user_guest_is_temporary",
                violation_error_message=_("A guest ends after a day and has no rights."),
            ),
            models.CheckConstraint(
                condition=Q(suspended__isnull=True) | Q(is_active=False),
                name="accounts_user_suspended_is_inactive",
                violation_error_message=_("A suspended account is inactive."),
            ),
        ]
        indexes = [
            models.Index(fields=["guest_until"], name="accounts_user_guests", condition=Q(is_guest=True)),
            models.Index(
                fields=["deletion_due"],
                name="accounts_user_deletions",
                condition=Q(deletion_due__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.email


KEY_PREFIX = "cvs_"
KEY_BYTES = 32
SHOWN_CHARACTERS = 10
LAST_USED_RESOLUTION = timedelta(minutes=1)


def digest_of(key: str) -> str:
    """What is stored of a key.

    A plain hash is enough here: a key has 256 random bits, so there is nothing to guess as with a password.
    """
    return hashlib.sha256(key.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def issue(self, owner: User, name: str) -> tuple[ApiToken, str]:
        """Makes a token and returns it with its key, which cannot be read again."""
        if owner.is_guest:
            raise ValueError("A guest has no API tokens.")
        key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        token = self.create(owner=owner, name=name, prefix=key[:SHOWN_CHARACTERS], digest=digest_of(key))
        return token, key

    def find(self, key: str) -> ApiToken | None:
        """The token with this key, if any. Looking up a hash leaks nothing about the key by time."""
        return self.select_related("owner").filter(digest=digest_of(key)).first()

    def touch(self, token: ApiToken) -> None:
        """Notes that a token was used, at most once a minute, so that reading does not mean writing."""
        now = timezone.now()
        stale = now - LAST_USED_RESOLUTION
        if token.last_used is not None and token.last_used > stale:
            return
        unused = Q(last_used=None) | Q(last_used__lte=stale)
        if self.filter(unused, pk=token.pk).update(last_used=now):
            token.last_used = now


class ApiToken(models.Model):
    """A named key with which a program acts for its owner. Deleting the row revokes it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=SHOWN_CHARACTERS, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
