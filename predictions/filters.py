"""The one way to filter predictions, for the history page and for the API.

An unknown value is an error at its field, never a filter that is quietly left out. Dates are inclusive and of
the zone in which the reader lives: the account's on pages, UTC in the API.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from predictions.models import Job, Label, Network, Prediction

ISO_DATE = "%Y-%m-%d"
# Days beyond these hold no predictions, and their midnights cannot be expressed in every zone.
FIRST_DAY = date(1970, 1, 2)
LAST_DAY = date(9999, 12, 30)
# A rejected picture has no row, but its status is one that the API names.
STATUSES = [*Job.Status.choices, ("rejected", _("rejected"))]
YES_NO = [("yes", _("yes")), ("no", _("no"))]
TEXT_LENGTH = 120
# Each is looked for in every file name.
MOST_WORDS = 8


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


class IsoDateFilter(django_filters.DateFilter):
    field_class = IsoDateField


class FractionField(forms.FloatField):
    """A share of 1, with a point in every language; the error repeats what was written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "localize": False})

    def clean(self, value: Any) -> float | None:
        try:
            fraction: float | None = super().clean(value)
        except ValidationError:
            fraction = -1.0
        if fraction is not None and not 0 <= fraction <= 1:
            sentence = gettext("“%(value)s” is not a confidence. Write a number from 0 to 1, such as 0.9.")
            raise ValidationError(sentence % {"value": str(value)[:40]}, code="invalid")
        return fraction


class FractionFilter(django_filters.NumberFilter):
    field_class = FractionField

    def get_max_validator(self) -> None:
        """The field knows its own limits."""


class YesNoFilter(django_filters.ChoiceFilter):
    """`yes`, `no`, or either when it is left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        unknown = _("“%(value)s” is neither yes nor no.")
        defaults = {"choices": YES_NO, "error_messages": {"invalid_choice": unknown}}
        super().__init__(*args, **{**defaults, **kwargs})


def words_of(text: str | None) -> list[str]:
    """The words to look for, each once."""
    return list(dict.fromkeys((text or "").split()))


class PredictionFilterForm(forms.Form):
    """What a filter's fields must satisfy together."""

    label_keys: list[str]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("start"), values.get("end")
        if start and end and end < start:
            self.add_error("end", ValidationError(_("The last day lies before the first one."), code="order"))
        least, most = values.get("confidence_min"), values.get("confidence_max")
        if least is not None and most is not None and most < least:
            crossed = _("The upper limit lies below the lower one.")
            self.add_error("confidence_max", ValidationError(crossed, code="order"))
        if len(words_of(values.get("q"))) > MOST_WORDS:
            sentence = _("Search for at most %(most)d words at once.")
            self.add_error("q", ValidationError(sentence, code="too_many_words", params={"most": MOST_WORDS}))
        if values.get("label"):
            self._find_class(values["label"], values.get("model"))
        return values

    def _find_class(self, name: str, network: Network | None) -> None:
        # Rows name their class by its key, so that filtering by it reads nothing but their index.
        self.label_keys = list(known_labels(network).filter(name=name).values_list("pk", flat=True))
        if self.label_keys:
            return
        shown = {"label": name[:60], "network": network}
        if network:
            sentence = _("%(network)s has no class “%(label)s”. Choose one of its classes.")
        else:
            sentence = _("There is no class “%(label)s”. Choose one of the networks' classes.")
        self.add_error("label", ValidationError(sentence, code="unknown", params=shown))


def known_labels(network: Network | None = None) -> QuerySet[Label]:
    """The classes of one network, or of all that were ever offered."""
    return Label.objects.filter(network=network) if network else Label.objects.all()


class PredictionFilter(django_filters.FilterSet):
    """``?model=&label=&start=&end=&batch=&status=&confidence_min=&confidence_max=&covered=&starred=&q=``

    ``label`` is the likeliest class's own name and the confidence its probability. ``zone`` is the time zone of the
    dates; None means the one that is active, which on pages is the account's.
    """

    zone: ClassVar[tzinfo | None] = None

    model = django_filters.ModelChoiceFilter(
        queryset=Network.objects.order_by("name"),
        to_field_name="name",
        label=_("Network"),
        empty_label=_("All networks"),
        error_messages={"invalid_choice": _("There is no such network. Choose one that is listed.")},
    )
    label = django_filters.CharFilter(method="filter_label", label=_("Class"), max_length=TEXT_LENGTH)
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
        empty_label=_("Any"),
        error_messages={"invalid_choice": _("There is no status “%(value)s”.")},
    )
    confidence_min = FractionFilter(method="filter_confidence_min", label=_("Confidence, at least"))
    confidence_max = FractionFilter(method="filter_confidence_max", label=_("Confidence, at most"))
    covered = YesNoFilter(method="filter_yes_no", label=_("Covered by bars"), empty_label=_("Either"))
    starred = YesNoFilter(method="filter_yes_no", label=_("Starred"), empty_label=_("Either"))
    q = django_filters.CharFilter(method="filter_text", label=_("File name or note"), max_length=TEXT_LENGTH)

    class Meta:
        model = Prediction
        form = PredictionFilterForm
        fields: ClassVar[list[str]] = ["model", "label", "start", "end", "batch", "status"]

    def filter_label(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(top1_id__in=self.form.label_keys)

    def filter_batch(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        # A batch lists what was asked for, not the clean runs made to stand beside covered ones.
        return queryset.filter(batch_id=value, asked=True)

    def filter_start(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return queryset.filter(created__gte=self.midnight(value))

    def filter_end(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return queryset.filter(created__lt=self.midnight(min(value, LAST_DAY) + timedelta(days=1)))

    def filter_confidence_min(self, queryset: QuerySet[Any], name: str, value: float) -> QuerySet[Any]:
        return queryset.filter(probability1__gte=value)

    def filter_confidence_max(self, queryset: QuerySet[Any], name: str, value: float) -> QuerySet[Any]:
        return queryset.filter(probability1__lte=value)

    def filter_yes_no(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(**{name: value == "yes"})

    def filter_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Every word stands somewhere in the file name or in the note, whatever the case of its letters."""
        for word in words_of(value):
            queryset = queryset.filter(Q(search_name__contains=word.casefold()) | Q(pk__in=self._noted(word)))
        return queryset

    def _noted(self, word: str) -> QuerySet[Any]:
        """The ids of the reader's predictions with this word in the note. Few rows have one, and they have an index."""
        # SQLite knows upper and lower case of ASCII letters only: the usual ways to write a word are tried.
        others = [] if word.isascii() else [word.casefold(), word.capitalize(), word.upper()]
        spellings = dict.fromkeys([word, *others])
        written = Q()
        for spelling in spellings:
            written |= Q(note__icontains=spelling)
        noted = Prediction.objects.of(self.request.user if self.request else None).exclude(note="")
        return noted.filter(written).order_by().values("pk")

    def midnight(self, day: date) -> datetime:
        """The moment at which a day begins in the filter's zone."""
        day = min(max(day, FIRST_DAY), LAST_DAY)
        return datetime.combine(day, time.min, self.zone or timezone.get_current_timezone())


class ApiPredictionFilter(PredictionFilter):
    """For programs: days are UTC's, whoever asks."""

    zone = UTC
