"""Submitting, what one account may use, and what the worker makes of it and of its failures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage

from predictions import inference, lifecycle, quotas, services
from predictions.corruption import parse_bars
from predictions.jobs import CLAIM
from predictions.models import Batch, Job, NetworkInput, Prediction, Upload
from predictions.services import RejectedPicture
from tests.factories import make_picture, make_runs, make_user
from tests.folders import files
from tests.networks import make_artifact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks")]

BARS = parse_bars([[0.25, 0, 0.5, 1]])


@pytest.fixture(autouse=True)
def wake_ups(no_wake_ups: list[str]) -> list[str]:
    return no_wake_ups


def test_every_network_is_asked_when_none_is_named() -> None:
    runs = make_runs(make_user())
    assert [run.model_id for run in runs] == ["tiny", "small"]
    assert {run.status for run in runs} == {Job.Status.QUEUED}


def test_entries_follow_pictures_then_networks_as_asked() -> None:
    red, blue = make_picture((255, 0, 0)), make_picture((0, 0, 255))
    bad = RejectedPicture("notes.txt", "not_a_picture", "This is not a picture.")
    submission = services.submit(make_user(), [red, bad, blue], ["small", "tiny"])
    shown = [
        e.filename if isinstance(e, RejectedPicture) else (e.upload.filename, e.model_id)
        for e in submission.entries
    ]
    assert shown == [
        ("255-0-0.png", "small"),
        ("255-0-0.png", "tiny"),
        "notes.txt",
        ("0-0-255.png", "small"),
        ("0-0-255.png", "tiny"),
    ]
    assert submission.batch.rejected[0]["code"] == "not_a_picture"


def test_bars_make_a_covered_run_beside_a_clean_one() -> None:
    (covered,) = make_runs(make_user(), models=("tiny",), bars=[[0.25, 0, 0.5, 1]])
    assert covered.bars == [[0.25, 0.0, 0.5, 1.0]]
    assert covered.clean_run is not None
    assert (covered.clean_run.bars, covered.clean_run.asked, covered.asked) == ([], False, True)


def test_the_networks_get_what_the_bars_leave() -> None:
    covered = services.submit(make_user(), [make_picture((255, 255, 255))], ["tiny"], BARS).runs[0]
    pixels = np.frombuffer(bytes(covered.network_input.pixels), np.uint8).reshape(24, 24, 3)
    assert (pixels[:, 8:16] == 0).all()
    assert (pixels[:, :5] == 255).all()
    clean = np.frombuffer(bytes(covered.clean_run.network_input.pixels), np.uint8)
    assert (clean == 255).all()


def test_the_worker_answers_what_was_submitted() -> None:
    user = make_user()
    red = services.submit(user, [make_picture((250, 5, 5))]).runs
    covered = services.submit(user, [make_picture((250, 5, 5))], ["tiny"], parse_bars([[0, 0, 1, 1]])).runs
    assert inference.drain() is False
    for run in [*red, *covered]:
        run.refresh_from_db()
    assert {run.answers[0]["label"] for run in red} == {"red"}
    assert covered[0].answers[0]["label"] == "black"
    assert red[0].artifact == "tiny-1"
    assert sum(row["probability"] for row in red[0].answers) <= 1.0001


def test_networks_of_one_preprocessing_share_one_input() -> None:
    user = make_user()
    upload = services.store(user, make_picture())
    services.submit(user, [upload], ["tiny"])
    services.submit(user, [upload], ["tiny"])
    assert NetworkInput.objects.filter(upload=upload).count() == 1


def test_a_wake_up_goes_out_after_the_commit_only(
    wake_ups: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        make_runs(make_user(), models=("tiny",))
        assert wake_ups == []
    for callback in callbacks:
        callback()
    assert wake_ups == ["predictions.predict"]


def test_the_same_submission_twice_is_one_batch(own_media: Path) -> None:
    user = make_user()
    first = services.submit(user, [make_picture()], ["tiny"], key="abc")
    second = services.submit(user, [make_picture()], ["tiny"], key="abc")
    assert second.batch == first.batch
    assert [run.pk for run in second.runs] == [run.pk for run in first.runs]
    assert Prediction.objects.count() == 1
    assert len(files(own_media)) == 1


def test_two_users_may_use_the_same_key() -> None:
    first = services.submit(make_user(), [make_picture()], ["tiny"], key="abc")
    second = services.submit(make_user(), [make_picture()], ["tiny"], key="abc")
    assert first.batch != second.batch


def test_an_unknown_network_is_refused_and_nothing_is_kept(own_media: Path) -> None:
    with pytest.raises(services.NoNetwork, match="There is no network 'resnet'"):
        services.submit(make_user(), [make_picture()], ["resnet"])
    assert not Upload.objects.exists()
    assert files(own_media) == []


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("QUOTA_PICTURES", 1, "20,000 pictures"),
        ("QUOTA_BYTES", 500, "2 GB"),
        ("QUOTA_IN_FLIGHT", 2, "still waiting"),
    ],
)
def test_a_used_up_quota_is_a_sentence_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Any, own_media: Path, limit: str, value: int, sentence: str
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(quotas, limit, value)
    user = make_user()
    make_runs(user)
    kept = len(files(own_media))
    with pytest.raises(services.QuotaExceeded, match=sentence):
        services.submit(user, [make_picture(), make_picture((1, 2, 3))])
    assert Prediction.objects.filter(owner=user).count() == 2
    assert len(files(own_media)) == kept
    services.submit(make_user(), [make_picture()], ["tiny"])


def test_a_failing_storage_leaves_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> str:
        raise OSError("no space left on device")

    monkeypatch.setattr(type(default_storage._wrapped), "save", fail)
    with pytest.raises(OSError, match="no space"):
        services.submit(make_user(), [make_picture()])
    assert not Upload.objects.exists()
    assert not Batch.objects.exists()


def test_the_same_input_written_by_two_submissions_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    upload = services.store(user, make_picture())
    make_inputs = services.make_inputs

    def overtaken(*args: Any) -> Any:
        made = make_inputs(*args)
        monkeypatch.setattr(services, "make_inputs", make_inputs)
        services.submit(user, [upload], ["tiny"])
        return made

    monkeypatch.setattr(services, "make_inputs", overtaken)
    services.submit(user, [upload], ["tiny"])
    assert NetworkInput.objects.count() == 1
    assert Prediction.objects.count() == 2


def test_a_picture_removed_in_the_meantime_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    upload = services.store(user, make_picture())
    inputs = services.make_inputs(upload, services.offered(), ())
    Upload.objects.filter(pk=upload.pk).delete()
    monkeypatch.setattr(services, "make_inputs", lambda *args: inputs)
    with pytest.raises(services.PictureGone):
        services.submit(user, [upload], ["tiny"])


def test_a_repeated_submission_whose_runs_were_deleted_is_made_anew() -> None:
    user = make_user()
    first = services.submit(user, [make_picture()], ["tiny"], key="abc")
    lifecycle.delete(user, [first.runs[0].pk])
    second = services.submit(user, [make_picture()], ["tiny"], key="abc")
    assert second.batch != first.batch
    assert second.runs[0].deleted is None


def test_a_network_that_appears_can_be_asked_at_once(small_networks: list[str], tmp_path: Path) -> None:
    make_artifact(tmp_path / "artifacts", "third", multiply_adds=3000)
    assert [run.model_id for run in make_runs(make_user())] == ["tiny", "small", "third"]


def test_a_damaged_card_takes_only_its_network_away(tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "small" / "card.json").write_text("{}")
    assert [run.model_id for run in make_runs(make_user())] == ["tiny"]


def test_answers_outlive_their_network(tmp_path: Path) -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    inference.drain()
    shutil.rmtree(tmp_path / "artifacts" / "tiny")
    run.refresh_from_db()
    assert run.answers[0]["label"] == "red"


def test_a_deleted_waiting_run_is_neither_computed_nor_counted(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 1)
    user = make_user()
    (run,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [run.pk])
    inference.drain()
    run.refresh_from_db()
    assert run.status == "queued"
    make_runs(user, models=("tiny",))
    inference.drain()
    lifecycle.undo(user, [run.pk])
    inference.drain()
    run.refresh_from_db()
    assert run.status == "done"


def test_who_sends_one_by_one_without_waiting_gives_way_to_others() -> None:
    user, other = make_user(), make_user()
    upload = make_runs(user, models=("tiny",))[0].upload
    for _ in range(CLAIM):
        services.submit(user, [upload], ["tiny"])
    (late,) = services.submit(other, [make_picture()], ["tiny"]).runs
    waiting = list(Prediction.objects.waiting())
    assert waiting.index(late) == CLAIM
    assert [run.priority for run in waiting[-2:]] == [Job.Priority.SINGLE, Job.Priority.BULK]
    assert waiting[-1].owner_id == user.pk


# --- failures while answering ------------------------------------------------------------------------------


def test_one_bad_row_fails_alone() -> None:
    runs = make_runs(make_user(), pictures=3, models=("tiny",))
    NetworkInput.objects.filter(pk=runs[1].network_input_id).update(pixels=b"short")
    inference.drain()
    for run in runs:
        run.refresh_from_db()
    assert [run.status for run in runs] == ["done", "failed", "done"]
    assert runs[1].error_sentence == "This picture could not be given to the network. Send it again."


def test_a_picture_on_which_the_engine_fails_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = make_runs(make_user(), pictures=2, models=("tiny",))
    blue = services.submit(make_user(), [make_picture((0, 0, 255)), make_picture((0, 0, 254))], ["tiny"]).runs
    network = inference.predictor("tiny")
    answer = network.answers

    def fragile(pixels: Any) -> Any:
        if (pixels[..., 2] == 254).any():
            raise RuntimeError("the engine fails on this one")
        return answer(pixels)

    monkeypatch.setattr(network, "answers", fragile)
    inference.drain()
    for run in [*runs, *blue]:
        run.refresh_from_db()
    assert [run.status for run in [*runs, *blue]] == ["done", "done", "done", "failed"]
    assert blue[1].error_code == "engine_failed"


def test_a_damaged_artifact_fails_its_runs_and_no_others(small_networks: list[str], tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "small" / "network.bin").write_bytes(b"damaged")
    tiny, small = make_runs(make_user())
    inference.drain()
    tiny.refresh_from_db()
    small.refresh_from_db()
    assert (tiny.status, small.status, small.error_code) == ("done", "failed", "no_artifact")
    assert inference.load_all() == {"tiny": "tiny-1"}


def test_what_is_unfinished_when_the_worker_goes_is_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    make_runs(make_user(), models=("tiny",))

    def leave(*args: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(inference, "compute", leave)
    with pytest.raises(SystemExit):
        inference.drain()
    assert Prediction.objects.waiting().get().attempts == 0


def test_an_unforeseen_error_ends_after_three_attempts_and_the_queue_moves_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = make_runs(make_user(), models=("tiny",))[0]
    (good,) = make_runs(make_user(), models=("tiny",))
    top = type(inference.predictor("tiny")).top
    calls: list[int] = []

    def fail_on_the_first(self: Any, *args: Any) -> Any:
        calls.append(1)
        if Prediction.objects.get(pk=bad.pk).status == "running":
            raise KeyError("nobody foresaw this")
        return top(self, *args)

    monkeypatch.setattr(type(inference.predictor("tiny")), "top", fail_on_the_first)
    inference.drain()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.error_code, bad.attempts) == ("failed", "gave_up", 3)
    assert good.status == "done"


def test_an_upload_erased_after_the_claim_fails_its_run_alone() -> None:
    first, second = make_runs(make_user(), pictures=2, models=("tiny",))
    claim, runs = Prediction.objects.claim(5)
    runs[0].network_input_id = 10**9
    inference.compute(claim, runs)
    first.refresh_from_db()
    second.refresh_from_db()
    assert {first.status, second.status} == {"failed", "done"}
