"""Where one is logged in: listed, ended one by one or all at once, and forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from tests.accounts.test_login import is_in, log_in
from tests.factories import make_guest, make_user

pytestmark = pytest.mark.django_db

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
    "Safari/537.36 Edg/131.0.0.0"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"
)
CHROMEBOOK = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def laptop(client, user):
    log_in(client, **{"User-Agent": LAPTOP})
    return client


@pytest.fixture
def phone(user):
    client = Client()
    log_in(client, address="2001:db8:1:2:3::4", **{"User-Agent": PHONE})
    return client


def listed(client) -> str:
    return client.get(reverse("usersessions_list")).content.decode()


def end(client, session):
    return client.post(reverse("accounts:end-session", args=[session.pk]))


def age(**columns):
    UserSession.objects.update(**columns)
    sessions._looked.clear()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (PHONE, "Safari, iPhone"),
        (LAPTOP, "Firefox, Linux"),
        (WINDOWS, "Edge, Windows"),
        (ANDROID, "Samsung Internet, Android"),
        (CHROMEBOOK, "Chrome, ChromeOS"),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_words_that_mean_the_same_when_read_again(agent, words):
    assert sessions.browser_of(agent) == words
    assert sessions.browser_of(words) == words


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("not an address", "0.0.0.0"),
        ("", "0.0.0.0"),
    ],
)
def test_of_an_address_only_the_network_is_kept(address, kept):
    assert sessions.network_of(address) == kept
    assert sessions.network_of(kept) == kept


def test_every_device_is_listed_and_this_one_is_marked(laptop, phone):
    page = listed(laptop)
    assert page.count("This device") == 1
    assert page.index("Firefox, Linux") < page.index("This device") < page.index("Safari, iPhone")
    assert "10.0.0.0" in page
    assert "2001:db8:1::" in page
    assert LAPTOP not in page


def test_the_database_holds_no_more_than_the_page_says(laptop, phone):
    rows = set(UserSession.objects.values_list("ip", "user_agent"))
    assert rows == {("10.0.0.0", "Firefox, Linux"), ("2001:db8:1::", "Safari, iPhone")}


def test_one_device_is_logged_out(laptop, phone, user):
    other = UserSession.objects.get(user_agent="Safari, iPhone")
    assert end(laptop, other).url == reverse("usersessions_list")
    assert not is_in(phone)
    assert is_in(laptop)
    assert not UserSession.objects.filter(pk=other.pk).exists()
    assert not Session.objects.filter(pk=other.session_key).exists()


def test_logging_this_device_out_leads_home(laptop):
    assert end(laptop, UserSession.objects.get()).url == reverse("home")
    assert not is_in(laptop)
    assert not UserSession.objects.exists()


def test_nobody_ends_the_sessions_of_others(laptop, phone):
    stranger = Client()
    stranger.force_login(make_user("stranger@example.com"))
    assert end(stranger, UserSession.objects.get(user_agent="Safari, iPhone")).status_code == 404
    assert is_in(phone)


def test_looking_at_the_address_of_an_end_ends_nothing(laptop, phone):
    session = UserSession.objects.get(user_agent="Safari, iPhone")
    assert laptop.get(reverse("accounts:end-session", args=[session.pk])).url == reverse("usersessions_list")
    assert is_in(phone)


def test_everywhere_else_is_logged_out_at_once(laptop, phone):
    laptop.post(reverse("usersessions_list"))
    assert is_in(laptop)
    assert not is_in(phone)


def test_ending_all_spares_the_one_that_is_named_and_other_people(laptop, phone, user):
    other = Client()
    other.force_login(make_user("other@example.com"))
    assert sessions.end_all(user, except_key=laptop.session.session_key) == 1
    assert (is_in(laptop), is_in(phone), is_in(other)) == (True, False, True)
    assert sessions.end_all(user) == 1
    assert not is_in(laptop)
    assert not UserSession.objects.filter(user=user).exists()
    assert sessions.end_all(user) == 0


def test_the_row_goes_with_the_logout(laptop):
    laptop.post(reverse("account_logout"))
    assert not UserSession.objects.exists()


def test_a_new_password_leaves_one_row_for_the_session_that_goes_on(laptop, phone):
    data = {
        "oldpassword": "correct horse battery staple",
        "password1": "two more horses",
        "password2": "two more horses",
    }
    laptop.post(reverse("account_change_password"), data)
    assert is_in(laptop)
    assert not is_in(phone)
    assert listed(laptop).count("Last seen:") == 1


def test_a_visit_is_noted_but_not_each(laptop, user):
    now = timezone.now()
    age(last_seen_at=now - timedelta(hours=3))
    user.last_login = now - timedelta(hours=3)
    user.save()
    laptop.get("/account/")
    seen = UserSession.objects.get().last_seen_at
    assert seen >= now
    laptop.get("/account/")
    assert UserSession.objects.get().last_seen_at == seen


def test_a_session_from_before_it_was_noted_is_noted_at_its_next_visit(laptop, user):
    UserSession.objects.all().delete()
    user.last_login = timezone.now() - timedelta(days=1)
    user.save()
    sessions._looked.clear()
    laptop.get("/account/", headers={"User-Agent": LAPTOP})
    assert UserSession.objects.get().user_agent == "Firefox, Linux"


def test_visitors_and_guests_are_not_noted(client):
    client.get("/")
    make_guest(client)
    client.get("/predict/")
    assert not UserSession.objects.exists()


def test_what_is_over_is_swept_and_what_is_not_stays(laptop, phone):
    gone = UserSession.objects.get(user_agent="Safari, iPhone")
    Session.objects.filter(pk=gone.session_key).update(expire_date=timezone.now() - timedelta(minutes=1))
    age(last_seen_at=timezone.now() - timedelta(hours=1))
    assert sessions.sweep() == 1
    assert [row.user_agent for row in UserSession.objects.all()] == ["Firefox, Linux"]
    assert Session.objects.count() == 1
    assert is_in(laptop)


def test_failed_logins_are_forgotten_when_they_no_longer_count(settings, db):
    row = AccessAttempt.objects.create(
        username="ada@example.com", ip_address="10.0.0.1", failures_since_start=1
    )
    sessions.sweep()
    assert AccessAttempt.objects.count() == 1
    AccessAttempt.objects.filter(pk=row.pk).update(
        attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME * 2
    )
    sessions.sweep()
    assert AccessAttempt.objects.count() == 0


def test_the_account_page_leads_to_the_list(laptop):
    assert reverse("usersessions_list") in laptop.get("/account/").content.decode()


def test_the_admin_finds_and_ends_sessions(laptop, phone):
    root = Client()
    root.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    address = reverse("admin:usersessions_usersession_changelist")
    assert root.get(address, {"q": "ada@"}).context["cl"].result_count == 2
    session = UserSession.objects.get(user_agent="Safari, iPhone")
    root.post(reverse("admin:usersessions_usersession_delete", args=[session.pk]), {"post": "yes"})
    assert not is_in(phone)
    assert is_in(laptop)
