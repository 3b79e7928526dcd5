"""Every page carries the strict headers, and the policy's nonce is the one in the page."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.template import engines
from django.urls import path

from classifier_site import urls as site_urls


def page(request):
    template = engines["django"].from_string('<script nonce="{{ csp_nonce }}">1</script>')
    return HttpResponse(template.render({}, request))


urlpatterns = [path("test-page/", page), *site_urls.urlpatterns]
handler404 = site_urls.handler404

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def policy(response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts if name}


def test_the_policy_is_strict(client):
    found = policy(client.get("/test-page/"))
    assert found["default-src"] == "'none'"
    assert found["object-src"] == "'none'"
    assert found["base-uri"] == "'none'"
    assert found["frame-ancestors"] == "'none'"
    assert found["form-action"] == "'self'"
    assert found["connect-src"] == "'self'"
    assert found["img-src"] == "'self' blob: data:"
    assert not any("unsafe" in value or "http" in value or "*" in value for value in found.values())


def test_the_nonce_is_new_each_time_and_the_pages_own(client):
    nonces = set()
    for _ in range(2):
        response = client.get("/test-page/")
        [nonce] = re.findall(r'nonce="([^"]+)"', response.content.decode())
        assert f"'nonce-{nonce}'" in policy(response)["script-src"]
        nonces.add(nonce)
    assert len(nonces) == 2


@pytest.mark.parametrize(
    "address", ["/", "/test-page/", "/no-such-page/", "/accounts/login/", "/api/v1/nothing/"]
)
def test_every_answer_carries_the_headers(client, address):
    response = client.get(address)
    assert "Content-Security-Policy" in response
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Permissions-Policy"].startswith("camera=(self), microphone=()")


def test_pages_of_a_person_stay_out_of_shared_caches(client, django_user_model):
    client.force_login(django_user_model.objects.create_user(email="a@example.com"), backend=BACKEND)
    assert "private" in client.get("/account/")["Cache-Control"]


BACKEND = "django.contrib.auth.backends.ModelBackend"


def test_the_page_of_the_programming_interface_needs_no_exception(client):
    response = client.get("/api/docs/")
    assert response.status_code == 200
    text = response.content.decode()
    assert "<style" not in text
    assert re.findall(r"<script>", text) == []
    assert policy(response)["script-src"] == "'self'"
    assert client.get("/api/schema/").status_code == 200


@pytest.mark.parametrize("address", ["/", "/learn/", "/accounts/signup/", "/no-such-page/"])
def test_every_page_lets_the_browser_tell_its_time_zone(client, address):
    assert client.get(address).content.decode().count("js/timezone") == 1


def test_an_icon_is_found_by_pages_that_name_none(client):
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
