"""Bulk by bucket on moto: what is put below inbox/ has its result below outbox/, once, whatever goes wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage

from predictions import images, inbox, inbox_events, inbox_results
from predictions.models import Batch, InboxObject, Prediction, RemovedPicture, Upload
from tests.aws.inboxes import Inbox, inbox_lines, png
from tests.pictures import encoded, scene

# --- what is written ---------------------------------------------------------------------------------------


def test_a_picture_put_into_the_inbox_has_its_answers_in_the_outbox_and_leaves_nothing_else(
    box: Inbox,
) -> None:
    key = "tiny/holi days/réd + cat.png"
    box.put(f"inbox/{key}")
    assert box.messages() == 2  # S3 tests a queue that it is given
    box.run()
    result = box.result(f"outbox/{key}.json")
    assert result["file_name"] == "réd + cat.png"
    assert result["key"] == f"inbox/{key}"
    assert result["label"] == "red"
    assert "error" not in result
    (answer,) = result["networks"]
    assert (answer["network"], answer["artifact"], answer["label"]) == ("tiny", "tiny-1", "red")
    assert [one["label"] for one in answer["top5"]] == ["red", "woman", "black", "white", "green"]
    assert sum(one["probability"] for one in answer["top5"]) == pytest.approx(1, abs=0.01)
    assert result["ended"].endswith("Z")
    assert box.keys("") == [f"outbox/{key}.json"]
    assert box.messages() == 0
    assert not Upload.objects.exists()
    assert not Prediction.objects.exists()
    assert not Batch.objects.exists()


def test_many_pictures_are_asked_about_as_bulk_work_by_the_networks_that_their_folders_name(
    box: Inbox,
) -> None:
    blue = png((10, 10, 250))
    places = ["small+tiny/a.png", "b.png", "tiny/c.png", "other/d.png", "tiny+other/e.png"]
    for place in places:
        box.put(f"inbox/{place}", blue)
    inbox.work()
    assert set(Prediction.objects.values_list("priority", "owner__email")) == {(30, box.owner.email)}
    box.run()
    asked = {
        place: [one["network"] for one in box.result(f"outbox/{place}.json")["networks"]] for place in places
    }
    both = ["tiny", "small"]
    assert asked == {**dict.fromkeys(places, both), places[0]: ["small", "tiny"], places[2]: ["tiny"]}
    assert {box.result(f"outbox/{place}.json")["label"] for place in places} == {"blue"}
    assert box.proxy.count("PUT", "outbox/") == len(places)


def test_what_is_no_picture_is_answered_with_a_sentence_and_stays_in_the_inbox(box: Inbox) -> None:
    large = b"\x89PNG" + bytes(images.MAX_BYTES)
    refused = {
        "notes.txt": (b"<html>no picture</html>", "not_a_picture"),
        "half.png": (png(side=64)[:-40], "truncated"),
        "empty.png": (b"", "empty"),
        "large.png": (large, "too_large"),
    }
    for name, (data, _code) in refused.items():
        box.put(f"inbox/{name}", data)
    box.run()
    for name, (_data, code) in refused.items():
        result = box.result(f"outbox/{name}.json")
        assert result["error"]["code"] == code
        assert result["error"]["message"].endswith(".")
        assert result["label"] is None
        assert result["networks"] == []
    assert len(box.keys("inbox/")) == len(refused)
    assert box.proxy.count("GET", "inbox/large.png") == 0
    # Larger than S3 has said.
    box.only_told()
    box.tell("inbox/grown.png", box.put("inbox/grown.png", large), size=5)
    box.run()
    assert box.result("outbox/grown.png.json")["error"]["code"] == "too_large"


def test_an_object_that_is_gone_before_it_is_read_is_said_to_be_and_takes_no_answer_away(box: Inbox) -> None:
    box.only_told()
    box.tell("inbox/gone.png")
    box.tell("inbox/there.png", box.put("inbox/there.png"))
    box.run()
    assert box.result("outbox/gone.png.json")["error"]["code"] == "unreadable"
    box.tell("inbox/there.png", version="02")  # of an upload that somebody deleted again
    box.run()
    assert box.result("outbox/there.png.json")["label"] == "red"


def test_a_picture_that_looks_like_a_removed_one_waits_for_a_moderator(box: Inbox) -> None:
    data = encoded(scene(), "PNG")
    mark = images.prepare(data, "x.png").fingerprint
    RemovedPicture.objects.create(fingerprint=mark)
    box.put("inbox/scene.png", data)
    box.run()
    assert box.result("outbox/scene.png.json")["error"]["code"] == "held_for_review"
    (upload,) = Upload.objects.all()
    assert upload.held
    assert default_storage.exists(upload.file.name)


def test_a_name_as_long_as_s3_takes_has_a_result_of_its_own(box: Inbox) -> None:
    stem = "inbox/" + "é" * 508
    results = [inbox_results.key_of(f"{stem}{end}") for end in ("a1", "b2")]
    assert all(len(result.encode()) <= 1024 and result.startswith("outbox/é") for result in results)
    assert len(set(results)) == 2
    box.put(f"{stem}a1")
    box.run()
    assert box.result(results[0])["key"] == f"{stem}a1"


# --- once --------------------------------------------------------------------------------------------------


def test_what_is_told_of_again_and_again_has_one_result(box: Inbox) -> None:
    box.only_told()
    body = box.tell("inbox/a.png", box.put("inbox/a.png"))
    box.say(body)
    inbox.work()
    box.say(body)
    box.run()
    box.say(body)
    box.run()
    assert InboxObject.objects.count() == 1
    assert box.messages() == 0
    assert len(box.writings("outbox/a.png.json")) == box.proxy.count("PUT", "outbox/") == 1


def test_of_versions_that_arrive_out_of_order_the_last_one_stands(box: Inbox) -> None:
    box.only_told()
    first = box.put("inbox/a.png", png())
    second = box.put("inbox/a.png", png((10, 250, 10)))
    box.tell("inbox/a.png", second, version="0A2")
    box.run()
    box.tell("inbox/a.png", first, version="0A10")  # less than 0A20
    box.run()
    assert box.result("outbox/a.png.json")["label"] == "green"
    third = box.put("inbox/a.png", png((10, 10, 250)))
    box.tell("inbox/a.png", third, version="0A3")
    box.run()
    assert [json.loads(data)["label"] for data in box.writings("outbox/a.png.json")] == ["blue", "green"]
    assert box.keys("inbox/") == []


def test_a_version_that_was_put_while_the_one_before_was_answered_stays_until_it_is_answered(
    box: Inbox,
) -> None:
    box.only_told()
    box.tell("inbox/a.png", box.put("inbox/a.png"))
    inbox.work()
    second = box.put("inbox/a.png", png((10, 10, 250)))
    box.run()
    assert box.keys("inbox/") == ["inbox/a.png"]
    box.tell("inbox/a.png", second, version="02")
    box.run()
    assert box.result("outbox/a.png.json")["label"] == "blue"
    assert box.keys("inbox/") == []


def test_somebody_elses_object_in_the_outbox_is_left_alone(box: Inbox, caplog: Any) -> None:
    box.put("outbox/a.png.json", b"mine")
    box.put("inbox/a.png")
    box.run()
    assert box.writings("outbox/a.png.json") == [b"mine"]
    assert box.keys("inbox/") == ["inbox/a.png"]
    assert "not ours" in caplog.text


# --- messages that are something else ----------------------------------------------------------------------


NO_EVENTS = [
    "",
    "no json",
    "[1]",
    "{}",
    '{"Records": [{"eventSource": "aws:s3"}]}',
    "[" * 5000,
    '{"Records": [7]}',
]


@pytest.mark.parametrize("body", NO_EVENTS)
def test_what_is_no_event_is_seen_to_be_none(body: str) -> None:
    with pytest.raises(inbox_events.Malformed):
        inbox_events.read(body, "b", list)


def test_a_message_that_is_no_event_stays_for_the_dead_letter_queue(box: Inbox, caplog: Any) -> None:
    box.only_told()
    box.say("no json")
    box.tell("inbox/a.png", box.put("inbox/a.png"))
    box.run()
    assert box.messages() == 1
    assert box.result("outbox/a.png.json")["label"] == "red"
    assert len([line for line in inbox_lines(caplog) if "stays there" in line]) == 1


def test_events_of_other_things_are_deleted_and_nothing_is_written_outside_of_the_outbox(
    box: Inbox, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    box.only_told()
    box.tell("inbox/../outbox/a.png")
    box.tell("pictures/a.png")
    box.tell("inbox/folder/", size=0)
    box.tell("inbox/a.png", eventName="ObjectRemoved:Delete")
    box.tell("inbox/a.png", eventSource="aws:sns")
    box.tell("inbox/a.png", s3={"bucket": {"name": "another"}, "object": {}})
    box.say(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": box.bucket}))
    box.run()
    assert box.messages() == 0
    assert box.keys("") == []
    assert not InboxObject.objects.exists()
    assert len([line for line in inbox_lines(caplog) if "left alone" in line]) == 7


@pytest.mark.parametrize(
    "thing",
    [
        {"key": "inbox/a%00.png"},
        {"key": "inbox/%ff.png"},
        {"key": "inbox/" + "a" * 1019},
        {"size": -1},
        {"size": "5"},
        {"eTag": "a b"},
        {"sequencer": "1\r\nx: y"},
    ],
)
def test_a_key_or_version_that_s3_would_not_write_is_none(thing: dict[str, Any]) -> None:
    good = {"key": "inbox/a.png", "size": 5, "eTag": "0" * 32, "sequencer": "01"}

    def body(object_: dict[str, Any]) -> str:
        told = {"bucket": {"name": "b"}, "object": object_}
        return json.dumps(
            {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}]}
        )

    assert inbox_events.read(body(good), "b", list)
    with pytest.raises(inbox_events.Malformed):
        inbox_events.read(body(good | thing), "b", list)


# --- the timer ---------------------------------------------------------------------------------------------


def test_a_wake_up_is_sent_only_where_a_worker_takes_it(
    box: Inbox, no_wake_ups: list[str], settings: Any
) -> None:
    from predictions.models import Heartbeat

    def sent(action: Callable[[], None]) -> list[str]:
        no_wake_ups.clear()
        action()
        return list(no_wake_ups)

    assert sent(inbox.wake_up) == []
    Heartbeat.objects.create(name="x:1", queues="archives,lab")
    assert sent(inbox.wake_up) == ["predictions.take_inbox"]
    settings.INBOX_QUEUE_URL = ""
    assert sent(inbox.wake_up) == []
    assert not inbox.work()


def test_rows_are_remembered_for_longer_than_any_queue_keeps_messages(box: Inbox) -> None:
    from django.utils import timezone

    box.put("inbox/a.png")
    box.run()
    assert inbox.sweep() == 0
    InboxObject.objects.update(written=timezone.now() - inbox.REMEMBERED - timedelta(minutes=1))
    assert inbox.sweep() == 1
