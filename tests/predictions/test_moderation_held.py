"""What moderators do about pictures that are held for review, and what their senders read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from predictions import moderation, services
from predictions.models import Batch, Prediction, Upload
from tests.factories import make_picture, make_runs
from tests.predictions.moderating import WHY, logged

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def held(user: User) -> tuple[Upload, Batch]:
    """A held picture and one that was taken in, as the intake leaves them behind."""
    first, _second = make_runs(user, 2, models=("tiny",))
    assert moderation.hold(first.upload)
    entry = {"position": 0, "filename": "held.png", "code": "held_for_review", "message": "It is looked at."}
    entry["upload"] = str(first.upload_id)
    other = {"position": 7, "filename": "broken.png", "code": "truncated", "message": "It is cut off."}
    Batch.objects.filter(pk=first.batch_id).update(rejected=[entry, other])
    return first.upload, first.batch


def test_what_is_held_is_seen_by_nobody_and_computed_by_nobody(page: Client, user: User) -> None:
    upload, _batch = held(user)
    assert not moderation.hold(upload)
    assert page.get(f"/pictures/{upload.pk}/").status_code == 404
    assert Prediction.objects.waiting().get().upload != upload
    assert logged() == [("hold", None, upload.pk, "")]


def test_a_draft_that_is_withheld_cannot_be_seen_or_used(page: Client, user: User, moderator: User) -> None:
    drafts = [services.store(user, make_picture()) for _ in range(2)]
    assert page.get(f"/pictures/{drafts[0].pk}/").status_code == 200
    moderation.hold(drafts[0])
    moderation.hide(moderator, [drafts[1]], WHY)
    for draft in drafts:
        assert page.get(f"/pictures/{draft.pk}/").status_code == 404
        assert page.get(f"/predict/?upload={draft.pk}").status_code == 404
        assert page.post("/predict/live/", {"draft": str(draft.pk)}).status_code == 404
        sent = {"draft": str(draft.pk), "model": "tiny"}
        assert page.post("/predict/", sent, headers={"accept": "text/html"}).status_code == 422


def test_what_is_released_is_answered_and_no_longer_called_held(
    moderator: User, user: User, no_wake_ups: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    upload, batch = held(user)
    no_wake_ups.clear()
    with django_capture_on_commit_callbacks(execute=True):
        assert moderation.release(moderator, [upload], "Another picture.") == 1
    assert moderation.release(moderator, [upload], "Another picture.") == 0
    assert no_wake_ups == ["predictions.predict"]
    upload.refresh_from_db()
    batch.refresh_from_db()
    assert (upload.hidden, upload.held) == (None, False)
    assert [entry["code"] for entry in batch.rejected] == ["truncated"]
    assert Prediction.objects.waiting().count() == 2
    assert [entry[0] for entry in logged()] == ["hold", "release"]


def test_what_is_held_may_stay_hidden_or_be_removed_and_its_sender_is_told(
    moderator: User, user: User
) -> None:
    upload, _batch = held(user)
    assert moderation.release(moderator, [make_runs(user, models=("tiny",))[0].upload], "") == 0
    assert moderation.hide(moderator, [upload], WHY) == 1
    upload.refresh_from_db()
    assert upload.hidden is not None
    assert not upload.held
    again, other = held(user)
    moderation.remove(moderator, [again], WHY)
    other.refresh_from_db()
    assert [entry["code"] for entry in other.rejected] == ["removed_by_moderators", "truncated"]
    assert "removed" in json.dumps(other.rejected[0])


def codes(batch: Batch) -> list[str]:
    batch.refresh_from_db()
    return [entry["code"] for entry in batch.rejected]


def test_hidden_after_the_review_it_no_longer_waits_and_shown_again_it_is_not_called_held(
    moderator: User, user: User
) -> None:
    upload, batch = held(user)
    moderation.hide(moderator, [upload], WHY)
    assert codes(batch) == ["hidden_by_moderators", "truncated"]
    moderation.show(moderator, [upload], "It was another picture after all.")
    assert codes(batch) == ["truncated"]
    moderation.hide(moderator, [upload], WHY)
    assert codes(batch) == ["truncated"]


def test_removed_after_it_was_hidden_its_sender_is_told(moderator: User, user: User) -> None:
    upload, batch = held(user)
    moderation.hide(moderator, [upload], WHY)
    moderation.remove(moderator, [upload], WHY)
    assert codes(batch) == ["removed_by_moderators", "truncated"]
