"""The API of networks: what can be asked."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.schema import answer, errors
from predictions import services
from predictions.api import examples
from predictions.api.batch_serializers import NetworksSerializer

METRICS = ("top1", "top5", "ece", "nll", "n")


class NetworkViewSet(ViewSet):
    """The networks that can be asked."""

    @extend_schema(
        operation_id="networks_list",
        tags=["networks"],
        summary="The networks that can be asked, the cheapest first",
        responses={
            200: answer(NetworksSerializer, "All of them.", examples.NETWORKS),
            **errors(401, 429),
        },
    )
    def list(self, request: Request) -> Response:
        rows: list[dict[str, Any]] = [
            {
                "name": card.name,
                "title": card.title,
                "version": card.version,
                "size": card.size,
                "classes": len(card.labels),
                "labels": list(card.labels),
                "metrics": {name: card.metrics.get(name) for name in METRICS},
            }
            for card in services.offered()
        ]
        return Response({"results": rows})
