"""Addresses of the API of predictions, below /api/v1/."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.routers import DefaultRouter

from predictions.api.batches import BatchViewSet
from predictions.api.negotiation import AsItIs
from predictions.api.networks import NetworkViewSet
from predictions.api.predictions import PredictionViewSet
from predictions.api.shares import ShareViewSet


class Router(DefaultRouter):
    """Its root also lists what other parts of the site add to the API."""

    def get_api_root_view(self, api_urls: Any = None) -> Any:
        names = {prefix: f"{basename}-list" for prefix, _viewset, basename in self.registry}
        return self.APIRootView.as_view(api_root_dict={**names, "explanations": "explanation-list"})


router = Router(use_regex_path=False)
# One address a thing: the answer is JSON whatever the address ends in.
router.include_format_suffixes = False
router.register("predictions", PredictionViewSet, basename="prediction")
router.register("batches", BatchViewSet, basename="batch")
router.register("shares", ShareViewSet, basename="share")
router.register("networks", NetworkViewSet, basename="network")


def _file(action: str) -> Any:
    return BatchViewSet.as_view({"get": action}, content_negotiation_class=AsItIs)


# Files are called like files, without a slash at the end.
urlpatterns = [
    *router.urls,
    path(
        "predictions/export.csv",
        PredictionViewSet.as_view({"get": "export"}, content_negotiation_class=AsItIs),
        name="prediction-export",
    ),
    path("batches/<uuid:pk>/results.csv", _file("results_csv"), name="batch-results-csv"),
    path("batches/<uuid:pk>/results.json", _file("results_json"), name="batch-results-json"),
]
