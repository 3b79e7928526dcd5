"""The one way to filter predictions, for the history page and for the API.

An unknown value is an error at its field, never a filter that is quietly left out. Dates are inclusive and of
the zone in which the reader lives: the account's on pages, UTC in the API.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ml.labels import display
from predictions.models import Job, Label, Network, Prediction
from predictions.orders import SORTS
from predictions.templatetags.prediction_format import percent

ISO_DATE = "%Y-%m-%d"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
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


# --- the history page ---------------------------------------------------------------------------------------

CHOSEN = {"status", "covered", "starred"}
SELECTED = {True: mark_safe(" selected"), False: ""}
LEAST = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
MOST = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


class DayInput(forms.DateInput):
    """A day in the browser's calendar. What is no day stays readable beside its error, as text."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"] or ""
        context["widget"]["type"] = "date" if not shown or DAY.fullmatch(shown) else "text"
        return context


class KeepingSelect(forms.Select):
    """A list in which a value of the address that is not offered stays visible instead of turning into "all".

    It writes its own HTML: Django renders a template an option, which for a hundred classes takes longer than all else
    that the page does.
    """

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        chosen = "" if value is None else str(value)
        offered = [(str(key), words) for key, words in self.choices]
        if chosen and chosen not in {key for key, _words in offered}:
            offered.append((chosen, shown_confidence(chosen)))
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, SELECTED[key == chosen], words) for key, words in offered),
        )
        return format_html(
            "<select{}>{}</select>",
            flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})),
            options,
        )


def shown_confidence(value: str) -> str:
    """A fraction of the address as a percentage; what is none, and any other word, as it is."""
    try:
        fraction = float(value)
    except ValueError:
        return value[:60]
    return percent(fraction) if 0 <= fraction <= 1 else value[:60]


class HistoryForm(PredictionFilterForm):
    """The filter's fields as the history page shows them: values in lists, days in the browser's calendar."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self.fields
        for name in ("start", "end"):
            fields[name].widget = DayInput(format=ISO_DATE)
        fields["batch"].widget = forms.HiddenInput()
        fields["q"].widget = forms.TextInput(attrs={"type": "search", "maxlength": TEXT_LENGTH})
        networks = dict(Network.objects.order_by("name").values_list("name", "title"))
        either = [("", gettext("Any"))]
        choices: dict[str, list[tuple[str, Any]]] = {
            "model": [("", gettext("All networks")), *networks.items()],
            "label": self._classes(networks),
            "confidence_min": either + [(str(fraction), percent(fraction)) for fraction in LEAST],
            "confidence_max": either + [(str(fraction), percent(fraction)) for fraction in MOST],
            "covered": [("", gettext("Either")), *YES_NO],
            "starred": [("", gettext("Either")), *YES_NO],
            "status": either + Job.Status.choices,
            "sort": SORTS,
        }
        for name, offered in choices.items():
            fields[name].widget = KeepingSelect(choices=offered)

    def _classes(self, networks: dict[str, str]) -> list[tuple[str, Any]]:
        """The classes of the network that was chosen, or else of all, in the order of the reader's language."""
        labels = known_labels().order_by()
        named = self.data.get("model") if self.data else None
        if named in networks:
            labels = labels.filter(network_id=named)
        names = set(labels.values_list("name", flat=True))
        shown = sorted(
            ((name, gettext(display(name))) for name in names), key=lambda pair: pair[1].casefold()
        )
        return [("", gettext("All classes")), *shown]


class HistoryFilter(PredictionFilter):
    """For the history page: the filter, an order, and both in words."""

    sort = django_filters.ChoiceFilter(
        choices=SORTS,
        method="filter_sort",
        label=_("Order"),
        empty_label=None,
        error_messages={"invalid_choice": _("There is no order “%(value)s”.")},
    )

    class Meta(PredictionFilter.Meta):
        form = HistoryForm
        fields: ClassVar[list[str]] = ["q", "model", "label", "start", "end", "batch", "status"]

    def filter_sort(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        # `HistoryPages` sorts: here there would be no way to count without sorting first.
        return queryset

    @property
    def order(self) -> str:
        """One of `SORTS`; the default where the address names none, or one that is not there."""
        return self.form.cleaned_data.get("sort") or "newest" if self.form.is_valid() else "newest"

    @property
    def wanted(self) -> dict[str, str]:
        """What the address asks for, by field, without what is empty or the default."""
        fields = self.form.fields
        given = {name: (self.data.get(name) or "").strip() for name in fields}
        return {name: value for name, value in given.items() if value and (name, value) != ("sort", "newest")}

    @property
    def address(self) -> str:
        """The query of the address that asks for the same, without what is empty."""
        return urlencode(self.wanted)

    @property
    def only_order_is_wrong(self) -> bool:
        """Every value can be read, but two contradict each other: the sentence at the field is all there is to say."""
        codes = [error.code for errors in self.form.errors.as_data().values() for error in errors]
        return bool(codes) and set(codes) == {"order"}

    @property
    def active(self) -> dict[str, str]:
        """What leaves predictions out: what is wanted but for the order."""
        return {name: value for name, value in self.wanted.items() if name != "sort"}

    @property
    def chips(self) -> list[dict[str, str]]:
        """Each active filter in words, with the address's query that does without it."""
        return [
            {
                "name": str(self.form.fields[name].label),
                "value": self._in_words(name, value),
                "without": urlencode({key: one for key, one in self.wanted.items() if key != name}),
            }
            for name, value in self.active.items()
        ]

    def _in_words(self, name: str, value: str) -> str:
        clean = self.form.cleaned_data.get(name) if hasattr(self.form, "cleaned_data") else None
        if name in self.form.errors or clean is None:
            return value[:60]
        if isinstance(clean, date):
            return date_format(clean)
        if isinstance(clean, float):
            return percent(clean)
        if name == "label":
            return gettext(display(value))
        if name == "batch":
            return value[:8]
        return str(dict(self.form.fields[name].choices).get(value, clean)) if name in CHOSEN else str(clean)
