from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.fields import refuse_guest_domain
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """allauth, in this site's words and with this site's limits."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_taken": _(
            "There is an account with this e-mail address already. Log in, or reset its password."
        ),
        "email_password_mismatch": _("The e-mail address or the password is not right."),
        "too_many_login_attempts": _("Too many failed attempts. Wait a few minutes and try again."),
    }

    def clean_email(self, email: str) -> str:
        # allauth's forms accept longer ones, and its sign-up would cut them off and go on.
        MaxLengthValidator(User._meta.get_field("email").max_length)(email)
        refuse_guest_domain(email)
        return super().clean_email(email)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Counted by the account alone, five wrong passwords from anywhere would lock its owner out.
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"
