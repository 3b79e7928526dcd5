from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import app_settings
from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import guests, languages, timezones
from accounts.models import ApiToken, User

# Far more than a person needs, few enough that a script that asks for one at every start is told so.
MAX_TOKENS = 50


PASSWORD_HINT = _("At least 8 characters; not only digits, not a common word, not like your address.")


class SiteWords:
    """The labels of allauth's forms in this site's words, and one short hint about a new password."""

    words: ClassVar[dict[str, Any]] = {
        "login": _("E-mail address"),
        "email": _("E-mail address"),
        "password": _("Password"),
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("New password again"),
    }

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in self.words:
                field.label = self.words[name]
                field.widget.attrs.pop("placeholder", None)
        if "password1" in self.fields:
            self.fields["password1"].help_text = PASSWORD_HINT

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)  # type: ignore[misc]
        if field == "password1":
            # The error says which of the rules was broken; the hint would say it again.
            self[field].help_text = ""  # type: ignore[index]


class LoginForm(SiteWords, allauth_forms.LoginForm):
    pass


class AddEmailForm(SiteWords, allauth_forms.AddEmailForm):
    pass


class ChangePasswordForm(SiteWords, allauth_forms.ChangePasswordForm):
    pass


class SetPasswordForm(SiteWords, allauth_forms.SetPasswordForm):
    pass


class ResetPasswordForm(SiteWords, allauth_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(SiteWords, allauth_forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(SiteWords, allauth_forms.ReauthenticateForm):
    pass


class SignupForm(SiteWords, allauth_forms.SignupForm):
    """allauth's sign-up with the browser's time zone, which nobody has to type and which cannot be wrong."""

    words: ClassVar[dict[str, Any]] = {
        **SiteWords.words,
        "password1": _("Password"),
        "password2": _("Password again"),
    }

    time_zone = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_time_zone(self) -> str:
        return timezones.valid_or_default(self.cleaned_data["time_zone"])

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        super().custom_signup(request, user)
        user.time_zone = self.cleaned_data["time_zone"]
        user.language = languages.chosen(request)
        user.save(update_fields=["time_zone", "language"])

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        guests.hold(request, self.cleaned_data["email"])
        if self.account_already_exists:
            # A new account costs one hash. Without it here the time would tell that there is one.
            make_password(self.cleaned_data["password1"])
            return super().try_save(request)
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            # The same form sent twice at once: the other made the account while this one hashed the password.
            return None, self._made_meanwhile(request)

    def _made_meanwhile(self, request: HttpRequest) -> HttpResponse:
        adapter = get_adapter()
        if app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY:
            return adapter.respond_email_verification_sent(request, None)
        adapter.add_message(request, messages.INFO, message=str(adapter.error_messages["email_taken"]))
        return redirect("account_login")


class TimeZoneForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_field = User._meta.get_field("time_zone")
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            widget=forms.Select(attrs={"translate": "no"}),
            help_text=model_field.help_text,
            choices=timezones.choices(self.instance.time_zone),
            error_messages={"invalid_choice": _("Choose a time zone from the list.")},
        )


class ApiTokenForm(forms.ModelForm):
    """Names a new token of ``owner``."""

    class Meta:
        model = ApiToken
        fields = ["name"]
        labels = {"name": _("Name of the new token")}
        error_messages = {"name": {"required": _("Give the token a name.")}}
        help_texts = {"name": _("Where you will use it, for instance “laptop” or “course notebook”.")}

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if has_all_tokens(self.owner):
            raise forms.ValidationError(too_many_tokens(), code="too_many_tokens")
        return cleaned


def has_all_tokens(owner: User) -> bool:
    """Whether ``owner`` has to revoke a token before making another."""
    return settings.RATE_LIMITS and owner.api_tokens.count() >= MAX_TOKENS


def too_many_tokens() -> str:
    return _("You have %(number)d API tokens. Revoke one on your account page before you make another.") % {
        "number": MAX_TOKENS
    }


class DeleteAccountForm(forms.Form):
    """The password once more, before everything of ``user`` is erased."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password, so that nobody else can delete your account.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."), code="wrong_password")
        return password
