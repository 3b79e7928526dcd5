"""Addresses of the API of the laboratory, below /api/v1/."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.routers import SimpleRouter

from learn.api.explanations import ExplanationViewSet
from learn.api.networks import LayersView
from predictions.api.negotiation import AsItIs

router = SimpleRouter(use_regex_path=False)
router.register("explanations", ExplanationViewSet, basename="explanation")


def _file(action: str) -> Any:
    return ExplanationViewSet.as_view({"get": action}, content_negotiation_class=AsItIs)


# Files are called like files, without a slash at the end.
urlpatterns = [
    *router.urls,
    path("explanations/<uuid:pk>/files/<path:name>", _file("file"), name="explanation-file"),
    path("explanations/<uuid:pk>/maps/<str:which>.png", _file("map_png"), name="explanation-map-png"),
    path("explanations/<uuid:pk>/maps/<str:which>.json", _file("map_json"), name="explanation-map-json"),
    path("networks/<slug:name>/layers/", LayersView.as_view(), name="network-layers"),
]
