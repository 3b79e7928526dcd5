"""The API's description: every call is named, explained, exemplified, and its errors have one shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
from django.test import Client
from django.urls import get_resolver

from tests.predictions.test_api import KEYS

METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = Client().get("/api/schema/?format=json").json()
    return found


def calls() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document()["paths"].items():
        for method, call in operations.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", call


def contents(call: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent and answered, by kind: (where, content)."""
    for kind, content in call.get("requestBody", {}).get("content", {}).items():
        yield f"request {kind}", content
    for status, answer in call["responses"].items():
        for kind, content in answer.get("content", {}).items():
            yield f"{status} {kind}", content


def test_every_call_of_the_api_is_described() -> None:
    paths = {path.removeprefix("/api/v1/") for path in document()["paths"]}
    described = {path.replace("{id}", "{pk}") for path in paths}
    routed = set()
    for entry in get_resolver().url_patterns:
        if str(entry.pattern) == "api/v1/":
            for inner in entry.url_patterns:
                routed |= {
                    re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)) for route in inner.url_patterns
                }
    assert described == routed - {""}  # the root lists the others


def test_every_call_has_a_name_of_its_own_a_summary_and_a_tag() -> None:
    names = [call.get("operationId") for _name, call in calls()]
    assert all(names)
    assert len(set(names)) == len(names)
    for name, call in calls():
        assert call["summary"], name
        assert len(call["tags"]) == 1, name


def test_names_of_calls_stay_because_generated_clients_use_them() -> None:
    names = {call["operationId"] for _name, call in calls()}
    assert names >= {
        "predictions_create",
        "predictions_destroy",
        "predictions_image_retrieve",
        "predictions_list",
        "predictions_retrieve",
        "token_create",
    }


def test_whatever_is_sent_or_answered_has_an_example() -> None:
    for name, call in calls():
        for where, content in contents(call):
            assert content.get("examples"), f"{name}: {where}"


def test_every_answer_is_explained_and_every_call_says_how_it_refuses() -> None:
    for name, call in calls():
        for status, answer in call["responses"].items():
            assert answer["description"], f"{name}: {status}"
        refusals = {status for status in call["responses"] if "400" <= status < "500"}
        assert "429" in refusals, name
        # The password itself is the credential where a token is asked for.
        assert "401" in refusals or call["operationId"] == "token_create", name
        if "{id}" in name:
            assert "404" in refusals, name
        if "requestBody" in call:
            assert {"400", "413", "415"} <= refusals, name


def test_errors_have_one_shape() -> None:
    for name, call in calls():
        for status, answer in call["responses"].items():
            if status >= "400":
                (content,) = answer["content"].values()
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, f"{name}: {status}"
    detail = document()["components"]["schemas"]["ErrorDetail"]
    assert set(detail["properties"]) == {"code", "message", "fields"}
    assert set(detail["required"]) == {"code", "message"}


def test_throttled_calls_say_how_long_to_wait() -> None:
    for name, call in calls():
        assert "Retry-After" in call["responses"]["429"]["headers"], name


def test_a_prediction_has_the_fields_that_programs_rely_on() -> None:
    schemas = document()["components"]["schemas"]
    assert set(schemas["Prediction"]["properties"]) == KEYS
    assert set(schemas["Prediction"]["required"]) == KEYS


def test_the_post_of_pictures_takes_a_form_and_a_key() -> None:
    post = document()["paths"]["/api/v1/predictions/"]["post"]
    assert set(post["responses"]) >= {"202", "400", "413", "422"}
    assert set(post["requestBody"]["content"]) == {"multipart/form-data"}
    (header,) = post["parameters"]
    assert (header["name"], header["in"]) == ("Idempotency-Key", "header")
    assert set(post["responses"]["202"]["headers"]) == {"Idempotency-Replayed"}


def test_examples_are_as_their_schemas_say() -> None:
    components = json.loads(
        json.dumps(document()["components"]).replace('"nullable": true', '"x-null": true')
    )
    for name, call in calls():
        for where, content in contents(call):
            if "json" not in where:
                continue
            schema = {**_nullable(content["schema"]), "components": _nullable(components)}
            validator = jsonschema_rs.validator_for(schema, validate_formats=True)
            for example in content["examples"].values():
                errors = [str(error) for error in validator.iter_errors(example["value"])]
                assert not errors, f"{name}: {where}: {errors}"


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key not in ("x-null", "nullable")}
    is_null = schema.get("x-null") is True or schema.get("nullable") is True
    return {"anyOf": [plain, {"type": "null"}]} if is_null else plain


def test_a_page_shows_the_document() -> None:
    response = Client().get("/api/docs/")
    assert response.status_code == 200
    assert b"swagger" in response.content
    assert b'<a href="/">Back to Convoscope</a>' in response.content
