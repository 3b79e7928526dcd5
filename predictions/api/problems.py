"""What the API refuses, each with a code for programs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from predictions.media import PICTURE_EXPIRED
from predictions.quotas import QuotaExceeded


class PictureRejected(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "picture_rejected"


class KeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"


class TooMuch(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "quota_exceeded"
    # What waits is done at some hundred a minute; a full storage does not empty by itself, but may be looked at again.
    wait = 60


class QuotasTold(APIView):
    """Whatever a call does: a quota that is used up is 429."""

    def handle_exception(self, exc: Exception) -> Response:
        error: Any = TooMuch(str(exc)) if isinstance(exc, QuotaExceeded) else exc
        return super().handle_exception(error)


class NotWaiting(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_waiting"
    default_detail = _("Only what still waits can be cancelled, and this prediction does not wait any more.")


class NotEnded(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "nothing_to_retry"
    default_detail = _("Only what failed or was cancelled can be retried. Look at the prediction's status.")


class PictureExpired(APIException):
    status_code = status.HTTP_410_GONE
    default_code = "picture_expired"
    default_detail = PICTURE_EXPIRED


class NotAnswered(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_answered"
    default_detail = _("There is no answer yet. Wait until the status is done, then ask again.")


class NotKept(NotFound):
    default_code = "probabilities_not_kept"
    default_detail = _(
        "Only the five likeliest classes of this prediction were kept; they are in its top5. Classify the picture "
        "again for all of them."
    )


class PredictionGone(NotFound):
    default_detail = _("One of these predictions is not there. It may have been deleted.")
