"""Errors have one shape under /api/ and are pages elsewhere, outages and oversized bodies included."""

from __future__ import annotations

import errno

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from django.urls import path
from django.views.decorators.http import require_POST
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from classifier_site import urls as site_urls
from classifier_site.bodies import TOO_SLOW
from tests.factories import make_user

RAISED: dict[str, Exception] = {
    "suspicious": SuspiciousOperation("x"),
    "denied": PermissionDenied(),
    "missing": Http404(),
    "missing-said": Http404("That prediction was deleted."),
    "bug": ValueError("secret detail"),
    "database": OperationalError("password=letmein"),
    "disk": OSError(errno.ENOSPC, "full"),
    "slow": UnreadablePostError("timed out"),
}


def raising(request, what):
    raise RAISED[what]


def refusing(request):
    return HttpResponse("plain words", status=409, content_type="text/plain")


@require_POST
def only_post(request):
    return HttpResponse()


def reading(request):
    return HttpResponse(str(len(request.FILES)))


class Once(SimpleRateThrottle):
    rate = "1/min"

    def get_cache_key(self, request, view):
        return "once"


class Form(serializers.Serializer):
    name = serializers.CharField(max_length=3)
    boxes = serializers.ListField(child=serializers.IntegerField())


class Api(APIView):
    authentication_classes = []
    permission_classes = []

    def post(self, request):
        form = Form(data=request.data)
        form.is_valid(raise_exception=True)
        return Response({})


class Throttled(Api):
    throttle_classes = [Once]

    def get(self, request):
        return Response({})


class Raising(Api):
    def get(self, request, what):
        raise {
            **RAISED,
            "sentence": exceptions.ValidationError("Choose a network.", code="no_network"),
            "conflict": exceptions.APIException("Taken.", code="taken"),
        }[what]


class Closed(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [
    path("raise/<str:what>/", raising),
    path("api/raise/<str:what>/", raising),
    path("api/read/", reading),
    path("api/refuse/", refusing),
    path("refuse/", refusing),
    path("api/only-post/", only_post),
    path("only-post/", only_post),
    path("api/form/", Api.as_view()),
    path("api/throttled/", Throttled.as_view()),
    path("api/api-raise/<str:what>/", Raising.as_view()),
    path("api/closed/", Closed.as_view()),
    *site_urls.urlpatterns,
]
handler400 = site_urls.handler400
handler403 = site_urls.handler403
handler404 = site_urls.handler404
handler500 = site_urls.handler500

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def quiet(client):
    client.raise_request_exception = False
    return client


CASES = [
    ("suspicious", 400, "bad_request"),
    ("denied", 403, "permission_denied"),
    ("missing", 404, "not_found"),
    ("bug", 500, "server_error"),
    ("database", 503, "unavailable"),
    ("disk", 503, "unavailable"),
    ("slow", 408, "too_slow"),
]


@pytest.mark.parametrize(("what", "status", "code"), CASES)
def test_programs_read_the_one_shape(quiet, what, status, code):
    for prefix in ("/api/raise/", "/api/api-raise/"):
        if what == "bug" and prefix == "/api/api-raise/":
            continue
        response = quiet.get(f"{prefix}{what}/")
        assert response.status_code == status
        body = response.json()
        assert set(body) == {"error"}
        assert body["error"]["code"] == code
        assert body["error"]["message"]
        assert "letmein" not in str(body)


@pytest.mark.parametrize(("what", "status", "code"), CASES)
def test_people_read_a_page(quiet, what, status, code):
    response = quiet.get(f"/raise/{what}/", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    text = response.content.decode()
    assert "<html" in text
    assert "letmein" not in text
    assert "secret detail" not in text


def test_an_outage_says_when_to_come_back(quiet):
    for address in ("/raise/database/", "/api/raise/disk/", "/api/api-raise/database/"):
        assert quiet.get(address)["Retry-After"] == "5"


def test_the_error_page_needs_no_database(client, django_user_model, monkeypatch):
    """The page of an outage must not ask who is logged in."""
    user = django_user_model.objects.create_user(email="a@example.com")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.raise_request_exception = False

    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", fail)
    response = client.get("/accounts/email/")
    assert response.status_code == 503
    assert b"<html" in response.content


def test_a_views_own_sentence_is_shown(quiet):
    body = quiet.get("/api/raise/missing-said/").json()
    assert body["error"]["message"] == "That prediction was deleted."


def test_an_unknown_address_does_not_list_the_addresses(client):
    response = client.get("/api/v1/no-such-thing/")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    assert "pattern" not in response.content.decode()


def test_a_script_that_asks_for_json_gets_it(quiet):
    response = quiet.get("/raise/missing/", headers={"accept": "application/json"})
    assert response.json()["error"]["code"] == "not_found"


def test_wrong_fields_are_named(client):
    response = client.post("/api/form/", {"name": "long", "boxes": ["x"]}, content_type="application/json")
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid"
    assert set(error["fields"]) == {"name", "boxes.0"}
    assert all(isinstance(sentence, str) for sentences in error["fields"].values() for sentence in sentences)


def test_one_wrong_field_is_in_the_sentence(client):
    response = client.post("/api/form/", {"name": "long", "boxes": []}, content_type="application/json")
    assert response.json()["error"]["message"].startswith("name: ")


def test_a_sentence_without_a_field_keeps_its_code(client):
    response = client.get("/api/api-raise/sentence/")
    assert response.json() == {"error": {"code": "no_network", "message": "Choose a network."}}
    assert client.get("/api/api-raise/conflict/").json()["error"]["code"] == "taken"


@pytest.mark.parametrize(
    ("method", "options", "status", "code"),
    [
        ("put", {}, 405, "method_not_allowed"),
        ("post", {"data": "{", "content_type": "application/json"}, 400, "parse_error"),
        ("post", {"data": "x", "content_type": "text/csv"}, 415, "unsupported_media_type"),
    ],
)
def test_what_the_framework_refuses_has_the_shape_too(client, method, options, status, code):
    response = getattr(client, method)("/api/form/", **options)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code


def test_a_throttle_says_how_long_to_wait(client):
    assert client.get("/api/throttled/").status_code == 200
    response = client.get("/api/throttled/")
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert response.json()["error"]["code"] == "throttled"


def test_anonymous_is_401(client):
    response = client.get("/api/closed/")
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == "Token"


def test_an_expired_form_is_explained(rf):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {})
    assert response.status_code == 403
    assert b"reload" in response.content.lower()


@pytest.mark.parametrize("address", ["/api/read/", "/raise/missing/"])
def test_a_declared_length_above_the_limit_is_413(client, settings, address):
    settings.BODY_LIMIT = 1000
    settings.BODY_LIMITS = {}
    response = client.post(address, b"x" * 1001, content_type="application/octet-stream")
    assert response.status_code == 413
    if address.startswith("/api/"):
        assert response.json()["error"]["code"] == "too_large"
    else:
        assert b"<html" in response.content


def test_210_files_are_read_and_211_are_refused_with_a_sentence(client):
    from django.core.files.uploadedfile import SimpleUploadedFile

    def files(count):
        return {"image": [SimpleUploadedFile(f"{n}.png", b"x") for n in range(count)]}

    assert client.post("/api/read/", files(210)).status_code == 200
    response = client.post("/api/read/", files(211))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "too_many_files"


def test_too_large_a_form_without_files_is_413(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = client.post("/api/form/", {"name": "x" * 200, "boxes": []}, content_type="application/json")
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("address", "limit"), [("/predict/", "250 MB"), ("/predict/draft/", "12 MB"), ("/account/", "2.5 MB")]
)
def test_a_413_names_the_limit_of_the_address(client, address, limit):
    response = client.get(address, CONTENT_LENGTH="300000000", headers={"accept": "application/json"})
    assert response.status_code == 413
    assert f"than {limit}" in response.json()["error"]["message"]


def test_a_body_that_stalled_is_408(client):
    response = client.get("/api/read/", **{TOO_SLOW: True})
    assert response.status_code == 408
    assert response.json()["error"]["code"] == "too_slow"
    assert b"<html" in client.get("/", **{TOO_SLOW: True}).content


@pytest.mark.parametrize(
    ("address", "accept", "json"),
    [
        ("/only-post/", "text/html", False),
        ("/only-post/", "application/json", True),
        ("/predict/draft/", "application/json", True),
        ("/api/only-post/", "text/html", True),
        ("/api/docs/", "text/html", True),
        ("/api/schema/", "application/yaml", True),
        ("/api/v1/predictions/", "*/*", True),
        ("/api/v1/token/", "*/*", True),
    ],
)
def test_a_method_that_is_not_taken_is_explained(client, address, accept, json):
    client.force_login(make_user())
    response = client.put(address, "{}", content_type="application/json", headers={"accept": accept})
    assert response.status_code == 405
    assert "PUT" not in response["Allow"]
    if json:
        assert response["Content-Type"].startswith("application/json")
        error = response.json()["error"]
        assert error["code"] == "method_not_allowed"
        assert "PUT" in error["message"]
    else:
        assert b"<html" in response.content


def test_what_the_schema_cannot_be_answered_as_is_json(client):
    response = client.get("/api/schema/", headers={"accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["error"]["code"] == "not_acceptable"


def test_whatever_is_refused_below_api_has_the_shape_and_pages_keep_theirs(client):
    error = client.get("/api/refuse/").json()["error"]
    assert set(error) == {"code", "message"}
    assert "409" in error["message"]
    assert client.get("/refuse/").content == b"plain words"
