"""What the laboratory's pages show of their subject: the data of the templates and the JSON that the scripts read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from learn import subjects
from learn.subjects import SAMPLE, Answers, Subject
from ml.artifact import Card
from predictions import explainable, samples
from predictions.corruption import canonical, covered_share

OWN = 12
"""How many of one's own pictures are offered."""

SUBJECT_KEYS = ("on", "bars")

Choice = dict[str, Any]


def asked(request: HttpRequest) -> dict[str, str]:
    """The keys of the address, each once, the last one where there are several."""
    return {key: str(value) for key, value in request.GET.items()}


def query_with(query: Mapping[str, str], **changes: str | None) -> str:
    """The query string with some keys set, or taken away where the value is None."""
    values = {**query, **changes}
    return urlencode({key: value for key, value in values.items() if value is not None})


def first_sample() -> str:
    """What is looked at when the address names nothing."""
    return SAMPLE + next(iter(sample_names()), "")


def sample_names() -> list[str]:
    """The sample pictures that the laboratory offers, in their order: those for which figures are made beforehand.

    Where none are, the figures of those that the site offers are made when somebody asks.
    """
    names = settings.LABORATORY_SAMPLES or samples.OFFERED
    return [name for name in names if name in samples.every()]


def sample_choices(query: Mapping[str, str], current: str = "") -> list[Choice]:
    """The site's pictures as links to ``query`` with another picture."""
    found = []
    for name in sample_names():
        sample = samples.every()[name]
        on = SAMPLE + name
        found.append(
            {
                "title": sample.title,
                "alt": sample.alt,
                "thumbnail": sample.thumbnail_address,
                "current": on == current,
                **_way_to(on, query),
            }
        )
    return found


def own_choices(user: Any, query: Mapping[str, str], current: str = "") -> list[Choice]:
    """The reader's own last answered pictures in the same way; none for nobody."""
    if not user.is_authenticated:
        return []
    return [
        {
            "title": picture.filename,
            "alt": picture.filename,
            "thumbnail": picture.thumbnail_url,
            "current": str(picture.id) == current,
            **_way_to(str(picture.id), query),
        }
        for picture in explainable.recent(user, OWN, current)
    ]


def _way_to(on: str, query: Mapping[str, str]) -> dict[str, str]:
    """Another picture with its own bars; ``changes`` is what a script changes in the address as it is by then."""
    return {
        "query": query_with(query, on=on, bars=None),
        "changes": urlencode({"on": on, "bars": ""}),
    }


def subject_json(subject: Subject, *, embed: bool, full_url: str) -> dict[str, Any]:
    """What static/js/laboratory/subject.js describes."""
    return {
        "on": subject.on,
        "kind": subject.kind,
        "title": subject.title,
        "alt": subject.alt,
        "image": subject.image_url,
        "thumbnail": subject.thumbnail_url,
        "width": subject.width,
        "height": subject.height,
        "bars": canonical(subject.bars),
        "crop": list(subject.crop) if subject.crop else None,
        "covered": bool(subject.bars),
        "networks": [_network(subject, card) for card in subject.cards],
        "explanations": reverse("learn:explanations"),
        "embed": embed,
        "full": full_url,
    }


def _network(subject: Subject, card: Card) -> dict[str, Any]:
    said = subject.answers.get(card.name, Answers())
    structure = reverse("learn:structure", args=[card.name])
    covered = subject.covered.get(card.name)
    return {
        "name": card.name,
        "title": card.title,
        "version": card.version,
        "size": card.size,
        "temperature": {
            "clean": float(card.temperatures(subject.clean[card.name][None])[0]),
            "covered": None if covered is None else float(card.temperatures(covered[None])[0]),
        },
        "labels": [_(card.label(index)) for index in range(len(card.labels))],
        "structure": f"{structure}?{urlencode({'v': card.version})}",
        "base": structure.removesuffix("structure.json"),
        "answers": {
            "clean": _rows(said.clean) or [],
            "covered": _rows(said.covered) if subject.bars else None,
        },
    }


def _rows(rows: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    if rows is None:
        return None
    return [{"index": row["index"], "label": row["name"], "probability": row["probability"]} for row in rows]


def answer_rows(subject: Subject) -> list[dict[str, Any]]:
    """For each network its title and its first answers, as they were served."""
    return [
        {
            "title": card.title,
            "clean": next(iter(said.clean or ()), None),
            "covered": next(iter(said.covered or ()), None),
        }
        for card in subject.cards
        for said in [subject.answers.get(card.name, Answers())]
    ]


def around_subject(subject: Subject, query: Mapping[str, str]) -> dict[str, Any]:
    """What stands around the picture: what was said of it, its bars, and the ways to other pictures."""
    given = query.get("bars")
    share = covered_share(subject.bars) if subject.bars else 0.0
    return {
        "answers": answer_rows(subject),
        "hidden_share": share,
        "prediction_url": subject.page_url if subject.kind == "prediction" else "",
        "without_bars": f"?{query_with(query, bars='[]')}",
        "own_bars": f"?{query_with(query, bars=None)}" if given else "",
        "samples": sample_choices(query, subject.on),
        "subject_query": urlencode({key: query[key] for key in SUBJECT_KEYS if key in query}),
    }


def bars_text(subject: Subject, query: Mapping[str, str]) -> str | None:
    """The bars as the address has them; None where it leaves them to the subject."""
    return json.dumps(canonical(subject.bars)) if query.get("bars") else None


def bare_query(query: Mapping[str, str], *, without: Iterable[str]) -> list[tuple[str, str]]:
    """The other keys, so that a form that sets some of them keeps the rest."""
    left_out = set(without)
    return [(key, value) for key, value in query.items() if key not in left_out]


def subject_of(request: HttpRequest, query: Mapping[str, str], *, embed: bool) -> tuple[Subject, list[str]]:
    """The subject that the address names, and a sentence for each thing in it that could not be used.

    Bars that make no sense are left to the subject. In an embedded frame there is nobody. Raises SubjectError.
    """
    user = None if embed else request.user
    on = query.get("on") or first_sample()
    try:
        return subjects.find(user, on, query.get("bars")), []
    except subjects.SubjectError as error:
        if error.code != "bars":
            raise
        own = _("The picture is shown with its own bars.")
        return subjects.find(user, on), [f"{error} {own}"]
