"""The filter as the history page shows it: values in lists, days in calendars, an order, and all of it in words."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet
from django.forms.utils import flatatt
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from ml.labels import display
from predictions.filters import (
    ISO_DATE,
    TEXT_LENGTH,
    YES_NO,
    PredictionFilter,
    PredictionFilterForm,
    known_labels,
)
from predictions.models import Job, Network
from predictions.orders import SORTS
from predictions.templatetags.prediction_format import percent

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
CHOSEN = {"status", "covered", "starred"}
SELECTED = {True: mark_safe(" selected"), False: ""}
LEAST = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
MOST = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
# Fields that stand at once, and those under "More filters".
ALWAYS = ("q", "model", "label", "sort", "start", "end")
MORE = ("confidence_min", "confidence_max", "covered", "starred", "status")


class PlainInput(forms.TextInput):
    """A text field that writes its own HTML, as the lists below do."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> Any:
        widget = self.get_context(name, value, attrs)["widget"]
        kept = "" if widget["value"] is None else format_html(' value="{}"', widget["value"])
        rest = flatatt(widget["attrs"])
        return format_html('<input type="{}" name="{}"{}{}>', widget["type"], name, kept, rest)


class DayInput(PlainInput, forms.DateInput):
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
            unknown = shown_confidence(chosen) if name.startswith("confidence") else chosen[:60]
            offered.append((chosen, unknown))
        options = "".join(option(key, str(words), key == chosen) for key, words in offered)
        return format_html(
            "<select{}>{}</select>",
            flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})})),
            mark_safe(options),  # noqa: S308 - each of them is escaped
        )


@lru_cache(maxsize=4096)
def option(key: str, words: str, chosen: bool) -> str:
    """One entry of a list. The same ones stand on every page."""
    return format_html('<option value="{}"{}>{}</option>', key, SELECTED[chosen], words)


@lru_cache(maxsize=64)
def _named(names: frozenset[str], language: str | None) -> list[tuple[str, str]]:
    """Classes with their names in this language, which is the active one, in its order."""
    return sorted(((name, gettext(display(name))) for name in names), key=lambda pair: pair[1].casefold())


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
        fields["q"].widget = PlainInput(attrs={"type": "search", "maxlength": TEXT_LENGTH})
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
        names = frozenset(labels.values_list("name", flat=True).distinct())
        return [("", gettext("All classes")), *_named(names, get_language())]

    @property
    def always(self) -> list[forms.BoundField]:
        return [self[name] for name in ALWAYS]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in MORE]


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

    def get_form_class(self) -> Any:
        """Made once: the fields are the same for everybody, and each form has copies of its own."""
        kind = type(self)
        if "made_form_class" not in vars(kind):
            kind.made_form_class = super().get_form_class()
        return kind.made_form_class

    def filter_sort(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        # `HistoryPages` sorts: here there would be no way to count without sorting first.
        return queryset

    @property
    def order(self) -> str:
        """One of `SORTS`; the default where the address names none, or one that is not there."""
        return self.form.cleaned_data.get("sort") or "newest" if self.form.is_valid() else "newest"

    @cached_property
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
