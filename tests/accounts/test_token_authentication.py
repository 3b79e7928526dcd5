from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.models import ApiToken

pytestmark = pytest.mark.django_db


class WhoAmI(APIView):
    """A view with the authentication that every view of the API has unless it says otherwise."""

    authentication_classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = api_settings.DEFAULT_PERMISSION_CLASSES
    throttle_classes = []

    @extend_schema(responses=None)
    def get(self, request):
        return Response({"email": request.user.email})

    @extend_schema(exclude=True)
    def post(self, request):
        return self.get(request)


def ask(authorization=None, method="get", user=None, **kw):
    headers = {"Authorization": authorization} if authorization is not None else {}
    request = getattr(APIRequestFactory(enforce_csrf_checks=True), method)("/", headers=headers, **kw)
    if user is not None:
        request.user = user
    return WhoAmI.as_view()(request)


def test_a_token_acts_for_its_owner(user):
    token, key = ApiToken.objects.issue(user, "laptop")
    assert ask(f"Token {key}").data == {"email": "ada@example.com"}
    assert ask(f"token {key}", "post").data == {"email": "ada@example.com"}
    token.refresh_from_db()
    assert token.last_used is not None


def test_a_revoked_token_is_nobody(user):
    token, key = ApiToken.objects.issue(user, "laptop")
    token.delete()
    assert ask(f"Token {key}").status_code == 401


def test_an_inactive_owners_token_is_nobody(user):
    _token, key = ApiToken.objects.issue(user, "laptop")
    user.is_active = False
    user.save()
    assert ask(f"Token {key}").status_code == 401


@pytest.mark.parametrize(
    "header", ["Token", "Token ", "Token a b", "Token wrong", "Token \xff\xfe", "Token " + "x" * 9000]
)
def test_a_token_that_is_none_is_refused_with_a_sentence(user, header):
    response = ask(header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert str(response.data["error"]["message"]).endswith(".")


@pytest.mark.parametrize("header", [None, "", "Basic YWRhOmFkYQ==", "Bearer x", "Tokens x"])
def test_without_a_token_one_is_told_to_bring_one(header):
    response = ask(header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"


def test_a_session_has_to_prove_that_its_own_page_asked(user):
    assert ask(user=user).status_code == 200
    refused = ask(method="post", user=user)
    assert refused.status_code == 403
    assert "CSRF" in str(refused.data["error"]["message"])


def test_a_session_with_a_csrf_token_may_post(user):
    value = "a" * 32
    factory = APIRequestFactory(enforce_csrf_checks=True)
    request = factory.post("/", headers={"X-CSRFToken": value})
    request.COOKIES[settings.CSRF_COOKIE_NAME] = value
    request.user = user
    assert WhoAmI.as_view()(request).status_code == 200


def test_the_openapi_document_knows_both_the_scheme_and_the_endpoint():
    patterns = [path("api/v1/", include("accounts.api_urls")), path("api/v1/me/", WhoAmI.as_view())]
    document = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    assert document["components"]["securitySchemes"]["tokenAuth"]["name"] == "Authorization"
    assert {"tokenAuth": []} in document["paths"]["/api/v1/me/"]["get"]["security"]
    assert "post" in document["paths"]["/api/v1/token/"]
    assert set(document["components"]["schemas"]["Token"]["properties"]) == {"token"}
