"""Explanations: asked once and found again, seen by those who may see the picture, gone with it."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import registry
from accounts.models import User
from learn import explaining, explanations, subjects
from learn.kinds import KindError, Result
from learn.models import Explanation
from learn.subjects import SubjectError
from predictions import lifecycle, moderation, removal
from predictions.inference import drain
from predictions.jobs import Heartbeat
from predictions.models import Prediction
from tests.factories import make_runs, make_user
from tests.learn.conftest import Asked
from tests.networks import make_artifact

pytestmark = pytest.mark.django_db

BARS = [[0.25, 0.0, 0.5, 1.0]]


@pytest.fixture
def run(asked: Asked, user: User) -> Prediction:
    """An answered prediction with bars, of both networks."""
    first, *_others = make_runs(user, bars=BARS)
    drain()
    return first


def explained(user: Any, on: Any, **options: Any) -> Explanation:
    """An answer to the question of the tests."""
    subject = subjects.find(user, str(on))
    found = explanations.ask(subject, "tiny", options.pop("kind", "mean"), options or None)
    explaining.drain(60.0)
    found.refresh_from_db()
    return found


def files() -> list[str]:
    """The files of the laboratory."""
    found = []
    for folder in default_storage.listdir("laboratory")[0] if default_storage.exists("laboratory") else []:
        found += default_storage.listdir(f"laboratory/{folder}")[1]
    return found


# --- asked once ------------------------------------------------------------------------------------------------


def test_a_question_is_computed_from_what_the_network_saw(asked: Asked, user: User, run: Prediction) -> None:
    found = explained(user, run.pk)
    assert found.status == "done"
    (work,) = asked.calls
    assert work.card.name == "tiny"
    assert bytes(work.clean) == bytes(run.clean_run.network_input.pixels)
    assert bytes(work.covered) == bytes(run.network_input.pixels)
    assert found.result == {"mean": pytest.approx(float(work.clean.mean())), "covered": True}
    assert (found.network, found.artifact, found.kind) == ("tiny", "tiny-1", "mean")
    assert found.members == ["clean/pixels.npy", "meta.json"]
    stored = np.load(io.BytesIO(explanations.open_member(found, "clean/pixels.npy")))
    assert (stored == work.clean).all()


def test_the_same_question_is_answered_once(asked: Asked, user: User, run: Prediction) -> None:
    first = explained(user, run.pk)
    again = explained(user, run.pk, level=1)
    assert (again.pk, len(asked.calls)) == (first.pk, 1)
    assert explained(user, run.pk, level=2).pk != first.pk
    assert len(asked.calls) == 2


def test_two_who_ask_at_the_same_moment_have_one_row(
    asked: Asked, user: User, run: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subjects.find(user, str(run.pk))
    first = explanations.ask(subject, "tiny", "mean")
    unseen = iter([None, None])
    monkeypatch.setattr(explanations, "stored", lambda *given: next(unseen, first))
    assert explanations.ask(subject, "tiny", "mean").pk == first.pk
    assert Explanation.objects.count() == 1


def test_what_does_not_look_at_bars_is_computed_once_for_all_of_them(
    asked: Asked, user: User, run: Prediction
) -> None:
    on = str(run.pk)
    first = explanations.ask(subjects.find(user, on), "tiny", "blind")
    other = explanations.ask(subjects.find(user, on, [[0, 0, 1, 0.5]]), "tiny", "blind")
    assert (first.pk, first.covered_pixels) == (other.pk, None)


def test_a_new_version_of_a_network_is_asked_anew(
    asked: Asked, user: User, run: Prediction, tmp_path: Any
) -> None:
    first = explained(user, run.pk)
    make_artifact(tmp_path / "newer", "tiny", size=24, version="2")
    for file in (tmp_path / "newer" / "tiny").iterdir():
        file.replace(tmp_path / "artifacts" / "tiny" / file.name)
    second = explained(user, run.pk)
    assert second.pk != first.pk
    assert (second.artifact, len(asked.calls)) == ("tiny-2", 2)


def test_what_cannot_be_asked_is_said_in_a_sentence(asked: Asked, user: User, run: Prediction) -> None:
    subject = subjects.find(user, str(run.pk))
    with pytest.raises(KindError, match="nothing called “palmistry”"):
        explanations.ask(subject, "tiny", "palmistry")
    with pytest.raises(KindError, match="whole number") as refusal:
        explanations.ask(subject, "tiny", "mean", {"level": "high"})
    assert refusal.value.field == "level"
    with pytest.raises(SubjectError, match="not looked into by a network 'resnet'"):
        explanations.ask(subject, "resnet", "mean")
    assert Explanation.objects.count() == 0


def test_somebody_elses_same_picture_is_computed_for_them(asked: Asked, user: User, run: Prediction) -> None:
    other = make_user()
    theirs, *_ = make_runs(other, bars=BARS)
    drain()
    assert explained(user, run.pk).key == explained(other, theirs.pk).key
    assert Explanation.objects.count() == 2


# --- who sees it -----------------------------------------------------------------------------------------------


def test_only_its_owner_sees_an_explanation(asked: Asked, user: User, run: Prediction) -> None:
    found = explained(user, run.pk)
    assert explanations.of(user, found.pk) == found
    assert explanations.of(make_user(), found.pk) is None
    assert explanations.of(None, found.pk) is None
    assert explanations.of(user, uuid.uuid4()) is None


def test_everybody_sees_those_of_sample_pictures(asked: Asked, user: User) -> None:
    found = explained(None, "sample:apple")
    assert (found.owner, found.sample) == (None, "apple")
    assert explanations.of(None, found.pk) == explanations.of(user, found.pk) == found
    assert explained(user, "sample:apple").pk == found.pk


def test_a_deleted_picture_takes_its_explanations_along(
    asked: Asked, user: User, run: Prediction, django_capture_on_commit_callbacks: Any
) -> None:
    found = explained(user, run.pk)
    assert len(files()) == 1
    lifecycle.delete(user, list(Prediction.objects.of(user).values_list("pk", flat=True)))
    assert explanations.of(user, found.pk) is None
    Prediction.objects.update(deleted=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        removal.purge()
    assert not Explanation.objects.exists()
    assert files() == []


def test_a_hidden_picture_has_no_explanations(asked: Asked, user: User, run: Prediction) -> None:
    found = explained(user, run.pk)
    moderation.hide(make_user(is_staff=True), [run.upload], "a reason")
    assert explanations.of(user, found.pk) is None
    with pytest.raises(SubjectError) as refusal:
        subjects.find(user, str(run.pk))
    assert refusal.value.code == "not_found"


def test_a_deleted_account_takes_its_explanations_along(
    asked: Asked, user: User, run: Prediction, django_capture_on_commit_callbacks: Any
) -> None:
    explained(user, run.pk)
    with django_capture_on_commit_callbacks(execute=True):
        registry.forget(user)
    assert not Explanation.objects.exists()
    assert files() == []


def test_the_same_picture_sent_twice_keeps_its_explanation_while_the_second_is_there(
    asked: Asked, user: User, run: Prediction
) -> None:
    again, *_ = make_runs(user, bars=BARS)
    drain()
    found = explained(user, run.pk)
    assert explained(user, again.pk).pk == found.pk
    removal.remove_upload(run.upload)
    assert explanations.of(user, found.pk) == found
    assert len(asked.calls) == 1


# --- its file --------------------------------------------------------------------------------------------------


def test_a_file_that_is_not_in_an_explanation_is_not_found(asked: Asked, user: User, run: Prediction) -> None:
    found = explained(user, run.pk)
    for name in ("meta", "../meta.json", "clean/pixels", "", "clean/other.npy"):
        with pytest.raises(FileNotFoundError):
            explanations.open_member(found, name)


def test_an_explanation_whose_file_was_lost_is_computed_again(
    asked: Asked, user: User, run: Prediction
) -> None:
    found = explained(user, run.pk)
    default_storage.delete(found.file.name)
    with pytest.raises(FileNotFoundError):
        explanations.open_member(found, "meta.json")
    again = explained(user, run.pk)
    assert explanations.open_member(again, "meta.json") == b"{}"


def test_an_explanation_without_files_has_none(asked: Asked, user: User, run: Prediction) -> None:
    asked.does = lambda work: Result({"answer": 42})
    found = explained(user, run.pk)
    assert (found.result, found.members, files()) == ({"answer": 42}, [], [])


def test_a_look_at_an_explanation_is_noted(asked: Asked, user: User, run: Prediction) -> None:
    found = explained(user, run.pk)
    long_ago = timezone.now() - timedelta(days=3)
    for look in (
        lambda: explanations.open_member(found, "meta.json"),
        lambda: explanations.ask(subjects.find(user, str(run.pk)), "tiny", "mean"),
    ):
        Explanation.objects.update(used=long_ago)
        look()
        assert Explanation.objects.get().used > timezone.now() - timedelta(minutes=1)


# --- the line --------------------------------------------------------------------------------------------------


def test_where_a_question_stands_in_the_line(asked: Asked, user: User, run: Prediction) -> None:
    subject = subjects.find(user, str(run.pk))
    first, second = (explanations.ask(subject, "tiny", "mean", {"level": level}) for level in (1, 2))
    live = explanations.ask(subject, "tiny", "live")
    assert [explanations.position(one) for one in (live, first, second)] == [1, 2, 3]
    explaining.drain(60.0)
    second.refresh_from_db()
    assert explanations.position(second) is None


@pytest.mark.parametrize(
    ("queues", "there"),
    [
        ("lab", True),
        ("archives,lab", True),
        ("lab,predictions", True),
        ("predictions", False),
        ("labels", False),
    ],
)
def test_whether_a_worker_computes_explanations(queues: str, there: bool) -> None:
    Heartbeat.objects.create(name="host:1", queues=queues)
    assert explanations.worker_is_there() is there
    Heartbeat.objects.update(seen=timezone.now() - timedelta(minutes=1))
    assert not explanations.worker_is_there()


# --- what the database refuses ---------------------------------------------------------------------------------


def test_the_database_holds_an_explanation_to_a_picture_or_a_sample(
    asked: Asked, user: User, run: Prediction
) -> None:
    found = explained(user, run.pk)
    for wrong in ({"owner": None}, {"sample": "apple"}, {"network_input": None}, {"built": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Explanation.objects.filter(pk=found.pk).update(**wrong)


def test_the_database_keeps_one_row_of_a_question(asked: Asked, user: User, run: Prediction) -> None:
    for subject in (subjects.find(user, str(run.pk)), subjects.find(None, "sample:cup")):
        question = explanations.question(subject, "tiny", "mean")
        explanations.new(subject, question).save()
        with pytest.raises(IntegrityError), transaction.atomic():
            explanations.new(subject, question).save()
