"""The API of predictions: one POST classifies up to 200 pictures."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase, QueryDict
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.schema import errors
from predictions import lifecycle, services
from predictions.crop import AUTO
from predictions.filters import ApiPredictionFilter
from predictions.intake import take_all
from predictions.media import picture_response
from predictions.models import Prediction
from predictions.serializers import BatchSerializer, PredictionSerializer, SubmissionSerializer


class PictureRejected(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "picture_rejected"


class TooMuch(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "quota_exceeded"


class NewestFirst(CursorPagination):
    ordering = ("-created", "-id")
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                moment = parse_datetime(str(cursor.position))
            except ValueError:
                moment = None
            if moment is None:
                raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.get_next_link(), "previous": self.get_previous_link(), "results": data})


@extend_schema_view(
    list=extend_schema(
        summary="Your predictions, newest first",
        description=(
            "Dates are inclusive and UTC; `label` is the likeliest class. With `batch`, what its POST returned."
        ),
        responses={200: PredictionSerializer(many=True), **errors(400, 401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="One prediction", responses={200: PredictionSerializer, **errors(401, 404, 429)}
    ),
    destroy=extend_schema(
        summary="Delete a prediction",
        description="The picture goes with its last prediction.",
        responses={204: None, **errors(401, 404, 429)},
    ),
)
class PredictionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Runs of networks on your pictures."""

    queryset = Prediction.objects.none()
    serializer_class = PredictionSerializer
    filterset_class = ApiPredictionFilter
    pagination_class = NewestFirst
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Prediction]:
        if getattr(self, "swagger_fake_view", False):
            return Prediction.objects.none()
        return Prediction.objects.of(self.request.user).with_answers()

    def get_parsers(self) -> list[Any]:
        return (
            [MultiPartParser()] if self.request and self.request.method == "POST" else super().get_parsers()
        )

    def get_throttles(self) -> list[Any]:
        # A scope on the class would count polling as well.
        self.throttle_scope = "predict" if self.request.method == "POST" else None
        return super().get_throttles()

    @extend_schema(
        summary="Classify pictures",
        description=(
            "`image` (1 to 200 parts of at most 10 MB), `model` (repeatable; absent: every network), `bars` and "
            "`crop` (both optional). Answers at once with one entry for each picture and network; ask for them "
            "again until `status` is final. "
            "With `bars` each entry is the covered run and names the clean one in `clean`."
        ),
        request={"multipart/form-data": SubmissionSerializer},
        responses={202: BatchSerializer, **errors(400, 401, 413, 422, 429)},
    )
    def create(self, request: Request) -> Response:
        # The only parser is the one for forms.
        sent_fields = cast(QueryDict, request.data)
        values: dict[str, Any] = {"image": request.FILES.getlist("image")}
        if "model" in sent_fields:
            values["model"] = sent_fields.getlist("model")
        for name in ("bars", "crop"):
            if name in sent_fields:
                values[name] = sent_fields[name]
        form = SubmissionSerializer(data=values)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        try:
            # Before the pictures are read: an unknown network costs nothing.
            services.chosen(sent.get("model", ()))
        except services.NoNetwork as error:
            raise serializers.ValidationError({"model": [str(error)]}) from error
        crop = sent.get("crop", AUTO)
        pictures = services.fitting(take_all(sent["image"]), crop)
        if len(pictures) == 1 and isinstance(only := pictures[0], services.RejectedPicture):
            raise PictureRejected(only.message, only.code)
        try:
            submission = services.submit(
                cast(User, request.user), pictures, sent.get("model", ()), sent.get("bars") or (), crop
            )
        except services.QuotaExceeded as error:
            raise TooMuch(str(error)) from error
        context = {**self.get_serializer_context(), "batch": submission.batch}
        results = PredictionSerializer(submission.entries, many=True, context=context).data
        return Response({"batch": submission.batch.pk, "results": results}, status=status.HTTP_202_ACCEPTED)

    def perform_destroy(self, run: Prediction) -> None:
        lifecycle.delete(run.owner, [run.pk])

    @extend_schema(
        summary="The picture itself",
        parameters=[
            OpenApiParameter("size", str, enum=["thumb"], description="A preview of at most 320 pixels.")
        ],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 429)},
    )
    @action(detail=True, methods=["get"], url_path="image")
    def image(self, request: Request, pk: Any = None) -> HttpResponseBase:
        return picture_response(request._request, self.get_object().upload)
