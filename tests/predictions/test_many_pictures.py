"""Many pictures cost little more than one: few statements, several decoded at a time, and the same results."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from predictions import inference, intake, services
from predictions.corruption import parse_bars
from predictions.crop import AUTO
from predictions.images import PreparedImage, prepare
from predictions.inputs import make_inputs
from predictions.models import Distribution, Job, Prediction, Upload
from predictions.services import RejectedPicture
from tests import pictures
from tests.factories import make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def statements(action: Any) -> int:
    with CaptureQueriesContext(connection) as asked:
        action()
    return len(asked)


def file(data: bytes, name: str = "picture.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


# --- the worker --------------------------------------------------------------------------------------------


def answers(runs: list[Prediction]) -> dict[Any, dict[str, Any]]:
    """A result for each run: every run another class."""
    return {
        run.pk: {"artifact": "test-1", "outside": None, "outside_score": None}
        | Prediction.answer_fields("tiny", [(place, "", 0.9)])
        for place, run in enumerate(runs)
    }


def test_results_of_a_claim_are_written_in_one_statement() -> None:
    make_runs(make_user(), pictures=4, models=("tiny",))
    claim, runs = Prediction.objects.claim(10)
    with CaptureQueriesContext(connection) as asked:
        written = Prediction.objects.finish_all(claim, answers(runs))
    assert len(asked) == 1
    assert written == {run.pk for run in runs}
    for place, run in enumerate(runs):
        run.refresh_from_db()
        assert (run.status, run.top1_id, run.probability1) == (Job.Status.DONE, f"tiny:{place}", 0.9)
        assert (run.artifact, run.outside, run.top2_id, run.claimed_by) == ("test-1", None, None, "")
        assert run.lease_until is None
        assert run.started <= run.finished <= timezone.now() + timedelta(seconds=1)


def test_only_what_the_claim_still_holds_is_written() -> None:
    user = make_user()
    make_runs(user, pictures=5, models=("tiny",))
    claim, (kept, expired, taken, deleted, gone) = Prediction.objects.claim(10)
    results = answers([kept, expired, taken, deleted, gone])
    Prediction.objects.filter(pk=expired.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    Prediction.objects.sweep_expired()
    Prediction.objects.filter(pk=taken.pk).update(claimed_by="another:1:abc")
    Prediction.objects.filter(pk=deleted.pk).hide()
    Prediction.objects.filter(pk=gone.pk).delete()
    assert Prediction.objects.finish_all(claim, results) == {kept.pk, deleted.pk}
    states = dict(Prediction.objects.values_list("pk", "status"))
    assert states == {
        kept.pk: "done",
        expired.pk: "queued",
        taken.pk: "running",
        deleted.pk: "done",
    }
    assert set(Prediction.objects.filter(top1__isnull=True).values_list("pk", flat=True)) == {
        expired.pk,
        taken.pk,
    }
    assert Prediction.objects.finish_all(claim, results) == set()
    assert Prediction.objects.finish_all(claim, {}) == set()


def test_a_mixture_of_known_and_unknown_scores_keeps_its_types() -> None:
    make_runs(make_user(), pictures=3, models=("tiny",))
    claim, runs = Prediction.objects.claim(10)
    results = answers(runs)
    results[runs[1].pk] |= {"outside": True, "outside_score": 0.25}
    results[runs[2].pk] |= {"outside": False, "outside_score": 0.0}
    Prediction.objects.finish_all(claim, results)
    seen = [Prediction.objects.get(pk=run.pk) for run in runs]
    assert [(run.outside, run.outside_score) for run in seen] == [(None, None), (True, 0.25), (False, 0.0)]


def test_a_worker_that_lost_its_lease_leaves_no_trace_of_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = make_runs(make_user(), pictures=2, models=("tiny",))
    claim, taken = Prediction.objects.claim(10)
    network = inference.predictor("tiny")
    answer = network.answers

    def slowly(pixels: Any) -> Any:
        Prediction.objects.filter(pk=taken[0].pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert Prediction.objects.sweep_expired() == 1
        return answer(pixels)

    monkeypatch.setattr(network, "answers", slowly)
    inference.compute(claim, taken)
    states = {run.pk: run.status for run in Prediction.objects.all()}
    assert states == {taken[0].pk: Job.Status.QUEUED, taken[1].pk: Job.Status.DONE}
    assert list(Distribution.objects.values_list("run", flat=True)) == [taken[1].pk]
    assert {run.pk for run in runs} == set(states)


def test_answering_twelve_pictures_takes_as_many_statements_as_answering_three() -> None:
    user = make_user()

    def answered(count: int) -> int:
        make_runs(user, pictures=count, models=("tiny",))
        claim, runs = Prediction.objects.claim(32)
        assert len(runs) == count
        return statements(lambda: inference.compute(claim, runs))

    assert answered(12) == answered(3) <= 5


# --- the site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limited", [True, False])
def test_taking_twelve_pictures_in_takes_as_many_statements_as_taking_three(
    settings: Any, limited: bool
) -> None:
    settings.RATE_LIMITS = limited
    user = make_user()
    make_runs(user)
    assert statements(lambda: make_runs(user, pictures=12)) == statements(lambda: make_runs(user, pictures=3))


def test_the_inputs_made_of_the_bytes_in_hand_are_those_of_the_stored_file() -> None:
    cards = services.offered()
    bars = parse_bars([[0.25, 0, 0.5, 1]])
    for data in (pictures.jpeg(), pictures.png(), pictures.gif()):
        prepared = prepare(data, "picture")
        upload = services.store(make_user(), prepared)
        for crop in (None, AUTO):
            at_once = make_inputs(upload, cards, bars, crop, prepared.data)
            later = make_inputs(upload, cards, bars, crop)
            assert at_once.crop == later.crop
            assert {key: row.pixels for key, row in at_once.rows.items()} == {
                key: row.pixels for key, row in later.rows.items()
            }


def test_each_of_many_pictures_keeps_its_own_input() -> None:
    shades = [make_picture((shade, 0, 0)) for shade in range(0, 240, 20)]
    submission = services.submit(make_user(), shades, ["tiny"])
    for shade, run in zip(range(0, 240, 20), submission.runs, strict=True):
        assert run.upload.filename == f"{shade}-0-0.png"
        seen = np.frombuffer(run.network_input.pixels, np.uint8).reshape(-1, 3)
        assert (seen == (shade, 0, 0)).all()


def test_two_pictures_of_one_request_are_decoded_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)

    def decode(data: bytes, name: str, **options: Any) -> PreparedImage:
        together.wait(timeout=20)
        return make_picture()

    monkeypatch.setattr(intake, "prepare", decode)
    assert len(intake.take_all([file(b"one"), file(b"two")])) == 2


def test_files_come_back_in_their_order_whatever_is_wrong_with_some() -> None:
    sent = [file(pictures.png(), "a.png"), file(b"no picture", "b.txt"), file(pictures.jpeg(), "c.jpg")]
    taken = intake.take_all(sent * 3)
    assert [picture.filename for picture in taken] == ["a.png", "b.txt", "c.jpg"] * 3
    assert [isinstance(picture, RejectedPicture) for picture in taken] == [False, True, False] * 3


def test_what_is_wrong_with_one_of_many_is_said_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken: list[str | None] = []

    def decode(data: bytes, name: str, **options: Any) -> PreparedImage:
        spoken.append(translation.get_language())
        return make_picture()

    monkeypatch.setattr(intake, "prepare", decode)
    with translation.override("de"):
        intake.take_all([file(b"one"), file(b"two"), file(b"three")])
    assert spoken == ["de"] * 3


def test_when_one_file_cannot_be_written_nothing_of_the_submission_is_kept(
    monkeypatch: pytest.MonkeyPatch, own_media: Path
) -> None:
    save = FileSystemStorage._save
    written: list[str] = []
    # Several threads write, and each draws a number of its own.
    turns = itertools.count()

    def full_after_two(self: FileSystemStorage, name: str, content: Any) -> str:
        if next(turns) >= 2:
            raise OSError("No space left on device")
        written.append(save(self, name, content))
        return written[-1]

    monkeypatch.setattr(FileSystemStorage, "_save", full_after_two)
    with pytest.raises(OSError, match="No space left"):
        services.submit(make_user(), [make_picture() for _ in range(5)], ["tiny"])
    assert written
    assert not [path for path in own_media.rglob("*") if path.is_file()]
    assert not Upload.objects.exists()
