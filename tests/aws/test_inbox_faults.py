"""Bulk by bucket when workers die and services are away: nothing is lost, and nothing is written twice."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff

from accounts import suspension
from predictions import images, inbox, inbox_bucket, inbox_messages, inbox_results, inference, removal
from predictions.models import InboxObject, Prediction, Upload
from tests.aws.inboxes import Inbox, inbox_lines


class Killed(BaseException):
    """The worker is gone at this point."""


def killed(*args: Any, **options: Any) -> Any:
    raise Killed


# --- workers that die --------------------------------------------------------------------------------------

STEPS: dict[str, tuple[Any, str]] = {
    "before the row": (InboxObject.objects, "bulk_create"),
    "before the message is deleted": (inbox_bucket, "delete"),
    "while the picture is read": (inbox_bucket, "read"),
    "after the networks were asked, before it is committed": (InboxObject.objects, "finish_all"),
    "before the result is fixed": (inbox_results, "compose"),
    "before the result is written": (inbox_bucket, "write"),
    "before the picture leaves the inbox": (inbox_bucket, "remove"),
    "before the row ends": (inbox, "_close"),
    "before the site's copy is removed": (removal, "delete_files"),
}


def test_a_worker_killed_at_any_step_loses_nothing_and_writes_nothing_twice(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is not deleted comes again at once.
    monkeypatch.setattr(inbox_bucket, "VISIBILITY", 0)
    box.only_told()
    for name, (step, (where, what)) in zip("abcdefghi", STEPS.items(), strict=True):
        body = box.tell(f"inbox/{name}.png", box.put(f"inbox/{name}.png"))
        with monkeypatch.context() as patch:
            patch.setattr(where, what, killed)
            # Nobody tidies up after a process that is killed.
            patch.setattr(inbox, "_leave", lambda claim: None)
            with pytest.raises(Killed):
                box.run()
        undeleted = step in ("before the row", "before the message is deleted")
        assert box.messages() == undeleted, step
        box.later()
        box.say(body)
        box.run()
        assert box.result(f"outbox/{name}.png.json")["label"] == "red", step
        assert len(box.writings(f"outbox/{name}.png.json")) == 1, step
        assert box.keys("inbox/") == [], step
        assert InboxObject.objects.get(key=f"inbox/{name}.png").written, step
        assert not Prediction.objects.exists(), step
        assert not Upload.objects.exists(), step


def test_a_picture_that_kills_its_worker_three_times_is_given_up_and_the_others_are_answered(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = images.prepare

    def poisoned(data: bytes, filename: str, **options: Any) -> Any:
        return killed() if filename == "poison.png" else prepare(data, filename, **options)

    monkeypatch.setattr(inbox, "prepare", poisoned)
    monkeypatch.setattr(inbox, "_leave", lambda claim: None)
    for name in ("poison.png", "a.png", "b.png"):
        box.put(f"inbox/{name}")
    for _attempt in range(3):
        with pytest.raises(Killed):
            box.run()
        box.later()
    box.run()
    assert box.result("outbox/poison.png.json")["error"]["code"] == "gave_up"
    assert {box.result(f"outbox/{name}.png.json")["label"] for name in "ab"} == {"red"}


def test_a_result_that_another_worker_has_fixed_is_the_one_that_is_written(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = inbox_results.compose

    def overtaken(row: InboxObject, runs: Any) -> str:
        # This worker's lease has run out, and the picture was deleted between its look and the other one's.
        InboxObject.objects.filter(pk=row.pk).update(result=compose(row, ()))
        return compose(row, runs)

    monkeypatch.setattr(inbox_results, "compose", overtaken)
    box.put("inbox/a.png")
    box.run()
    assert box.result("outbox/a.png.json")["error"]["code"] == "removed"
    assert len(box.writings("outbox/a.png.json")) == 1


# --- services that are away --------------------------------------------------------------------------------


AWAY = {"a": ("GET", "inbox/"), "b": ("PUT", "pictures/"), "c": ("PUT", "outbox/"), "d": ("DELETE", "inbox/")}


def test_while_s3_is_away_everything_waits(box: Inbox, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)
    for name, (method, key) in AWAY.items():
        caplog.clear()
        box.put(f"inbox/{name}.png")
        box.proxy.fail(
            "error", only=lambda request, m=method, k=key: request.method == m and request.key.startswith(k)
        )
        box.run()
        assert box.writings(f"outbox/{name}.png.json") == [] or method == "DELETE"
        assert len([line for line in inbox_lines(caplog) if "does not answer" in line]) == 1
        box.proxy.heal()
        box.later()
        box.run()
        assert box.result(f"outbox/{name}.png.json")["label"] == "red"
        assert len(box.writings(f"outbox/{name}.png.json")) == 1
        assert not Upload.objects.exists()
        assert InboxObject.objects.get(key=f"inbox/{name}.png").attempts <= 1


def test_from_a_slow_bucket_fewer_at_a_time_are_settled_and_no_attempt_is_lost(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = inbox_bucket.read

    def slow(*args: Any) -> bytes:
        monkeypatch.setattr(inbox, "READ_SECONDS", -1.0)
        return read(*args)

    monkeypatch.setattr(inbox, "THREADS", 1)
    monkeypatch.setattr(inbox_bucket, "read", slow)
    for name in "abc":
        box.put(f"inbox/{name}.png")
    inbox.work()
    rows = InboxObject.objects.order_by("status").values_list("status", "attempts")
    assert list(rows) == [("done", 1), ("queued", 0), ("queued", 0)]
    monkeypatch.undo()
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0)
    box.run()
    assert len(box.keys("outbox/")) == 3


def test_an_answer_of_s3_that_is_lost_does_not_make_a_second_result(box: Inbox) -> None:
    box.put("inbox/a.png")
    box.proxy.fail(
        "lost", 1, only=lambda request: request.method == "PUT" and request.key.startswith("outbox/")
    )
    box.run()
    assert len(box.writings("outbox/a.png.json")) == 1
    assert InboxObject.objects.get().written


def test_while_sqs_is_away_results_are_written_and_one_line_says_so(
    box: Inbox, settings: Any, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    box.put("inbox/a.png")
    inbox.work()
    queue, settings.INBOX_QUEUE_URL = (
        settings.INBOX_QUEUE_URL,
        "http://127.0.0.1:9/123456789012/convoscope-inbox",
    )
    box.run()
    assert box.result("outbox/a.png.json")["label"] == "red"
    settings.INBOX_QUEUE_URL = queue
    box.put("inbox/b.png")
    box.run()
    assert box.result("outbox/b.png.json")["label"] == "red"
    said = [line for line in inbox_lines(caplog) if line.startswith("The inbox:")]
    assert [line.rpartition(" ")[2] for line in said] == ["again.", "again."]
    assert "works again" in said[1]


def test_messages_wait_for_an_account_that_may_ask(box: Inbox, settings: Any, caplog: Any) -> None:
    settings.INBOX_OWNER = "nobody@example.com"
    box.put("inbox/a.png")
    box.run()
    assert box.messages() == 2
    assert not InboxObject.objects.exists()
    assert len(inbox_lines(caplog)) == 1
    assert "INBOX_OWNER names no active account" in caplog.text
    settings.INBOX_OWNER = "Bulk@Example.com"
    box.run()
    assert box.result("outbox/a.png.json")["label"] == "red"


def test_what_a_suspension_interrupts_is_taken_again_after_it(box: Inbox, django_user_model: Any) -> None:
    moderator = django_user_model.objects.create_superuser("boss@example.com", "x")
    box.put("inbox/a.png")
    inbox.work()
    assert Prediction.objects.count() == 2
    suspension.suspend(moderator, box.owner, "To look at it.")
    box.run()
    assert box.keys("outbox/") == []
    assert not Prediction.objects.exists()
    suspension.lift(moderator, box.owner, "It is well.")
    box.run()
    assert box.result("outbox/a.png.json")["label"] == "red"


def test_no_more_wait_on_the_site_than_it_may_have_in_hand(box: Inbox, monkeypatch: Any) -> None:
    monkeypatch.setattr(inbox_messages, "IN_FLIGHT", 3)
    monkeypatch.setattr(inference, "drain", lambda: False)
    box.only_told()
    for name in "abcde":
        box.tell(f"inbox/{name}.png", box.put(f"inbox/{name}.png"))
    box.run()
    assert InboxObject.objects.count() == 3
    assert box.messages() == 2
