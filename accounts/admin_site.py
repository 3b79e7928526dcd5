"""The admin's door. It stays apart from the site's, and asks for the same second factor."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import app_settings as allauth_settings
from allauth.account.utils import perform_login
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import second_factor


class AdminLoginView(LoginView):
    """Django's, up to the password. From there allauth goes on, which knows what else an account asks for."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return perform_login(
            self.request,
            form.get_user(),
            # An administrator is made on the command line, and nobody there confirms an address.
            email_verification=allauth_settings.EmailVerificationMethod.NONE,
            redirect_url=self.get_success_url(),
        )


class AdminSite(admin.AdminSite):
    """Django's admin, with the second factor of the site."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not second_factor.is_missing(request)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if super().has_permission(request):
            if not second_factor.is_missing(request):
                return redirect(reverse("admin:index", current_app=self.name))
            messages.warning(request, _("The admin asks for a second factor. Set one up here, then go on."))
            return redirect("mfa_index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
        }
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index", current_app=self.name)
        context.update(extra_context or {})
        request.current_app = self.name
        view = AdminLoginView.as_view(
            extra_context=context,
            authentication_form=self.login_form or AdminAuthenticationForm,
            template_name=self.login_template or "admin/login.html",
        )
        return cast(HttpResponse, view(request))
