from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

# Reserved for what does not exist (RFC 2606): no message can ever reach an address below it.
GUEST_DOMAIN = "guest.invalid"


def normalise_email(value: str) -> str:
    """The one spelling of an address that is stored and looked up."""
    return value.strip().lower()


def refuse_guest_domain(value: str) -> None:
    """The addresses of guests belong to nobody: no account is made with one, and no message sent to it."""
    if normalise_email(value).rpartition("@")[2] == GUEST_DOMAIN:
        raise ValidationError(
            _("No message can be sent to this address. Write your own."), code="guest_domain"
        )


class NormalisedEmailField(models.EmailField):
    """An e-mail field that stores, compares and looks up addresses in one spelling.

    Normalising in the field instead of in ``save()`` covers ``bulk_create``, ``update`` and every lookup too.
    """

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalise_email(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return normalise_email(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
