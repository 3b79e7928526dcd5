"""An account erased once its seven days are over: nothing of it is left, whatever comes in between."""

from __future__ import annotations

from datetime import timedelta
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
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts import deletion, exports, guests, registry, tasks
from accounts.models import ApiToken, ModerationEntry, User
from predictions import inference, moderation
from predictions.models import Prediction, Report, Share, Upload
from tests.accounts.endings import asked, log_in, overdue
from tests.factories import finish, make_runs, make_user
from tests.folders import files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]


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
