"""What the privacy page and the terms say is what the site does."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils.html import strip_tags

from accounts import deletion, exports, guests
from classifier_site import legal
from learn import upkeep
from tests.accounts.test_login import log_in
from tests.factories import make_guest, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

STATIC = Path(django_settings.BASE_DIR) / "static" / "js"
OPERATOR = {
    "OPERATOR_NAME": "Example University",
    "OPERATOR_EMAIL": "privacy@convoscope.example",
    "OPERATOR_ADDRESS": "1 Example Street, Exampleton",
}


def words(client: Client, address: str) -> str:
    """The page's own text in one line."""
    page = client.get(address).content.decode()
    [article] = re.findall(r"<article.*</article>", page, re.DOTALL)
    return " ".join(unescape(strip_tags(article)).split())


@pytest.mark.parametrize("address", ["/privacy/", "/terms/"])
def test_each_page_is_short_and_starts_with_a_summary(client, address):
    page = client.get(address).content.decode()
    assert page.count("<h1>") == 1
    assert page.index('id="summary"') < page.index('id="operator"')
    assert len(words(client, address).split()) <= 1000 + 250 * (address == "/privacy/")  # its tables
    assert "style=" not in page


@pytest.mark.parametrize(
    "address", ["/", "/predict/", "/accounts/signup/", "/accounts/login/", "/no-such-page/"]
)
def test_every_page_leads_there(client, address):
    page = client.get(address).content.decode()
    assert 'href="/privacy/"' in page
    assert 'href="/terms/"' in page


@pytest.mark.parametrize("address", ["/predict/", "/accounts/signup/"])
def test_whoever_hands_something_over_is_told_before_and_not_only_in_the_footer(client, address):
    page = client.get(address).content.decode()
    assert page.count('href="/privacy/"') == page.count('href="/terms/"') == 2


@pytest.mark.parametrize("address", ["/privacy/", "/terms/"])
def test_the_operator_is_named(client, settings, address):
    assert "run by whoever started it" in words(client, address)
    for name, value in OPERATOR.items():
        setattr(settings, name, value)
    page = words(client, address)
    assert all(value in page for value in OPERATOR.values())
    assert "whoever started it" not in page


def test_the_figures_are_those_of_the_code(client, settings, monkeypatch):
    settings.RETENTION_MONTHS = 17
    settings.SESSION_COOKIE_AGE = 9 * 24 * 3600
    monkeypatch.setattr(deletion, "PAUSE", timedelta(days=23))
    monkeypatch.setattr(exports, "KEPT", timedelta(days=29))
    monkeypatch.setattr(guests, "LIFETIME", timedelta(hours=31))
    monkeypatch.setattr(upkeep, "UNUSED", timedelta(days=37))
    page = words(client, "/privacy/")
    for figure in (
        "was not asked about for 17 months",
        "at the latest 9 days after its login",
        "An account waits 23 days",
        "Its link works for 29 days",
        "erased after 31 hours",
        "when nobody has looked at it for 37 days",
    ):
        assert figure in page
    assert "It waits 23 days" in words(client, "/terms/")


def test_where_pictures_are_not_removed_by_age_the_page_says_so(client, settings):
    settings.RETENTION_MONTHS = 0
    page = words(client, "/privacy/")
    assert "pictures stay until you delete them" in page
    assert "months" not in page


def test_where_pictures_are_kept_by_somebody_else_the_page_names_them(client, settings):
    assert "Amazon" not in words(client, "/privacy/")
    settings.AWS_STORAGE_BUCKET_NAME = "bucket"
    assert "private store of Amazon Web Services" in words(client, "/privacy/")


def set_by_the_server() -> set[str]:
    """The cookies of somebody who looks around, tries a picture, logs in wrongly and rightly, and changes something."""
    found: set[str] = set()
    visitor, member = Client(), Client()
    make_guest(visitor)
    make_user("ada@example.com")
    answers = [
        visitor.get(address) for address in ("/", "/learn/", "/predict/", "/privacy/", "/accounts/signup/")
    ]
    answers += [log_in(member, password="wrong"), log_in(member)]
    answers += [member.get(address) for address in ("/account/", "/history/", "/accounts/2fa/", "/api/docs/")]
    answers += [member.post("/account/", {"time_zone": "Europe/Berlin"}), member.get("/account/")]
    answers += [visitor.post("/language/", {"language": "en"})]
    answers += [member.get("/accounts/reauthenticate/"), member.post("/accounts/logout/")]
    for answer in answers:
        found |= set(answer.cookies)
    return found | set(visitor.cookies)


def set_by_the_pages() -> set[str]:
    return {
        name
        for path in STATIC.glob("*.js")
        for name in re.findall(r"document\.cookie = `(\w+)=", path.read_text(encoding="utf-8"))
    }


def test_every_cookie_is_listed_and_every_listed_one_is_set(settings):
    listed = {row.name for row in legal.cookies()}
    assert set_by_the_server() | set_by_the_pages() == listed


def test_what_pages_keep_in_the_browser_is_listed():
    stored = set()
    for path in STATIC.rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        constants = dict(re.findall(r'^const (\w+) = "([\w.-]+)";', source, re.MULTILINE))
        for name in re.findall(r"(?:local|session)Storage\.setItem\(([^,]+),", source):
            stored.add(constants.get(name) or name.strip('"'))
        assert not re.search(r"indexedDB|caches\.open", source), path.name
    assert stored == {name for row in legal.STORAGE for name in row.name.split(", ")}


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(seconds=10), "10 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=25), "25 hours"),
        (timedelta(days=10), "10 days"),
        (timedelta(days=14), "2 weeks"),
        (timedelta(days=365), "1 year"),
    ],
)
def test_a_time_is_said_in_the_largest_unit_that_fits(length, expected):
    assert legal.duration(length) == expected
