"""The shape of errors as the API's description shows it."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ErrorDetailSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="For programs; it stays the same when the words change.")
    message = serializers.CharField(help_text="For people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Where single fields are wrong: what is wrong with each.",
    )


class ErrorBodySerializer(serializers.Serializer):
    error = ErrorDetailSerializer()


SENTENCES = {
    400: "Something in the request is wrong; `error.fields` names the fields.",
    401: "There is no token, or it does not work.",
    403: "This account may not do this.",
    404: "There is nothing here that is yours.",
    409: "The account has as many tokens as it may have.",
    413: "The body is too large.",
    422: "The only picture sent cannot be taken.",
    429: "Too many requests, or a quota is used up.",
}


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """Responses for ``extend_schema``: these errors, all of one shape."""
    return {status: OpenApiResponse(ErrorBodySerializer, SENTENCES[status]) for status in statuses}
