"""Addresses of the API of predictions, below /api/v1/."""

from __future__ import annotations

from rest_framework.routers import DefaultRouter

from predictions.api import PredictionViewSet

router = DefaultRouter(use_regex_path=False)
# One address a thing: the answer is JSON whatever the address ends in.
router.include_format_suffixes = False
router.register("predictions", PredictionViewSet, basename="prediction")

urlpatterns = router.urls
