"""The heat maps of an explanation in the API: one class at a time, as a picture and as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors, or_empty
from learn.api import examples
from learn.api.problems import NoClass, NoExplanation, NoMap, NotComputed
from learn.api.serializers import MapSerializer
from learn.explanation_views import PRIVATE, PUBLIC
from learn.figures import looked
from learn.figures.looked import Found
from learn.models import Explanation
from ml import artifact
from ml.artifact import ArtifactError
from ml.explain import grids, sheets
from predictions.jobs import Job

MAPS = {kind: which for which, kind in looked.KINDS.items()}
# What the query may say: the value of the darkest colours, and pixels a side.
RANGES: dict[str, tuple[float, int]] = {"scale": (1e-6, 1_000_000), "size": (32, 1024)}
# A map's scale goes with its picture, for whoever wants the numbers back.
SCALE_HEADER = "Map-Scale"
DIGITS = 6

_LABEL = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 60}
WHICH = [
    OpenApiParameter(
        "which",
        _LABEL,
        OpenApiParameter.PATH,
        description="A class: its number from 0, or the network's own name for it, such as `aquarium_fish`.",
    ),
    OpenApiParameter(
        "versus",
        or_empty(**_LABEL),
        description="Another class: the map then shows what speaks for the first rather than for this one.",
    ),
]
REFUSED = errors(
    400,
    401,
    404,
    409,
    429,
    e404=("no_map", str(NoMap.default_detail)),
    e409=("not_answered", str(NotComputed.default_detail)),
)


class MapsMixin(GenericViewSet):
    """For the view set of explanations, which finds the row."""

    found: Callable[[UUID], Explanation]

    @extend_schema(
        operation_id="explanations_map_retrieve",
        tags=["explanations"],
        summary="One class's map as numbers",
        parameters=WHICH,
        responses={200: answer(MapSerializer, "The map.", examples.MAP), **REFUSED},
        filters=False,
    )
    def map_json(self, request: Request, pk: Any, which: str) -> Response:
        row = self._done(pk)
        labels = _labels(row)
        index, other = _number(labels, which), _versus(labels, request)
        found = _read(row, index, other)

        def named(number: int) -> dict[str, Any]:
            return {"index": number, "label": labels[number]}

        shown = {
            "id": row.pk,
            "kind": row.kind,
            "network": row.network,
            "artifact": row.artifact,
            "class": named(index),
            "versus": None if other is None else named(other),
            "unit": "logits" if found.after is None else "log-odds",
            "shape": list(found.values.shape),
            "scale": round(_scale(found), DIGITS),
            "values": _rows(found.values),
            "sum": found.total and dict(zip(("mean", "bias", "logit"), found.total, strict=True)),
            "before": found.before,
            "after": None if found.after is None else _rows(found.after),
        }
        return Response(MapSerializer(shown).data)

    @extend_schema(
        operation_id="explanations_map_image_retrieve",
        tags=["explanations"],
        summary="One class's map as a picture",
        description=(
            "White is 0, blue speaks for the class, red against it; of an occlusion the other way round, since it "
            "shows what covering a square changes. The darkest blue and red stand for plus and minus the scale, which "
            f"the header `{SCALE_HEADER}` says. In the palette index i is (i - 127) / 127 of it."
        ),
        parameters=[
            *WHICH,
            OpenApiParameter(
                "scale",
                or_empty(type="number", minimum=RANGES["scale"][0], maximum=RANGES["scale"][1]),
                description="Absent: the map's greatest absolute value. Give one to compare maps.",
            ),
            OpenApiParameter(
                "size",
                or_empty(type="integer", minimum=RANGES["size"][0], maximum=RANGES["size"][1]),
                description="Pixels a side. Absent: one for each place of the map.",
            ),
        ],
        responses={
            (200, "image/png"): answer(OpenApiTypes.BINARY, "The picture.", "(the bytes of a picture)"),
            **REFUSED,
        },
        filters=False,
    )
    def map_png(self, request: Request, pk: Any, which: str) -> HttpResponse:
        row = self._done(pk)
        labels = _labels(row)
        scale, size = _number_of(request, "scale"), _number_of(request, "size")
        found = _read(row, _number(labels, which), _versus(labels, request))
        scale = scale or _scale(found) or 1.0
        drawn = sheets.quantise(found.values.astype(np.float32), scale)
        content = sheets.png(drawn if size is None else np.asarray(grids.nearest(drawn, int(size)), np.uint8))
        headers = {
            SCALE_HEADER: f"{scale:.6g}",
            "Cache-Control": PUBLIC if row.owner_id is None else PRIVATE,
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(content, content_type="image/png", headers=headers)

    def _done(self, pk: UUID) -> Explanation:
        """An explanation whose maps are there. Raises NotFound and NotComputed."""
        row = self.found(pk)
        if row.kind not in MAPS:
            raise NoMap
        if row.status != Job.Status.DONE:
            raise NotComputed
        return row


def _read(row: Explanation, index: int, other: int | None) -> Found:
    found = looked.read(row, MAPS[row.kind], index, other)
    if found is None:
        raise NoExplanation
    return found


def _labels(row: Explanation) -> list[str]:
    try:
        return list(artifact.load_card(row.network).labels)
    except ArtifactError as error:
        raise NoExplanation from error


def _number(labels: list[str], which: str) -> int:
    """The number of a class from its number or its name. Raises NoClass."""
    if which in labels:
        return labels.index(which)
    if which.isascii() and which.isdecimal() and len(which) <= 9 and int(which) < len(labels):
        return int(which)
    raise NoClass(
        _("There is no class “%(name)s”. Give a number from 0 to %(last)d or one of the network's own names.")
        % {"name": which[:40], "last": len(labels) - 1}
    )


def _versus(labels: list[str], request: Request) -> int | None:
    sent = request.query_params.get("versus")
    if not sent:
        return None
    try:
        return _number(labels, sent)
    except NoClass as error:
        raise ValidationError({"versus": [error.detail]}) from error


def _number_of(request: Request, name: str) -> float | None:
    """A number of the query; None where there is none. Raises ValidationError."""
    sent = request.query_params.get(name)
    if not sent:
        return None
    low, high = RANGES[name]
    try:
        number = float(sent[:40])
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        sentence = _("Choose a number from %(low)s to %(high)s.") % {
            "low": f"{low:.6f}".rstrip("0").rstrip("."),
            "high": high,
        }
        raise ValidationError({name: [sentence]})
    if name == "size" and not number.is_integer():
        raise ValidationError({name: [_("Choose a whole number.")]})
    return number


def _scale(found: Found) -> float:
    return float(np.abs(found.values).max())


def _rows(values: Any) -> list[list[float]]:
    return [[round(float(value), DIGITS) for value in row] for row in values]
