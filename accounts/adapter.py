from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import sessions
from accounts.fields import refuse_guest_domain
from accounts.models import User
from accounts.suspension_views import tell_suspended


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

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """A change of the second factor is always told, also where other changes are not."""
        if not template_prefix.startswith("mfa/"):
            super().send_notification_mail(template_prefix, user, context, email)
            return
        details = {
            "request": self.request,
            "current_site": get_current_site(self.request),
            "timestamp": timezone.now(),
            "browser": sessions.browser_of(self.request.META.get("HTTP_USER_AGENT", "")),
        }
        self.render_mail(template_prefix, user.email, details).send()

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        # Whoever gets here knew the password, or had the passkey: only they are told.
        if isinstance(user, User) and user.suspended is not None:
            return tell_suspended(request, user)
        return super().respond_user_inactive(request, user)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Counted by the account alone, five wrong passwords from anywhere would lock its owner out.
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{self.get_client_ip(request)}"
