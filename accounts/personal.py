"""What this app itself knows about a person, for the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q

from accounts import exports, guests
from accounts.models import ApiToken, ModerationEntry

if TYPE_CHECKING:
    from accounts.models import User

PIECE = 500
ERASED = "–"


def export(user: User) -> dict[str, Any]:
    """The account and everything about it that is no picture and no answer."""
    return {
        "email": user.email,
        "email_addresses": [
            {"email": address.email, "primary": address.primary, "confirmed": address.verified}
            for address in EmailAddress.objects.filter(user=user).order_by("pk")
        ],
        "time_zone": user.time_zone,
        "language": user.language,
        "created": user.created.isoformat(),
        "last_login": user.last_login.isoformat() if user.last_login else None,
        "api_tokens": [
            {
                "name": token.name,
                "begins_with": token.prefix,
                "created": token.created.isoformat(),
                "last_used": token.last_used.isoformat() if token.last_used else None,
            }
            for token in ApiToken.objects.filter(owner=user)
        ],
        "second_factors": list(_second_factors(user)),
        "sessions": [
            {
                "address": session.ip,
                "browser": session.user_agent,
                "created": session.created_at.isoformat(),
                "last_seen": session.last_seen_at.isoformat(),
            }
            for session in UserSession.objects.filter(user=user).order_by("pk")
        ],
        "failed_logins": [
            {
                "address": one.ip_address,
                "time": one.attempt_time.isoformat(),
                "failures": one.failures_since_start,
            }
            for one in AccessAttempt.objects.filter(username=user.email).order_by("pk")
        ],
        "archives": [
            {"asked": one.created.isoformat(), "status": str(one.status)}
            for one in exports.DataExport.objects.filter(owner=user)
        ],
        # Not who decided: moderators are people, too.
        "moderation": [
            {
                "action": str(entry.action),
                "picture": str(entry.picture) if entry.picture else None,
                "reason": entry.reason,
                "time": entry.created.isoformat(),
            }
            for entry in ModerationEntry.objects.filter(account=user)
        ],
    }


def _second_factors(user: User) -> Iterator[dict[str, Any]]:
    """Of which kinds, and not their secrets."""
    if not apps.is_installed("allauth.mfa"):
        return
    for one in apps.get_model("mfa", "Authenticator").objects.filter(user=user).order_by("pk"):
        yield {
            "kind": one.type,
            "created": one.created_at.isoformat(),
            "last_used": one.last_used_at.isoformat() if one.last_used_at else None,
        }


def erase(user: User) -> None:
    """Removes what does not go with the account's row; may be called twice."""
    if user.is_guest:
        # They come and go by the hundred, and have nothing of all this.
        return
    exports.forget(user)
    tokens = ApiToken.objects.filter(owner=user)
    forget_in_admin_log(ApiToken, list(tokens.values_list("pk", flat=True)))
    tokens.delete()
    addresses = list(EmailAddress.objects.filter(user=user).values_list("email", flat=True))
    _forget_in_admin_log(Q(content_type=ContentType.objects.get_for_model(user), object_id=str(user.pk)))
    for email in {user.email, *addresses}:
        for model in (AccessAttempt, AccessFailureLog, AccessLog):
            model.objects.filter(username__iexact=email).delete()
        _forget_in_admin_log(Q(object_repr__iexact=email) | Q(change_message__icontains=f'"{email}"'))
    _erase_sessions(user)


def forget_in_admin_log(model: Any, ids: list[Any]) -> None:
    """Takes the names of things that are erased out of the admin's log. That somebody did something to them stays."""
    kind = ContentType.objects.get_for_model(model)
    for start in range(0, len(ids), PIECE):
        piece = [str(pk) for pk in ids[start : start + PIECE]]
        _forget_in_admin_log(Q(content_type=kind, object_id__in=piece))


def _forget_in_admin_log(of_whom: Q) -> None:
    LogEntry.objects.filter(of_whom).update(object_id=None, object_repr=ERASED, change_message="")


def _erase_sessions(user: User) -> None:
    """Every session of the account, those included that no row of ``UserSession`` names, and what others note of it."""
    last = ""
    while True:
        piece = list(Session.objects.filter(session_key__gt=last).order_by("session_key")[:PIECE])
        for session in piece:
            data = session.get_decoded()
            if data.get("_auth_user_id") == str(user.pk):
                session.delete()
            elif (data.get(guests.SIGN_UP_KEY) or {}).get("email") == user.email:
                # A guest who has signed up for this account, and has not confirmed it in that browser.
                del data[guests.SIGN_UP_KEY]
                session.session_data = Session.objects.encode(data)
                session.save(update_fields=["session_data"])
        if len(piece) < PIECE:
            return
        last = piece[-1].session_key
