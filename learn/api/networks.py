"""The layers of a network in the API."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.schema import answer, errors
from learn.api import examples
from learn.api.serializers import LayersSerializer
from ml.artifact import ArtifactError
from ml.explain.structure import structure


class NoNetwork(NotFound):
    default_code = "no_network"
    default_detail = _("There is no network of this name to look into.")


class LayersView(APIView):
    @extend_schema(
        operation_id="networks_layers_retrieve",
        tags=["networks"],
        summary="The layers of a network",
        description="In computing order. Only networks made of convolutions have layers to look into.",
        parameters=[
            OpenApiParameter(
                "name",
                {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 40},
                OpenApiParameter.PATH,
                description="A network's name.",
            )
        ],
        responses={
            200: answer(LayersSerializer, "All of them.", examples.LAYERS),
            **errors(401, 404, 429, e404=("no_network", str(NoNetwork.default_detail))),
        },
    )
    def get(self, request: Request, name: str) -> Response:
        try:
            found = structure(name)
        except ArtifactError as error:
            raise NoNetwork from error
        return Response(found.to_dict())
