"""Classes of one's own as rows: what may be named and added, and how a worker trains them."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from PIL import Image

from accounts.models import User
from learn import own_classes, own_network, own_results, own_training, tasks
from learn.models import OwnClasses, OwnExample
from learn.own_classes import Refused
from predictions import job_tables, samples
from predictions.jobs import MAX_ATTEMPTS
from tests.factories import make_user
from tests.learn.owning import BLUE, RED, broken, make_seeing, own_set, picture, trained

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeing", "no_wake_ups")]


def refusal(action: Any, *values: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        action(*values)
    return caught.value.code, str(caught.value)


# --- names -----------------------------------------------------------------------------------------------------


def test_a_new_set_rests_until_it_is_to_be_trained(user: User) -> None:
    owned = own_classes.create(user, "  My\tdesk ", [" my  mug", "my keys\u202e"])
    assert (owned.title, owned.classes) == ("My desk", ["my mug", "my keys"])
    assert owned.is_final
    assert not owned.trained
    assert own_training.drain() is False
    owned.refresh_from_db()
    assert owned.attempts == 0


@pytest.mark.parametrize(
    ("title", "names", "code"),
    [
        ("", ["a", "b"], "no_title"),
        ("x" * 61, ["a", "b"], "title_too_long"),
        ("Desk", [], "too_few_classes"),
        ("Desk", ["mug"], "too_few_classes"),
        ("Desk", ["mug", " "], "no_name"),
        ("Desk", ["mug", "\u200b\u0000"], "no_name"),
        ("Desk", ["mug", "MUG"], "name_twice"),
        ("Desk", ["mug", "k" * 41], "name_too_long"),
        ("Desk", [str(i) for i in range(11)], "too_many_classes"),
    ],
)
def test_what_cannot_be_named(user: User, title: str, names: list[str], code: str) -> None:
    assert refusal(own_classes.create, user, title, names)[0] == code
    assert not OwnClasses.objects.exists()


def test_classes_are_added_renamed_and_removed_with_their_pictures(user: User) -> None:
    owned = own_set(user, ("mug", "keys", "pen"), each=2)
    own_classes.add_class(owned, "cup")
    own_classes.rename_class(owned, "keys", "Keys")
    own_classes.remove_class(owned, "mug")
    assert OwnClasses.objects.get().classes == owned.classes == ["Keys", "pen", "cup"]
    assert own_classes.counts(owned) == [2, 2, 0]
    names = OwnExample.objects.filter(index=0).values_list("filename", flat=True)
    assert set(names) == {"20-0.png", "20-1.png"}
    assert "“pen”" in refusal(own_classes.rename_class, owned, "cup", "pen")[1]
    assert refusal(own_classes.add_class, owned, "KEYS")[0] == "name_twice"
    assert refusal(own_classes.remove_class, owned, "mug")[0] == "no_class"
    own_classes.remove_class(owned, "cup")
    assert refusal(own_classes.remove_class, owned, "pen")[0] == "too_few_classes"
    for number in range(8):
        own_classes.add_class(owned, f"more {number}")
    assert refusal(own_classes.add_class, owned, "one more")[0] == "too_many_classes"


def test_an_account_has_so_many_sets(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_classes, "MOST_SETS", 2)
    for title in ("one", "two"):
        own_classes.create(user, title, ["a", "b"])
    assert refusal(own_classes.create, user, "three", ["a", "b"])[0] == "too_many_sets"
    own_classes.create(make_user(), "three", ["a", "b"])


# --- pictures --------------------------------------------------------------------------------------------------


def test_what_the_network_sees_is_kept_and_nothing_else(user: User, own_media: Path) -> None:
    owned = own_set(user, each=0)
    own_classes.add_pictures(owned, "mug", [picture(RED, name="my mug.png", size=(60, 40))])
    example = OwnExample.objects.get()
    assert len(example.pixels) == 8 * 8 * 3
    assert (example.index, example.filename) == (0, "my mug.png")
    seen = np.frombuffer(bytes(example.pixels), np.uint8).reshape(8, 8, 3)
    assert np.abs(seen.mean((0, 1)) - RED).max() < 8
    assert not own_media.exists() or not [one for one in own_media.rglob("*") if one.is_file()]


def test_a_file_that_is_no_picture_does_not_hinder_the_others(user: User) -> None:
    owned = own_set(user, each=0)
    found = own_classes.add_pictures(owned, "mug", [picture(seed=1), broken(), picture(seed=2)])
    assert found.taken == 2
    assert found.rejected == [
        ("notes.txt", "This file is not a picture. Send a JPEG, PNG, WebP, GIF, HEIC or AVIF file.")
    ]


def test_the_same_picture_counts_once_and_is_of_one_class(user: User) -> None:
    owned = own_set(user, each=0)
    own_classes.add_pictures(owned, "mug", [picture(seed=1)])
    again = own_classes.add_pictures(
        owned,
        "mug",
        [picture(seed=1, name="b.png"), *(picture(seed=2, name=name) for name in ("c.png", "d.png"))],
    )
    assert again.taken == 1
    assert again.rejected == [
        ("b.png", "This picture is in “mug” already."),
        ("d.png", "This picture is in “mug” already."),
    ]
    other = own_classes.add_pictures(owned, "keys", [picture(seed=1)])
    assert other.rejected[0].message == "The same picture cannot be in “mug” and in “keys”."
    assert own_classes.counts(owned) == [2, 0]
    twin = OwnExample.objects.first()
    assert twin is not None
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    ("most", "says"), [("MOST_OF_A_CLASS", "A class has at most 3"), ("MOST_PICTURES", "A set has at most 3")]
)
def test_what_is_too_many_is_not_taken(
    user: User, monkeypatch: pytest.MonkeyPatch, most: str, says: str
) -> None:
    monkeypatch.setattr(own_classes, most, 3)
    owned = own_set(user, each=0)
    found = own_classes.add_pictures(owned, "mug", [picture(seed=i) for i in range(5)])
    assert found.taken == 3
    assert [one.filename for one in found.rejected] == ["220-3.png", "220-4.png"]
    assert all(one.message.startswith(says) for one in found.rejected)


def test_without_a_network_a_class_or_a_file_nothing_is_taken(user: User, seeing: Path) -> None:
    owned = own_set(user, each=0)
    assert refusal(own_classes.add_pictures, owned, "mug", [])[0] == "no_picture"
    assert refusal(own_classes.add_pictures, owned, "cup", [picture()])[0] == "no_class"
    (seeing / "seeing" / "card.json").unlink()
    assert refusal(own_classes.add_pictures, owned, "mug", [picture()])[0] == "no_network"
    assert refusal(own_classes.train, owned)[0] == "no_network"


def test_the_most_accurate_network_with_features_is_used(seeing: Path) -> None:
    make_seeing(seeing, "better", top1=0.9)
    make_seeing(seeing, "worse", top1=0.7)
    card = own_network.card()
    assert card is not None
    assert card.name == "better"


# --- training --------------------------------------------------------------------------------------------------


def test_a_worker_trains_a_head_that_knows_the_classes(
    user: User, no_wake_ups: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    owned = own_set(user, each=5)
    with django_capture_on_commit_callbacks(execute=True):
        own_classes.train(owned)
        own_classes.train(owned)  # pressed twice
    assert no_wake_ups == ["learn.train_own"]
    owned.refresh_from_db()
    assert owned.status == "queued"
    tasks.train_own()
    owned.refresh_from_db()
    assert (owned.status, owned.artifact, owned.result["folds"]) == ("done", "seeing-1", 5)
    assert owned.result["confusion"] == [[5, 0], [0, 5]]
    seen = own_results.verdict(owned.result)
    assert seen.share is not None
    assert (seen.share.right, seen.share.n) == (10, 10)
    assert 0.6 < seen.share.low < seen.share.high == pytest.approx(1)
    card = own_network.card()
    assert card is not None
    blue = np.full((1, 8, 8, 3), BLUE, np.uint8)
    (answers,) = own_results.answers(owned, own_network.of_pixels(card, blue))
    assert answers[0].name == "keys"
    assert answers[0].probability > 0.9
    assert sum(one.probability for one in answers) == pytest.approx(1)


def test_a_class_with_one_picture_is_trained_and_not_judged(user: User) -> None:
    owned = own_set(user, each=3)
    own_classes.add_class(owned, "pen")
    own_classes.add_pictures(owned, "pen", [picture((90, 200, 90))])
    own_classes.train(owned)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.trained
    seen = own_results.verdict(owned.result)
    assert (seen.share, seen.matrix, seen.single) == (None, None, "pen")


def test_a_class_without_pictures_cannot_be_trained(user: User) -> None:
    owned = own_set(user, each=0)
    own_classes.add_pictures(owned, "mug", [picture()])
    code, sentence = refusal(own_classes.train, owned)
    assert code == "empty_class"
    assert "“keys” has no picture yet" in sentence


def test_pictures_taken_back_while_it_waits_fail_with_a_sentence(user: User) -> None:
    owned = own_set(user)
    own_classes.train(owned)
    OwnExample.objects.filter(owned=owned, index=1).delete()
    own_training.drain()
    owned.refresh_from_db()
    assert (owned.status, owned.error_code) == ("failed", "empty_class")
    assert owned.error_sentence.startswith("A class has no picture.")


def test_the_old_head_stays_until_the_new_one_is_there(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    owned = trained(user)
    before = bytes(owned.head or b"")
    own_classes.add_pictures(owned, "mug", [picture(seed=9)])
    assert owned.result["of"] != own_classes.fingerprint(owned)

    def bad(*args: Any, **options: Any) -> Any:
        raise RuntimeError("nobody foresaw this")

    with monkeypatch.context() as patch:
        patch.setattr(own_training.head, "train", bad)
        own_classes.train(owned)
        own_training.drain()
    owned.refresh_from_db()
    assert (owned.status, owned.error_code, bytes(owned.head or b"")) == ("failed", "failed", before)
    own_classes.train(owned)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.status == "done"
    assert bytes(owned.head or b"") != before
    assert owned.result["of"] == own_classes.fingerprint(owned)


def test_a_head_does_not_depend_on_the_order_of_the_pictures(user: User) -> None:
    first = trained(user)
    second = own_classes.create(user, "Again", ["mug", "keys"])
    own_classes.add_pictures(second, "keys", [picture(BLUE, i) for i in (2, 0, 1)])
    own_classes.add_pictures(second, "mug", [picture(RED, i) for i in (1, 2, 0)])
    own_classes.train(second)
    own_training.drain()
    second.refresh_from_db()
    assert bytes(first.head or b"") == bytes(second.head or b"")


def test_a_new_version_is_trained_for_again_and_other_eyes_need_other_pictures(
    user: User, seeing: Path
) -> None:
    owned = trained(user)
    assert own_results.is_of(owned, own_network.card())
    make_seeing(seeing, version="2")
    assert not own_results.is_of(owned, own_network.card())
    own_classes.train(owned)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.artifact == "seeing-2"
    own_classes.train(owned)
    make_seeing(seeing, version="3", shrinks="lanczos")
    own_training.drain()
    owned.refresh_from_db()
    assert (owned.status, owned.error_code) == ("failed", "other_input")
    assert refusal(own_classes.train, owned)[0] == "other_input"


def test_a_worker_that_goes_hands_the_training_back(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    owned = own_set(user)
    own_classes.train(owned)

    def gone(*args: Any) -> Any:
        raise OperationalError("the database has gone")

    with monkeypatch.context() as patch:
        patch.setattr(own_training, "trained", gone)
        with pytest.raises(OperationalError):
            own_training.drain()
    owned.refresh_from_db()
    assert (owned.status, owned.attempts) == ("queued", 0)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.status == "done"


def test_a_worker_that_dies_three_times_over_it_gives_it_up(user: User) -> None:
    owned = own_set(user)
    own_classes.train(owned)
    table = next(one for one in job_tables.every() if one.model is OwnClasses)
    assert table.queue == "lab"
    for _attempt in range(MAX_ATTEMPTS):
        OwnClasses.objects.claim(1, owner="elsewhere:1")
        OwnClasses.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        OwnClasses.objects.sweep_expired()
    owned.refresh_from_db()
    assert (owned.status, owned.error_code) == ("failed", "gave_up")
    assert "stopped the worker three times" in owned.error_sentence
    own_classes.train(owned)
    assert own_training.drain() is False
    owned.refresh_from_db()
    assert owned.status == "done"


def test_the_shipped_network_tells_two_of_the_samples_apart(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut differently, a picture of a class is another picture of it."""
    monkeypatch.delenv("ML_ARTIFACTS_DIR")
    owned = own_classes.create(user, "Samples", ["cup", "clock"])
    for name in owned.classes:
        whole = Image.open(io.BytesIO(samples.file_bytes(samples.every()[name]))).convert("RGB")
        files = []
        for i in range(3):
            part = whole.crop((4 * i, 6 * i, whole.width - 10 * i, whole.height - 2 * i))
            buffer = io.BytesIO()
            part.save(buffer, "PNG")
            file = picture()
            file.file, file.size = buffer, buffer.tell()
            files.append(file)
        assert own_classes.add_pictures(owned, name, files).taken == 3
    own_classes.train(owned)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.status == "done", owned.error_sentence
    card = own_network.card()
    assert card is not None
    assert owned.result["confusion"] == [[3, 0], [0, 3]]
    for name in owned.classes:
        assert own_results.answers(owned, own_network.of_sample(card, name))[0][0].name == name
