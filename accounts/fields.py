from __future__ import annotations

from typing import Any

from django.db import models


def normalise_email(value: str) -> str:
    """The one spelling of an address that is stored and looked up."""
    return value.strip().lower()


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
