"""The shape of errors as the API's description shows it, and its answers with an example each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
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
    403: "This account may not do this, or a session's request came without its CSRF token.",
    404: "There is nothing here that is yours.",
    409: "It does not go with how things stand; `error.message` says how.",
    410: "It was there, and was removed.",
    413: "The body is too large.",
    415: "The body is of a kind that is not taken here.",
    422: "The request was understood, but what was sent cannot be taken.",
    429: "Too many requests, or a quota is used up. The header `Retry-After` says how many seconds to wait.",
}
EXAMPLES: dict[int, tuple[str, str]] = {
    400: ("invalid", "Some of what was sent is not right."),
    401: ("not_authenticated", "Authentication credentials were not provided."),
    403: ("permission_denied", "You do not have permission to perform this action."),
    404: ("not_found", "No prediction matches the given query."),
    409: ("conflict", "This cannot be done at the moment."),
    410: ("picture_expired", "This picture was removed because of its age; what the networks said is kept."),
    413: ("too_large", "What was sent is larger than 250 MB. Send fewer or smaller pictures at a time."),
    415: ("unsupported_media_type", "Unsupported media type “text/plain” in request."),
    422: ("not_a_picture", "This file is not a picture. Send a JPEG, PNG, WebP, GIF, HEIC or AVIF file."),
    429: ("throttled", "Too many requests. Try again in 12 seconds."),
}


def errors(*statuses: int, **examples: tuple[str, str]) -> dict[int, OpenApiResponse]:
    """Responses for ``extend_schema``: these errors, all of one shape.

    ``examples`` are (code, message) for single statuses: ``errors(404, 409, e409=("not_waiting", "..."))``.
    """
    found = {}
    for status in statuses:
        code, message = examples.get(f"e{status}", EXAMPLES[status])
        example = OpenApiExample(code, {"error": {"code": code, "message": message}})
        found[status] = OpenApiResponse(ErrorBodySerializer, SENTENCES[status], examples=[example])
    return found


def or_empty(**schema: Any) -> dict[str, Any]:
    """The schema of a query parameter that does nothing when it is left empty, as in a form."""
    default = {"default": schema.pop("default")} if "default" in schema else {}
    return {"oneOf": [schema, {"type": "string", "maxLength": 0}], **default}


def answer(shape: Any, description: str, example: Any = None, name: str = "Example") -> OpenApiResponse:
    """A response for ``extend_schema`` with what it says in words and as an example."""
    examples = [] if example is None else [OpenApiExample(name, example)]
    return OpenApiResponse(shape, description, examples=examples)


def request_example(
    value: Any, media_type: str = "application/json", name: str = "Example"
) -> OpenApiExample:
    """An example of a body to send."""
    return OpenApiExample(name, value, request_only=True, media_type=media_type)


def retry_after(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of the description's generator: each 429 has the header that says how long to wait."""
    header = {
        "schema": {"type": "integer", "minimum": 1},
        "description": "Seconds to wait.",
        "required": True,
    }
    for path in result["paths"].values():
        for operation in path.values():
            if "429" in operation["responses"]:
                operation["responses"]["429"]["headers"] = {"Retry-After": header}
    return result


def one_of_several(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A body that must be one of several shapes must be there; the generator only looks at the fields of one."""
    shapes = result.get("components", {}).get("schemas", {})
    for methods in result["paths"].values():
        for operation in methods.values():
            body = operation.get("requestBody", {})
            for content in body.get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                if "oneOf" in shapes.get(name, {}):
                    body["required"] = True
    return result
