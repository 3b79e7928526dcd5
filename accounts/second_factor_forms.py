"""allauth's forms of the second factor, in this site's words and without a crash for whatever is sent."""

from __future__ import annotations

from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as code_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as app_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NAME_LENGTH = 60


class CodeWords:
    """The one field of a form for codes."""

    label: Any = _("Code from your app, or a recovery code")

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = self.label
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs.update(inputmode="numeric", maxlength=20, autofocus=True)


class OnceOnly:
    """A code of an app opens once. allauth remembers it for one period, but takes it from its neighbours too."""

    user: Any
    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            periods = 2 * app_settings.TOTP_TOLERANCE + 1
            key = f"second-factor:{self.user.pk}:{code.strip()}"
            if not cache.add(key, 1, timeout=periods * app_settings.TOTP_PERIOD):
                raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(OnceOnly, CodeWords, code_forms.AuthenticateForm):
    pass


class ReauthenticateForm(OnceOnly, CodeWords, code_forms.ReauthenticateForm):
    pass


class ActivateAppForm(CodeWords, app_forms.ActivateTOTPForm):
    label = _("The code that the app shows now")

    @property
    def spaced_secret(self) -> str:
        """The secret as a person copies it from one screen to another."""
        return " ".join(self.secret[i : i + 4] for i in range(0, len(self.secret), 4))


class Name:
    """The name of a passkey."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        required = self.fields["name"].required
        self.fields["name"] = forms.CharField(
            label=_("Name"),
            max_length=NAME_LENGTH,
            required=required,
            help_text=_("So that you know it again, for instance “laptop” or “blue key”."),
        )


class CredentialField(forms.JSONField):
    """Hidden; the page's script fills it in."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:  # brackets within brackets, thousands of them
            raise _refused() from None


class Answer:
    """What a browser says about a passkey comes from anybody, and its parsers fail in many ways."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except ValidationError as error:
            raise _refused() if error.code == "incorrect_code" else error from None
        except Exception:
            raise _refused() from None


def _refused() -> ValidationError:
    return ValidationError(_("The passkey was not accepted. Try again."), code="incorrect_code")


class AuthenticatePasskeyForm(Answer, passkey_forms.AuthenticateWebAuthnForm):
    credential = CredentialField()


class ReauthenticatePasskeyForm(Answer, passkey_forms.ReauthenticateWebAuthnForm):
    credential = CredentialField()


class LoginPasskeyForm(Answer, passkey_forms.LoginWebAuthnForm):
    credential = CredentialField()


class AddPasskeyForm(Name, passkey_forms.AddWebAuthnForm):
    credential = CredentialField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The page asks for a passkey that can log in by itself wherever the device can make one.
        self.fields.pop("passwordless", None)

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except ValidationError as error:
            raise _refused() if error.code == "incorrect_code" else error from None
        except Exception:
            raise _refused() from None


class RenamePasskeyForm(Name, passkey_forms.EditWebAuthnForm):
    pass
