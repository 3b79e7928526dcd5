"""The API of the laboratory: ask for what a figure shows, and read its numbers and files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers, status
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors, or_empty, request_example
from learn import asking_rate, explanations, subjects
from learn.api import examples
from learn.api.maps import MapsMixin
from learn.api.problems import GONE, NoExplanation, NoFile, OfSample, refusals
from learn.api.serializers import NEW_EXPLANATION, ExplanationSerializer, FilterSerializer, described
from learn.explanation_views import file_response
from learn.models import Explanation
from learn.subjects import Subject
from predictions import explainable
from predictions.api.pagination import Pages
from predictions.api.problems import QuotasTold
from predictions.jobs import Job

TAG = ["explanations"]
MISSING = ("not_found", str(GONE))
FILTERS = [
    OpenApiParameter(
        "prediction", or_empty(type="string", format="uuid"), description="On the picture of this prediction."
    ),
    OpenApiParameter("kind", {"type": "string"}, description="A kind of explanation."),
    OpenApiParameter("network", {"type": "string", "maxLength": 40}, description="A network's name."),
    OpenApiParameter("status", or_empty(type="string", enum=Job.Status.values), description="A state."),
]
FILTERED = [one.name for one in FILTERS]


def asked_for(sent: Any) -> dict[str, Any]:
    """What is to be explained. Raises ValidationError."""
    names = set(sent) if isinstance(sent, dict) else set()
    shape = next(
        (one for one in NEW_EXPLANATION if names & {"prediction", "sample"} & set(one().fields)), None
    )
    if shape is None or {"prediction", "sample"} <= names:
        raise serializers.ValidationError(
            _("Name a prediction or a sample picture: one of these two, in a JSON object.")
        )
    form = shape(data=sent)
    form.is_valid(raise_exception=True)
    return form.validated_data


class ExplanationViewSet(QuotasTold, MapsMixin, GenericViewSet):
    """What was computed to explain the networks' answers."""

    queryset = Explanation.objects.none()
    serializer_class = ExplanationSerializer
    pagination_class = Pages
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Explanation]:
        """One's own; those of sample pictures are everybody's and listed nowhere."""
        if getattr(self, "swagger_fake_view", False):
            return Explanation.objects.none()
        return explanations.visible(self.request.user).filter(owner_id=self.request.user.pk)

    def rows(self, ids: Iterable[Any]) -> dict[Any, Explanation]:
        found = Explanation.objects.defer("clean_pixels", "covered_pixels", "result")
        return found.in_bulk(list(ids))

    def get_throttles(self) -> list[Any]:
        # A scope on the class would count polling as well.
        self.throttle_scope = "explain" if self.action == "create" else None
        return super().get_throttles()

    def found(self, pk: UUID) -> Explanation:
        """One's own, or one of a sample picture. Raises NotFound."""
        found = explanations.of(self.request.user, pk)
        if found is None:
            raise NoExplanation
        return found

    def _shown(self, found: Explanation, code: int = status.HTTP_200_OK) -> Response:
        try:
            (shown,) = described([found], self.request)
        except FileNotFoundError as error:
            raise NoExplanation from error
        return Response(shown, status=code)

    @extend_schema(
        operation_id="explanations_list",
        tags=TAG,
        summary="Your explanations, newest first",
        description=(
            "Those of your own pictures. `result` and `files` are null here: ask for one by itself. What nobody "
            "looked at for a week is removed, and computed again when it is asked for."
        ),
        parameters=FILTERS,
        responses={
            200: answer(ExplanationSerializer(many=True), "A page of them.", examples.LISTED),
            **errors(400, 401, 404, 429, e404=("not_found", "Invalid cursor")),
        },
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self._filtered(request)) or []
        return self.get_paginated_response(described(page, request, listed=True))

    def _filtered(self, request: Request) -> QuerySet[Explanation]:
        sent = request.query_params
        form = FilterSerializer(data={name: sent[name] for name in FILTERED if sent.get(name)})
        form.is_valid(raise_exception=True)
        wanted = dict(form.validated_data)
        rows = self.get_queryset()
        if (pk := wanted.pop("prediction", None)) is not None:
            picture = explainable.find(request.user, pk)
            rows = rows.filter(network_input__upload=picture.upload) if picture else rows.none()
        return rows.filter(**wanted)

    @extend_schema(
        operation_id="explanations_create",
        tags=TAG,
        summary="Explain what a network sees",
        description=(
            "Asked again about the same pixels, by the same version of the network and with the same parameters, it "
            "is the same explanation, at once. Otherwise ask for it until `status` is final. What a kind can be told "
            "and what it gives is in docs/api.md."
        ),
        request=PolymorphicProxySerializer(
            component_name="NewExplanation", serializers=[*NEW_EXPLANATION], resource_type_field_name=None
        ),
        examples=[
            request_example(
                {"prediction": examples.RUN, "kind": "occlusion", "parameters": {"grid": 8}},
                name="Your own picture",
            ),
            request_example(
                {"sample": "apple", "network": "vgg", "kind": "xray", "bars": [[0.25, 0, 0.5, 1]]},
                name="A sample picture",
            ),
        ],
        responses={
            200: answer(ExplanationSerializer, "It was there already.", examples.OF_SAMPLE),
            202: answer(ExplanationSerializer, "It is being computed.", examples.QUEUED),
            **errors(
                400,
                401,
                403,
                404,
                409,
                410,
                413,
                415,
                429,
                e404=("not_found", "There is no such picture here, or not any more."),
                e409=("not_answered", "This picture is not answered yet. Look again when it is."),
                e429=("quota_exceeded", "20 of your figures are still waiting."),
            ),
        },
    )
    def create(self, request: Request) -> Response:
        sent = asked_for(request.data)
        with refusals():
            subject, network = self._subject(request, sent)
            found = explanations.ask(
                subject,
                network,
                sent["kind"],
                sent.get("parameters"),
                asker=asking_rate.asker(request),
            )
        return self._shown(found, status.HTTP_200_OK if found.is_final else status.HTTP_202_ACCEPTED)

    @staticmethod
    def _subject(request: Request, sent: dict[str, Any]) -> tuple[Subject, str]:
        """What is to be looked at, and by which network. Raises SubjectError."""
        bars = sent.get("bars")
        if "sample" in sent:
            subject = subjects.find(None, subjects.SAMPLE + sent["sample"], bars)
            return subject, sent.get("network", subject.cards[0].name)
        subject = subjects.find(request.user, str(sent["prediction"]), bars)
        picture = explainable.find(request.user, sent["prediction"])
        if picture is None:
            raise subjects.not_found()
        return subject, sent.get("network", picture.network)

    @extend_schema(
        operation_id="explanations_retrieve",
        tags=TAG,
        summary="One explanation",
        responses={
            200: OpenApiResponse(
                ExplanationSerializer,
                "The explanation as it stands now.",
                examples=[
                    OpenApiExample("Done", examples.DONE),
                    OpenApiExample("Waiting", examples.QUEUED),
                    OpenApiExample("Failed", examples.FAILED),
                ],
            ),
            **errors(401, 404, 429, e404=MISSING),
        },
    )
    def retrieve(self, request: Request, pk: Any = None) -> Response:
        return self._shown(self.found(pk))

    @extend_schema(
        operation_id="explanations_destroy",
        tags=TAG,
        summary="Delete an explanation",
        description="With its files, at once and for good. Those of sample pictures are everybody's and stay.",
        responses={
            204: OpenApiResponse(None, "It is deleted."),
            **errors(401, 403, 404, 429, e403=("of_sample", str(OfSample.default_detail)), e404=MISSING),
        },
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        found = self.found(pk)
        if found.owner_id is None:
            raise OfSample
        found.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="explanations_file_retrieve",
        tags=TAG,
        summary="One of its files",
        description="As it is stored: NumPy files, pictures (PNG) and JSON. It never changes, and has an `ETag`.",
        parameters=[
            OpenApiParameter(
                "name",
                {"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", "maxLength": 120},
                OpenApiParameter.PATH,
                description="As `files` names it, with its slashes.",
            )
        ],
        responses={
            (200, "application/octet-stream"): answer(
                OpenApiTypes.BINARY, "The file.", "(the bytes of a NumPy file)"
            ),
            (200, "image/png"): answer(OpenApiTypes.BINARY, "The file.", "(the bytes of a picture)"),
            (200, "application/json"): answer(OpenApiTypes.OBJECT, "The file.", {"logits": {}}),
            **errors(401, 404, 429, e404=("not_found", str(NoFile.default_detail))),
        },
    )
    def file(self, request: Request, pk: Any, name: str) -> HttpResponseBase:
        found = self.found(pk)
        if name not in found.members:
            raise NoFile
        return file_response(request._request, found, name)
