from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from accounts import timezones
from accounts.middleware import TimeZoneMiddleware
from tests.factories import make_user

LATE = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)


class Anonymous:
    is_authenticated = False


def date_shown(user=None, cookie=None, path="/history/") -> str:
    """What a page says about half past eleven at night, UTC."""

    def view(request):
        return HttpResponse(Template("{{ moment|date:'Y-m-d H:i' }}").render(Context({"moment": LATE})))

    request = RequestFactory().get(path)
    request.user = user or Anonymous()
    if cookie is not None:
        request.COOKIES["tz"] = cookie
    return TimeZoneMiddleware(view)(request).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2026-06-30 23:30"),
        ("Europe/Berlin", "2026-07-01 01:30"),
        ("America/Los_Angeles", "2026-06-30 16:30"),
        ("Asia/Kathmandu", "2026-07-01 05:15"),
    ],
)
def test_the_accounts_zone_rules_the_dates(zone, shown):
    assert date_shown(make_user(time_zone=zone)) == shown


@pytest.mark.django_db
def test_the_account_is_stronger_than_the_browser():
    assert date_shown(make_user(time_zone="Europe/Berlin"), cookie="Asia/Tokyo") == "2026-07-01 01:30"


@pytest.mark.django_db
def test_a_zone_that_is_no_more_becomes_utc():
    assert date_shown(make_user(time_zone="Europe/Atlantis")) == "2026-06-30 23:30"


@pytest.mark.parametrize("cookie", ["Asia/Tokyo", "Asia%2FTokyo"])
def test_a_visitor_has_the_browsers_zone(cookie):
    assert date_shown(cookie=cookie) == "2026-07-01 08:30"


@pytest.mark.parametrize(
    "cookie", [None, "", "Nowhere", "../../etc/passwd", "/etc/localtime", "%00", "x" * 5000]
)
def test_a_visitor_whose_browser_says_nonsense_has_utc(cookie):
    assert date_shown(cookie=cookie) == "2026-06-30 23:30"


@pytest.mark.django_db
def test_programs_are_told_utc():
    assert date_shown(make_user(time_zone="Europe/Berlin"), path="/api/v1/x/") == "2026-06-30 23:30"


def test_one_visitors_zone_is_not_the_next_ones():
    def view(request):
        assert timezone.get_current_timezone_name() == "Asia/Tokyo"
        raise RuntimeError

    request = RequestFactory().get("/")
    request.user = Anonymous()
    request.COOKIES["tz"] = "Asia/Tokyo"
    with pytest.raises(RuntimeError):
        TimeZoneMiddleware(view)(request)
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_choices_are_valid_and_hold_the_current_one():
    def flat(choices):
        for value, label in choices:
            if isinstance(label, list):
                yield from (name for name, _text in label)
            else:
                yield value

    offered = list(flat(timezones.choices("US/Eastern")))
    assert {"UTC", "US/Eastern", "Europe/Berlin", "Asia/Kolkata"} <= set(offered)
    assert len(offered) == len(set(offered))
    assert all(timezones.is_valid(name) for name in offered)
    assert "US/Eastern" not in list(flat(timezones.choices()))
    assert "nonsense" not in list(flat(timezones.choices("nonsense")))
