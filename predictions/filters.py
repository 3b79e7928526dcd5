"""The one way to filter predictions, for the history page and for the API.

An unknown value is an error at its field, never a filter that is quietly left out. Dates are inclusive and of
the zone in which the reader lives: the account's on pages, UTC in the API.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ml.labels import display
from predictions.models import Job, Label, Network, Prediction

ISO_DATE = "%Y-%m-%d"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Days beyond these hold no predictions, and their midnights cannot be expressed in every zone.
FIRST_DAY = date(1970, 1, 2)
LAST_DAY = date(9999, 12, 30)
# A rejected picture has no row, but its status is one that the API names.
STATUSES = [*Job.Status.choices, ("rejected", _("rejected"))]


class IsoDateField(forms.DateField):
    """A day as YYYY-MM-DD, whatever the language; the error repeats what was written."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["input_formats"] = [ISO_DATE]
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except ValidationError as error:
            sentence = gettext("“%(value)s” is not a date. Write it as 2026-03-31: year, month, day.")
            raise ValidationError(sentence % {"value": str(value)[:40]}, code="invalid") from error


class DayInput(forms.DateInput):
    """A day in the browser's calendar. What is no day stays readable beside its error, as text."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"] or ""
        context["widget"]["type"] = "date" if not shown or DAY.fullmatch(shown) else "text"
        return context


class IsoDateFilter(django_filters.DateFilter):
    field_class = IsoDateField


class PredictionFilterForm(forms.Form):
    """What a filter's fields must satisfy together."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("start"), values.get("end")
        if start and end and end < start:
            self.add_error("end", ValidationError(_("The last day lies before the first one."), code="order"))
        name, network = values.get("label"), values.get("model")
        if name and not known_labels(network).filter(name=name).exists():
            shown = {"label": name[:60], "network": network}
            if network:
                sentence = _("%(network)s has no class “%(label)s”. Choose one of its classes.")
            else:
                sentence = _("There is no class “%(label)s”. Choose one of the networks' classes.")
            self.add_error("label", ValidationError(sentence, code="unknown", params=shown))
        return values


def known_labels(network: Network | None = None) -> QuerySet[Label]:
    """The classes of one network, or of all that were ever offered."""
    return Label.objects.filter(network=network) if network else Label.objects.all()


class PredictionFilter(django_filters.FilterSet):
    """``?model=&label=&start=&end=&batch=&status=``; ``label`` is the likeliest class's own name.

    ``zone`` is the time zone of the dates; None means the one that is active, which on pages is the account's.
    """

    zone: ClassVar[tzinfo | None] = None

    model = django_filters.ModelChoiceFilter(
        queryset=Network.objects.order_by("name"),
        to_field_name="name",
        label=_("Network"),
        empty_label=_("All networks"),
        error_messages={"invalid_choice": _("There is no such network. Choose one that is listed.")},
    )
    label = django_filters.CharFilter(method="filter_label", label=_("Class"), max_length=120)
    start = IsoDateFilter(method="filter_start", label=_("From"))
    end = IsoDateFilter(method="filter_end", label=_("To"))
    batch = django_filters.UUIDFilter(
        method="filter_batch",
        label=_("Batch"),
        error_messages={"invalid": _("This is not a batch's id.")},
    )
    status = django_filters.ChoiceFilter(
        choices=STATUSES,
        label=_("Status"),
        error_messages={"invalid_choice": _("There is no status “%(value)s”.")},
    )

    class Meta:
        model = Prediction
        form = PredictionFilterForm
        fields: ClassVar[list[str]] = ["model", "label", "start", "end", "batch", "status"]

    def filter_label(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(top1__in=Label.objects.filter(name=value))

    def filter_batch(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        # A batch lists what was asked for, not the clean runs made to stand beside covered ones.
        return queryset.filter(batch_id=value, asked=True)

    def filter_start(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return queryset.filter(created__gte=self.midnight(value))

    def filter_end(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return queryset.filter(created__lt=self.midnight(min(value, LAST_DAY) + timedelta(days=1)))

    def midnight(self, day: date) -> datetime:
        """The moment at which a day begins in the filter's zone."""
        day = min(max(day, FIRST_DAY), LAST_DAY)
        return datetime.combine(day, time.min, self.zone or timezone.get_current_timezone())


class ApiPredictionFilter(PredictionFilter):
    """For programs: days are UTC's, whoever asks."""

    zone = UTC


class HistoryFilter(PredictionFilter):
    """For the history page: classes come in a list, days from the browser's calendar."""

    class Meta(PredictionFilter.Meta):
        fields: ClassVar[list[str]] = ["start", "end", "model", "label", "batch", "status"]

    def get_form_class(self) -> Any:
        form = super().get_form_class()
        fields = form.base_fields
        for name in ("start", "end"):
            fields[name].widget = DayInput(format=ISO_DATE)
        for name in ("batch", "status"):
            fields[name].widget = forms.HiddenInput()
        fields["label"].widget = forms.Select(choices=self._label_choices())
        return form

    def _label_choices(self) -> list[tuple[str, str]]:
        named = str(self.data.get("model") or "") if self.data else ""
        # PostgreSQL refuses to look for a NUL; the field itself says that there is no such network.
        network = Network.objects.filter(name=named.replace("\0", "")).first()
        names = known_labels(network).order_by("name").values_list("name", flat=True).distinct()
        choices = [("", gettext("All classes"))]
        choices += sorted(
            ((name, gettext(display(name))) for name in names), key=lambda pair: pair[1].casefold()
        )
        wanted = str(self.data.get("label") or "")[:60] if self.data else ""
        if wanted and wanted not in dict(choices):
            # Kept visible beside its error instead of turning into "all classes".
            choices.append((wanted, wanted))
        return choices
