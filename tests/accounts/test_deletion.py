"""An account's end: asked for with the password, undone for a week, and then nothing of it is left."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts import deletion, exports, guests, registry, tasks
from accounts.models import ApiToken, ModerationEntry, User
from predictions import inference, moderation
from predictions.models import Prediction, Report, Share, Upload
from tests.factories import PASSWORD, finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

DELETE = "/account/delete/"
KEEP = "/account/keep/"
JSON = {"accept": "application/json"}


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client


def asked(user: User, ago: timedelta = timedelta(0)) -> User:
    """Has its owner ask for the end, so long ago."""
    deletion.ask(user)
    User.objects.filter(pk=user.pk).update(deletion_due=user.deletion_due - ago)
    user.refresh_from_db()
    return user


def overdue(user: User) -> User:
    return asked(user, timedelta(days=7, seconds=1))


def log_in(client: Client, user: User) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- asking ------------------------------------------------------------------------------------------------


def test_the_page_says_what_goes_when_and_how_to_keep_it(page, user):
    text = page.get(DELETE).content.decode()
    for words in (
        user.email,
        "After 7 days",
        "API tokens",
        "To keep it",
        "export everything",
        "Your password",
    ):
        assert words in text
    assert DELETE in page.get("/account/").content.decode()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_right_password_nothing_happens(page, user, password):
    assert page.post(DELETE, {"password": password}).status_code == 422
    user.refresh_from_db()
    assert user.deletion_due is None
    assert mail.outbox == []
    assert page.get("/account/").status_code == 200


def test_guessing_the_password_is_limited(page, limits, monkeypatch):
    # One window, whatever the minute.
    monkeypatch.setattr("accounts.throttle.wait.__defaults__", (10**12,))
    assert [page.post(DELETE, {"password": "wrong"}).status_code for _ in range(6)] == [422] * 5 + [429]


def test_it_closes_the_account_at_once_and_says_so_by_e_mail(page, user, client):
    elsewhere = Client()
    log_in(elsewhere, user)
    before = timezone.now()
    response = page.post(DELETE, {"password": PASSWORD}, follow=True)
    assert "your account is erased. To keep it, log in before then." in response.content.decode()
    user.refresh_from_db()
    assert (
        timedelta(days=7) - timedelta(minutes=1) < user.deletion_due - before < timedelta(days=7, minutes=1)
    )
    for browser in (page, elsewhere):
        assert browser.get("/account/").url.startswith("/accounts/login/")
    (message,) = mail.outbox
    assert message.to == [user.email]
    assert message.subject == "Convoscope: Your account will be erased in seven days"
    assert "http://testserver/account/keep/" in message.body


def test_a_mail_server_that_is_away_does_not_keep_anybody_here(page, user, monkeypatch):
    def away(*args: Any) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr("accounts.adapter.AccountAdapter.send_mail", away)
    assert page.post(DELETE, {"password": PASSWORD}).status_code == 302
    user.refresh_from_db()
    assert user.deletion_due is not None


def test_asked_for_twice_the_first_day_counts(user):
    first = asked(user, timedelta(days=3)).deletion_due
    assert deletion.ask(user) is False
    assert user.deletion_due == first


def test_the_last_administrator_stays_and_of_two_one_may_go(client):
    boss = make_user(is_staff=True, is_superuser=True)
    client.force_login(boss)
    response = client.post(DELETE, {"password": PASSWORD})
    assert response.status_code == 422
    assert "only administrator" in response.content.decode()
    second = make_user(is_staff=True, is_superuser=True)
    assert deletion.ask(second)
    with pytest.raises(deletion.LastSuperuser):
        deletion.ask(boss)
    assert deletion.keep(second)
    assert deletion.ask(boss)


def test_staff_may_go_and_reach_the_admin_no_more(client):
    staff = asked(make_user(is_staff=True))
    client.force_login(staff)
    assert client.get("/admin/").url == KEEP


# --- the pause ---------------------------------------------------------------------------------------------


def test_logging_in_leads_to_one_page_that_asks(client, user):
    asked(user)
    assert log_in(client, user).status_code == 302
    for address in (
        "/",
        "/predict/",
        "/history/",
        "/account/",
        "/account/delete/",
        "/accounts/password/change/",
    ):
        assert client.get(address).url == KEEP
    assert client.post("/account/tokens/", {"name": "x"}).url == KEEP
    assert not ApiToken.objects.exists()
    text = client.get(KEEP).content.decode()
    assert "Keep my account" in text
    assert "Log out" in text


def test_one_can_log_out_instead(client, user):
    asked(user)
    log_in(client, user)
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get(KEEP).url.startswith("/accounts/login/")


def test_kept_it_is_as_before(client, user, small_networks):
    (run,) = make_runs(user, models=("tiny",))
    asked(user)
    log_in(client, user)
    response = client.post(KEEP, follow=True)
    assert response.redirect_chain == [("/account/", 302)]
    assert "Your account is kept" in response.content.decode()
    assert client.get(f"/predictions/{run.pk}/").status_code == 200
    assert deletion.sweep() == 0


def test_who_has_nothing_to_keep_is_shown_the_account(page):
    assert page.get(KEEP).url == "/account/"
    assert page.post(KEEP).url == "/account/"


def test_after_the_seven_days_keeping_comes_too_late(client, user):
    overdue(user)
    log_in(client, user)
    assert "were over" in client.post(KEEP, follow=True).content.decode()
    assert deletion.keep(user) is False
    assert deletion.sweep() == 1


def test_scripts_and_programs_are_told_and_a_token_works_again_afterwards(client, user):
    _token, key = ApiToken.objects.issue(user, "laptop")
    header = {"authorization": f"Token {key}"}
    asked(user)
    client.force_login(user)
    answers = [
        Client().get("/api/v1/predictions/", headers=header),
        client.get("/api/v1/predictions/"),
        client.get("/predict/", headers=JSON),
        Client().post("/api/v1/token/", {"email": user.email, "password": PASSWORD}, "application/json"),
    ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [
        (403, "account_deletion_pending")
    ] * 4
    deletion.keep(user)
    assert Client().get("/api/v1/predictions/", headers=header).status_code == 200


def test_what_others_see_does_not_change(user, client):
    asked(user)
    assert client.get("/").status_code == 200
    client.force_login(make_user())
    assert client.get("/account/").status_code == 200


def test_what_waits_is_still_answered_during_the_pause(user, small_networks):
    (run,) = make_runs(user, models=("tiny",))
    asked(user)
    inference.drain()
    run.refresh_from_db()
    assert run.status == "done"


# --- the end -----------------------------------------------------------------------------------------------


def everything(user: User, client: Client) -> None:
    """What the site may come to know of somebody, moderators and a stranger around them."""
    staff, other = make_user("boss@example.com", is_staff=True), make_user("other@example.com")
    EmailAddress.objects.create(user=user, email="second@example.net")
    log_in(client, user)
    client.get("/account/")
    old = SessionStore()
    old.update({"_auth_user_id": str(user.pk), "_auth_user_hash": "of a session that no row names"})
    old.save()
    signed_up = SessionStore()
    signed_up.update({guests.SIGN_UP_KEY: {"guest": 1, "email": user.email}, "theme": "dark"})
    signed_up.save()
    ApiToken.objects.issue(user, "laptop")
    AccessAttempt.objects.create(username=user.email, ip_address="192.0.2.7", failures_since_start=2)
    first, hidden = make_runs(user, pictures=2, models=("tiny",))
    finish(first)
    share = Share.objects.create(owner=user, kind="prediction", run=first)
    Prediction.objects.filter(pk=hidden.pk).update(deleted=timezone.now())
    hidden.upload.hidden = timezone.now()
    hidden.upload.save()
    (theirs,) = make_runs(other, models=("tiny",))
    Report.objects.create(
        upload=hidden.upload,
        share=share,
        account=user,
        reporter=other,
        reporter_key=str(other.pk),
        reason="person",
    )
    Report.objects.create(
        upload=theirs.upload,
        account=other,
        reporter=user,
        reporter_key=str(user.pk),
        reason="other",
        text="I am Ada",
    )
    ModerationEntry.objects.create(
        actor=staff, account=user, action="hide", picture=hidden.upload_id, reason="x"
    )
    ModerationEntry.objects.create(actor=user, account=other, action="dismiss")
    (gone,) = make_runs(user, models=("tiny",))
    Upload.objects.filter(pk=gone.upload_id).update(filename="Ada Lovelace.png")
    gone.upload.refresh_from_db()
    named = LogEntry(object_id=gone.upload_id, object_repr=str(gone.upload), user=staff, action_flag=DELETION)
    named.content_type = ContentType.objects.get_for_model(Upload)
    named.save()
    moderation.remove(staff, [gone.upload], "It is of a person.")
    for row, change in (
        (user, ""),
        (EmailAddress.objects.filter(user=user).first(), ""),
        (other, f'"{user.email}"'),
    ):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
            change_message=change,
        )
    exports.ask(user)
    exports.prepare()
    exports.DataExport.objects.update(finished=timezone.now() - timedelta(hours=2))
    exports.ask(user)


def traces(pk: int, words: list[str]) -> list[str]:
    """Every field of every table that names the account by its id or one of these words."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.all():
            for field in model._meta.concrete_fields:
                value = getattr(row, field.attname)
                if isinstance(row, Session) and field.name == "session_data":
                    value = row.get_decoded()
                names = field.related_model is User and value == pk
                if names or any(word in str(value) for word in words):
                    found.append(f"{model.__name__}.{field.name}: {value}")
    return found


def test_after_seven_days_nothing_is_left_of_it_in_any_table_or_folder(
    user, client, own_media, small_networks
):
    everything(user, client)
    pk, words = user.pk, [user.email, "second@example.net", "I am Ada", "Ada Lovelace"]
    tables = {line.split(".")[0] for line in traces(pk, words)}
    assert {"Upload", "Share", "UserSession", "Session", "AccessAttempt", "LogEntry", "DataExport"} <= tables
    deletion.ask(user)
    assert deletion.sweep() == 0
    User.objects.filter(pk=pk).update(deletion_due=timezone.now() - timedelta(seconds=1))
    assert deletion.sweep() == 1
    assert traces(pk, [*words, f"'_auth_user_id': '{pk}'"]) == []
    assert len(files(own_media)) == 1  # the other one's picture
    # What moderators did stays, without of whom it was.
    assert set(ModerationEntry.objects.values_list("action", "account__email", "actor__email")) == {
        ("hide", None, "boss@example.com"),
        ("remove", None, "boss@example.com"),
        ("dismiss", "other@example.com", None),
    }
    assert set(Report.objects.values_list("account__email", "reporter__email", "text")) == {
        (None, "other@example.com", ""),
        ("other@example.com", None, ""),
    }
    assert LogEntry.objects.filter(object_repr="–").count() == 4
    # A guest's session, which only remembered for whom it had signed up, goes on.
    assert [s.get_decoded().get("theme") for s in Session.objects.all()].count("dark") == 1


def test_interrupted_it_goes_on_and_others_are_not_kept_waiting(user, monkeypatch, own_media, small_networks):
    make_runs(user, models=("tiny",))
    other = make_user()
    overdue(user)
    overdue(other)
    User.objects.filter(pk=user.pk).update(deletion_due=timezone.now() - timedelta(days=1))
    forget = registry.forget

    def fails_for_one(one: User) -> None:
        if one.pk == user.pk:
            raise OperationalError("the database went away")
        forget(one)

    monkeypatch.setattr(registry, "forget", fails_for_one)
    assert deletion.sweep() == 1
    user.refresh_from_db()
    assert user.is_active is False
    assert deletion.keep(user) is False
    monkeypatch.undo()
    assert deletion.sweep() == 1
    assert not User.objects.exists()
    assert deletion.sweep() == 0


def test_a_batch_that_runs_meanwhile_ends_without_a_trace(user, monkeypatch, own_media, small_networks):
    make_runs(user, pictures=3, models=("tiny",))
    overdue(user)
    network = inference.predictor("tiny")
    answer = network.answers

    def erased_meanwhile(pixels: Any) -> Any:
        assert deletion.sweep() == 1
        return answer(pixels)

    monkeypatch.setattr(network, "answers", erased_meanwhile)
    inference.drain()
    assert not Prediction.objects.exists()
    assert not User.objects.exists()
    assert files(own_media) == []


def test_it_stops_when_its_time_is_up(user):
    overdue(user)
    overdue(make_user())
    times = iter([0.0, 1.0, 11.0])
    assert deletion.sweep(10.0, clock=lambda: next(times)) == 1
    assert User.objects.count() == 1


def test_the_timer_wakes_the_worker_when_somebodys_time_is_over(user, no_wake_ups):
    asked(user)
    tasks.wake_up()
    assert no_wake_ups == []
    User.objects.update(deletion_due=timezone.now() - timedelta(seconds=1))
    tasks.wake_up()
    assert no_wake_ups == ["accounts.erase_accounts"]
    tasks.erase_accounts()
    assert not User.objects.exists()


def test_sessions_that_are_listed_end_with_the_question(user, client):
    log_in(client, user)
    assert UserSession.objects.filter(user=user).exists()
    deletion.ask(user)
    assert not UserSession.objects.filter(user=user).exists()
    assert not Session.objects.filter(session_key=client.session.session_key).exists()
