"""The API of links: what you show to others, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import (
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors, request_example
from predictions import sharing
from predictions.api import examples
from predictions.api.pagination import Pages
from predictions.api.strict import StrictSerializer, StrictUUIDField
from predictions.models import Share

TAG = ["shares"]
NO_LINK = ("not_found", "There is no link here. It may have been withdrawn, or the address may be wrong.")
NOTHING = (
    "nothing_to_share",
    "There is nothing here to share. It may have been deleted, or the address may be wrong.",
)


class NothingShared(NotFound):
    default_code = "nothing_to_share"


class LinkSerializer(serializers.ModelSerializer):
    """A link with which others see a result; whoever has its ``url`` may look, without an account."""

    url = serializers.SerializerMethodField()
    prediction = serializers.UUIDField(
        source="run_id", allow_null=True, help_text="What is shared, or the first of a comparison."
    )
    other = serializers.UUIDField(
        source="other_id", allow_null=True, help_text="The second of a comparison; else null."
    )
    batch = serializers.UUIDField(source="batch_id", allow_null=True)

    class Meta:
        model = Share
        fields = ("id", "url", "kind", "prediction", "other", "batch", "created")
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, share: Share) -> str:
        return reverse("predictions:shared", args=[share.token], request=self.context.get("request"))


class NewPredictionLinkSerializer(StrictSerializer):
    """A prediction, with what the other networks of its batch say about its picture."""

    prediction = StrictUUIDField()


class NewComparisonLinkSerializer(StrictSerializer):
    """Two different predictions, to be compared."""

    prediction = StrictUUIDField()
    other = StrictUUIDField()


class NewBatchLinkSerializer(StrictSerializer):
    """All pictures of a batch."""

    batch = StrictUUIDField()


NEW_LINK = (NewPredictionLinkSerializer, NewComparisonLinkSerializer, NewBatchLinkSerializer)


def asked_for(sent: Any) -> dict[str, Any]:
    """What is to be shared. Raises ValidationError."""
    names = set(sent) if isinstance(sent, dict) else set()
    for kind in NEW_LINK:
        if names == set(kind().fields):
            form = kind(data=sent)
            form.is_valid(raise_exception=True)
            return form.validated_data
    raise serializers.ValidationError(
        _(
            "Name a prediction, a prediction and an other one, or a batch: one of these three, and nothing else."
        )
    )


class ShareViewSet(GenericViewSet):
    """Links with which you show results to others."""

    queryset = Share.objects.none()
    serializer_class = LinkSerializer
    pagination_class = Pages
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Share]:
        if getattr(self, "swagger_fake_view", False):
            return Share.objects.none()
        return Share.objects.live().filter(owner_id=self.request.user.pk)

    def rows(self, ids: Iterable[Any]) -> dict[Any, Share]:
        return Share.objects.in_bulk(list(ids))

    def _own(self, pk: Any) -> Share:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise NotFound(
                _("There is no link here. It may have been withdrawn, or the address may be wrong.")
            )
        return found

    @extend_schema(
        operation_id="shares_list",
        tags=TAG,
        summary="Your links, newest first",
        description="Withdrawn ones are not listed.",
        responses={
            200: answer(LinkSerializer(many=True), "A page of them.", examples.LINK),
            **errors(400, 401, 404, 429, e404=("not_found", "Invalid cursor")),
        },
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="shares_create",
        tags=TAG,
        summary="Share a prediction, a comparison or a batch",
        description=(
            "Whoever has the link sees the picture, its file name, bars, box and answers, of a batch also the true "
            "labels, until you withdraw it or delete what it shows. A prediction is shared with what the other "
            "networks of its batch say about its picture. Asking again gives the same link."
        ),
        request=PolymorphicProxySerializer(
            component_name="NewLink", serializers=[*NEW_LINK], resource_type_field_name=None
        ),
        examples=[
            request_example({"prediction": examples.RUN}, name="Prediction"),
            request_example({"prediction": examples.RUN, "other": examples.OTHER_RUN}, name="Comparison"),
            request_example({"batch": examples.BATCH}, name="Batch"),
        ],
        responses={
            201: answer(LinkSerializer, "The link, new or as it was.", examples.LINK),
            **errors(400, 401, 403, 404, 413, 415, 429, e404=NOTHING),
        },
    )
    def create(self, request: Request) -> Response:
        sent = asked_for(request.data)
        try:
            made = sharing.share(
                request.user, run=sent.get("prediction"), other=sent.get("other"), batch=sent.get("batch")
            )
        except sharing.NothingToShare as error:
            raise NothingShared(str(error)) from error
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="shares_retrieve",
        tags=TAG,
        summary="One of your links",
        responses={
            200: answer(LinkSerializer, "The link.", examples.LINK),
            **errors(401, 404, 429, e404=NO_LINK),
        },
    )
    def retrieve(self, request: Request, pk: Any = None) -> Response:
        return Response(self.get_serializer(self._own(pk)).data)

    @extend_schema(
        operation_id="shares_destroy",
        tags=TAG,
        summary="Withdraw a link",
        description="At once and for good: sharing the same again makes another link.",
        responses={
            204: OpenApiResponse(None, "It is withdrawn."),
            **errors(401, 403, 404, 429, e404=NO_LINK),
        },
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        sharing.withdraw(request.user, self._own(pk).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
