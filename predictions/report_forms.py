"""What somebody says who reports a picture that they were shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from predictions.reports import TEXT_LENGTH, Report


class ReportForm(forms.Form):
    """A reason, and words: needed where the reason alone says nothing."""

    reason = forms.ChoiceField(
        label=_("What is wrong with it?"),
        choices=Report.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what is wrong with the picture."),
            "invalid_choice": _("Choose one of the reasons that are listed."),
        },
    )
    text = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What a moderator should know. Needed for “Something else”."),
        error_messages={
            "max_length": _("Say it in at most %(limit_value)d characters; there are %(show_value)d.")
        },
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("reason") == Report.Reason.OTHER and "text" not in self.errors and not values["text"]:
            self.add_error("text", ValidationError(_("Say what is wrong with the picture."), code="required"))
        return values
