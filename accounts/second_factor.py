"""The second factor of an account: an authenticator app or a passkey, and recovery codes. allauth does the work."""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import sessions
from accounts.models import User

logger = logging.getLogger(__name__)

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_set_up(user: Any) -> bool:
    """Whether a password alone does not let anybody into this account. Recovery codes alone are no factor."""
    return bool(
        user.is_authenticated and Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()
    )


def is_missing(request: HttpRequest) -> bool:
    """Whether the one who asks has to set a second factor up before using the admin."""
    if not settings.STAFF_SECOND_FACTOR:
        return False
    # The admin asks several times a page. A factor that was there at the start of a request is enough for it.
    if not hasattr(request, "_second_factor"):
        request._second_factor = is_set_up(request.user)  # type: ignore[attr-defined]
    return not request._second_factor  # type: ignore[attr-defined]


def log_out_elsewhere(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **details: Any
) -> None:
    """Receives allauth's ``authenticator_added``: with the first factor, sessions that began without one end."""
    if authenticator.type not in FACTORS:
        return
    if Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).count() == 1:
        sessions.end_all(user, except_key=request.session.session_key)


class Adapter(DefaultMFAAdapter):
    """allauth's second factor in this site's words, with secrets that a copy of the database does not give away."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": gettext_lazy(
            "Turn the second factor off before you add an address, and set it up again afterwards."
        ),
        "cannot_generate_recovery_codes": gettext_lazy(
            "Set up an authenticator app or a passkey first; recovery codes come with it."
        ),
        "incorrect_code": gettext_lazy(
            "The code is not right, or was used already. Enter the one shown now."
        ),
        "unverified_email": gettext_lazy("Confirm your e-mail address first, then set up a second factor."),
    }

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # Random, so that no code fits: an empty secret would have codes that anybody can compute.
            logger.error("A second factor cannot be read: it was made under another SECRET_KEY.")
            return generate_totp_secret()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Convoscope"}


def _box() -> MultiFernet:
    """Locks with the site's key; opens with that and its predecessors."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"accounts.second_factor:{key}".encode()).digest())
