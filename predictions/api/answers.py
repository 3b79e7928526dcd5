"""What the API says about predictions beyond their row: the picture, all probabilities, two beside one another."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors, or_empty
from predictions import comparison
from predictions.api import examples
from predictions.api.negotiation import AsItIs
from predictions.api.problems import NotAnswered, NotKept, PredictionGone
from predictions.api.serializers import ComparisonSerializer, PairSerializer, ProbabilitiesSerializer
from predictions.media import picture_response
from predictions.models import Distribution, Job, Label

TAG = ["predictions"]


class AnswersMixin(GenericViewSet):
    """For the view set of predictions."""

    @extend_schema(
        operation_id="predictions_image_retrieve",
        tags=TAG,
        summary="The picture itself",
        parameters=[
            OpenApiParameter(
                "size",
                or_empty(type="string", enum=["thumb"]),
                description="A preview of at most 320 pixels, as JPEG.",
            )
        ],
        responses={
            (200, "image/jpeg"): answer(OpenApiTypes.BINARY, "The picture.", "(the bytes of a picture)"),
            (200, "image/png"): answer(OpenApiTypes.BINARY, "The picture.", "(the bytes of a picture)"),
            **errors(400, 401, 404, 410, 429),
        },
    )
    @action(detail=True, methods=["get"], content_negotiation_class=AsItIs)
    def image(self, request: Request, pk: Any = None) -> HttpResponseBase:
        if request.query_params.get("size", "") not in ("", "thumb"):
            raise ValidationError({"size": [_("Choose “thumb”, or leave it out for the whole picture.")]})
        return picture_response(request._request, self.get_object().upload)

    @extend_schema(
        operation_id="predictions_probabilities_retrieve",
        tags=TAG,
        summary="The probabilities of all classes",
        responses={
            200: answer(
                ProbabilitiesSerializer, "Every class, in the network's order.", examples.PROBABILITIES
            ),
            **errors(
                401,
                404,
                409,
                429,
                e404=("probabilities_not_kept", str(NotKept.default_detail)),
                e409=("not_answered", str(NotAnswered.default_detail)),
            ),
        },
    )
    @action(detail=True, methods=["get"])
    def probabilities(self, request: Request, pk: Any = None) -> Response:
        run = self.get_object()
        if run.status != Job.Status.DONE:
            raise NotAnswered
        kept = Distribution.objects.filter(run=run).first()
        names = list(
            Label.objects.filter(network=run.model_id).order_by("index").values_list("name", flat=True)
        )
        values = kept.values if kept else []
        # Another version of the network may have had other classes.
        if not values or len(values) != len(names):
            raise NotKept
        rows = [
            {"index": index, "label": name, "probability": min(1.0, max(0.0, value))}
            for index, (name, value) in enumerate(zip(names, values, strict=True))
        ]
        return Response(
            {"id": run.pk, "model": run.model_id, "artifact": run.artifact, "probabilities": rows}
        )

    @extend_schema(
        operation_id="predictions_compare",
        tags=TAG,
        summary="Two predictions beside one another",
        description=(
            "Of any two pictures, networks or bars: what rose and what fell, for the classes that are likely in "
            "either. A probability is null where only the five likeliest were kept and it is not among them."
        ),
        parameters=[PairSerializer],
        responses={
            200: answer(ComparisonSerializer, "The likeliest classes first.", examples.COMPARED),
            **errors(
                400,
                401,
                404,
                409,
                429,
                e404=("not_found", str(PredictionGone.default_detail)),
                e409=("not_answered", str(NotAnswered.default_detail)),
            ),
        },
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def compare(self, request: Request) -> Response:
        form = PairSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        chosen = [form.validated_data[name] for name in ("a", "b")]
        own = self.get_queryset().in_bulk(chosen)
        if set(chosen) - own.keys():
            raise PredictionGone
        first, second = (own[pk] for pk in chosen)
        found = comparison.of_runs(first, second)
        if found is None:
            raise NotAnswered
        shown = {
            "a": first,
            "b": second,
            "same_picture": first.upload_id == second.upload_id,
            "classes": [
                {"label": row.label, "a": one.before, "b": one.after, "difference": one.difference}
                for row in found.rows
                for one in row.changes
            ],
        }
        return Response(ComparisonSerializer(shown, context=self.get_serializer_context()).data)
