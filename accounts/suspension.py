"""Suspending accounts, lifting it again, and telling the one it concerns.

A suspended account is inactive, so Django, allauth and the API tokens take it for nobody's from the next request on.
Its sessions end as well. In the place of each stays a note, without a login, so that the page that is still open in a
browser can say what happened; it is gone once it was read.
"""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY as LOGIN_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import guests, registry, sessions
from accounts.models import ModerationEntry, User
from accounts.moderation_log import as_reason

NOTE = "suspended"
CODE = "account_suspended"


class MayNotSuspend(Exception):
    """This account is not to be suspended by this person; the message says why."""


class ReasonMissing(ValueError):
    """A suspension without a reason, which its owner would be told."""

    def __init__(self) -> None:
        super().__init__(_("Give a reason. The account's owner is told it."))


def suspend(actor: User, user: User, reason: str) -> bool:
    """Suspends an account, or a guest, ends its sessions and cancels what it has waiting; logs it.

    False, and nothing changes, if it is suspended already. Raises MayNotSuspend and ReasonMissing.
    """
    reason = as_reason(reason)
    if not reason:
        raise ReasonMissing
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        _check(actor, row)
        changed = row.suspended is None
        if changed:
            if not row.is_active:
                # Lifting it would open an account that somebody closed, or that is being erased.
                raise MayNotSuspend(_("This account is deactivated already. Nobody can log in to it."))
            row.is_active, row.suspended, row.suspension_reason = False, timezone.now(), reason
            row.save(update_fields=["is_active", "suspended", "suspension_reason"])
            _end_sessions(row)
            for stop in registry.suspenders().values():
                stop(row)
            _log(actor, row, ModerationEntry.Action.SUSPEND, reason)
    user.refresh_from_db()
    return changed


def lift(actor: User, user: User, reason: str) -> bool:
    """Makes a suspended account active again, and logs it; what was cancelled meanwhile stays so.

    False, and nothing changes, if it is not suspended. Raises MayNotSuspend.
    """
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        _check(actor, row)
        changed = row.suspended is not None
        if changed:
            row.is_active, row.suspended, row.suspension_reason = True, None, ""
            row.save(update_fields=["is_active", "suspended", "suspension_reason"])
            _log(actor, row, ModerationEntry.Action.LIFT, as_reason(reason))
    user.refresh_from_db()
    return changed


def _check(actor: User, user: User) -> None:
    if actor.pk == user.pk:
        raise MayNotSuspend(_("You cannot suspend your own account."))
    if user.is_superuser and not actor.is_superuser:
        raise MayNotSuspend(_("Only an administrator can suspend an administrator."))


def _log(actor: User, user: User, action: str, reason: str) -> None:
    ModerationEntry.objects.create(actor=actor, account=user, action=action, reason=reason)


# --- telling -----------------------------------------------------------------------------------------------


def says(user: User) -> str:
    """What somebody is told who may know of the suspension: who has the password, the token or the session."""
    return _("This account is suspended. Reason: %(reason)s") % {"reason": user.suspension_reason}


def of(request: HttpRequest) -> User | None:
    """The suspended account that this browser was logged in to, until ``noted``."""
    session = request.session
    # A browser without a session, like most visitors', asks the database nothing.
    if request.user.is_authenticated or session.session_key is None:
        return None
    pk = session.get(NOTE) or session.get(LOGIN_KEY) or session.get(guests.SESSION_KEY)
    return User.objects.filter(pk=pk, suspended__isnull=False).first() if pk is not None else None


def noted(request: HttpRequest) -> None:
    """The notice was shown: from now on this browser is a visitor's."""
    request.session.flush()


def _end_sessions(user: User) -> None:
    keys = list(UserSession.objects.filter(user_id=user.pk).values_list("session_key", flat=True))
    until = dict(Session.objects.filter(pk__in=keys).values_list("pk", "expire_date"))
    sessions.end_all(user)
    note = SessionStore().encode({NOTE: str(user.pk)})
    Session.objects.bulk_create(
        [Session(session_key=key, session_data=note, expire_date=end) for key, end in until.items()],
        ignore_conflicts=True,
    )
