"""What the laboratory looks at: who may look, at which pixels, and what is said where there is nothing to look at."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import User
from learn import explaining, explanations, subjects
from learn.subjects import Subject, SubjectError
from predictions import explainable, lifecycle, moderation, retention, samples
from predictions.inference import drain
from predictions.models import NetworkInput, Prediction, Upload
from tests.factories import make_guest, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked")]

LEFT = [[0.0, 0.0, 0.5, 1.0]]
ALL = [[0.0, 0.0, 1.0, 1.0]]


def answered(user: User, *models: str, **options: Any) -> Prediction:
    first, *_others = make_runs(user, models=models, **options)
    drain()
    first.refresh_from_db()
    return first


def refusal(user: Any, on: str, bars: Any = None) -> tuple[str, str]:
    with pytest.raises(SubjectError) as refused:
        subjects.find(user, on, bars)
    return refused.value.code, str(refused.value)


def same(subject: Subject, network: str, row: NetworkInput, *, covered: bool = False) -> bool:
    seen = (subject.covered if covered else subject.clean)[network]
    return seen.tobytes() == bytes(row.pixels)


# --- one's own -------------------------------------------------------------------------------------------------


def test_a_prediction_is_shown_as_each_network_saw_it(user: User) -> None:
    run = answered(user, bars=LEFT)
    found = subjects.find(user, str(run.pk))
    assert (found.on, found.kind, found.title) == (str(run.pk), "prediction", "200-30-30.png")
    assert (found.width, found.height, found.owner) == (90, 60, user)
    assert found.image_url == f"/pictures/{run.upload_id}/"
    assert found.page_url == f"/predictions/{run.pk}/"
    assert [card.name for card in found.cards] == ["tiny", "small"]
    assert [list(bar) for bar in found.bars] == LEFT
    for one in Prediction.objects.filter(bars=LEFT):
        assert same(found, one.model_id, one.network_input, covered=True)
        assert same(found, one.model_id, one.clean_run.network_input)


def test_its_answers_are_those_that_were_served(user: User) -> None:
    run = answered(user, "tiny", bars=LEFT)
    said = subjects.find(user, str(run.pk)).answers["tiny"]
    assert said.covered == run.answers
    assert said.clean == run.clean_run.answers
    assert {"index", "label", "name", "probability"} == set(said.clean[0])


def test_the_answers_of_an_earlier_version_are_not_given_for_this_one(user: User) -> None:
    run = answered(user, "tiny")
    Prediction.objects.update(artifact="tiny-0")
    said = subjects.find(user, str(run.pk)).answers["tiny"]
    assert (said.clean, said.covered) == (None, None)


def test_without_bars_there_is_nothing_covered(user: User) -> None:
    found = subjects.find(user, str(answered(user).pk))
    assert (found.bars, dict(found.covered)) == ((), {})


def test_other_bars_take_the_place_of_its_own(user: User) -> None:
    run = answered(user, "tiny", bars=LEFT)
    other = subjects.find(user, str(run.pk), "[[0, 0, 1, 0.5]]")
    assert [list(bar) for bar in other.bars] == [[0, 0, 1, 0.5]]
    assert (other.covered["tiny"][:12] == 0).all()
    assert (other.covered["tiny"][12:] == other.clean["tiny"][12:]).all()
    assert other.answers["tiny"].clean
    assert other.answers["tiny"].covered is None
    none = subjects.find(user, str(run.pk), "[]")
    assert (none.bars, dict(none.covered)) == ((), {})
    assert subjects.find(user, str(run.pk), "").bars == subjects.find(user, str(run.pk)).bars


def test_a_network_is_offered_where_it_would_see_the_same_pixels(user: User, tmp_path: Any) -> None:
    from tests.networks import make_artifact

    run = answered(user, "tiny")
    assert [card.name for card in subjects.find(user, str(run.pk)).cards] == ["tiny"]
    make_artifact(tmp_path / "artifacts", "other", size=24)
    found = subjects.find(user, str(run.pk))
    assert {card.name for card in found.cards} == {"tiny", "other"}
    assert found.answers["other"].clean is None
    assert (found.clean["other"] == found.clean["tiny"]).all()


def test_its_box_is_the_one_that_was_asked_about(user: User) -> None:
    left, right = ([x, 0.0, 2 / 3, 1.0] for x in (0.0, 1 / 3))
    from predictions.crop import Crop

    run = answered(user, "tiny", crop=Crop(*left), bars=LEFT)
    found = subjects.find(user, str(run.pk))
    assert found.crop == pytest.approx(left, abs=1e-3)
    other = answered(user, "tiny", crop=Crop(*right), bars=LEFT)
    again = subjects.find(user, str(other.pk), LEFT)
    assert (found.covered["tiny"] != again.covered["tiny"]).any()
    assert same(found, "tiny", run.network_input, covered=True)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (24, 24)])
def test_a_tiny_picture_of_one_colour_under_one_bar_is_looked_at(user: User, size: tuple[int, int]) -> None:
    from predictions import services
    from predictions.corruption import parse_bars
    from tests.factories import make_picture

    picture = make_picture((0, 0, 0), size)
    run = services.submit(user, [picture], ("tiny",), parse_bars(ALL)).runs[0]
    drain()
    subject = subjects.find(user, str(run.pk))
    assert not subject.covered["tiny"].any()
    found = explanations.ask(subject, "tiny", "mean")
    explaining.drain(60.0)
    found.refresh_from_db()
    assert (found.status, found.result["mean"]) == ("done", 0.0)


# --- what may not be looked at ---------------------------------------------------------------------------------


def test_there_is_one_sentence_for_what_one_may_not_see(user: User) -> None:
    theirs = answered(make_user())
    deleted, hidden = answered(user), answered(user)
    lifecycle.delete(user, [deleted.pk])
    moderation.hide(make_user(is_staff=True), [hidden.upload], "a reason")
    unseen = [str(theirs.pk), str(deleted.pk), str(hidden.pk), str(uuid.uuid4())]
    malformed = ["", "apple", "sample:", "sample:nothing", "sample:../apple", "0" * 40, "é", "sample:apple\0"]
    assert {refusal(user, on) for on in [*unseen, *malformed]} == {
        (
            "not_found",
            "There is no such picture here, or not any more. Choose one of yours or a sample picture.",
        )
    }
    assert refusal(None, str(theirs.pk))[0] == "not_found"


def test_a_picture_that_is_held_for_review_is_not_there(user: User) -> None:
    run = answered(user)
    upload = Upload.objects.get()
    moderation.hold(upload)
    assert refusal(user, str(run.pk))[0] == "not_found"


def test_a_queued_prediction_says_so(user: User) -> None:
    run, *_ = make_runs(user)
    assert refusal(user, str(run.pk)) == (
        "queued",
        "This picture is not answered yet. Look again when it is.",
    )


def test_a_picture_that_was_removed_because_of_its_age_says_so(user: User, settings: Any) -> None:
    settings.RETENTION_MONTHS = 1
    run = answered(user)
    long_ago = timezone.now() - timezone.timedelta(days=99)
    Prediction.objects.update(created=long_ago, started=None, finished=long_ago)
    Upload.objects.update(created=long_ago)
    assert retention.sweep() == 1
    code, sentence = refusal(user, str(run.pk))
    assert code == "expired"
    assert sentence.startswith("This picture was removed because of its age")


def test_other_bars_on_a_picture_whose_file_is_gone_say_so(user: User) -> None:
    run = answered(user, bars=LEFT)
    default_storage.delete(run.upload.file.name)
    assert subjects.find(user, str(run.pk)).covered
    explainable.live.pictures.clear()
    assert refusal(user, str(run.pk), ALL)[0] == "expired"


def test_bars_that_cannot_be_used_say_why(user: User) -> None:
    run = answered(user)
    for on in (str(run.pk), "sample:apple"):
        assert refusal(user, on, "[[0, 0, 2, 1]]")[0] == "bars"
        assert refusal(user, on, "[[0, 0, NaN, 1]]")[0] == "bars"
        assert (
            refusal(user, on, "{")[1]
            == "The bars are not readable. Each must be four numbers: x, y, width, height."
        )


def test_networks_without_named_layers_have_no_laboratory(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = answered(user)
    monkeypatch.setattr("ml.explain.structure.explainable", lambda card: False)
    assert refusal(user, str(run.pk))[0] == refusal(user, "sample:apple")[0] == "no_network"


def test_a_failed_prediction_can_be_looked_into(user: User) -> None:
    run, *_ = make_runs(user, models=("tiny",))
    claim, _rows = Prediction.objects.claim(1)
    Prediction.objects.fail(claim, run, "engine_failed", "It failed.")
    assert subjects.find(user, str(run.pk)).answers["tiny"].clean is None


# --- guests ----------------------------------------------------------------------------------------------------


def test_a_guests_prediction_is_theirs(client: Client) -> None:
    guest = make_guest(client)
    run = answered(guest)
    assert subjects.find(guest, str(run.pk)).owner == guest
    assert refusal(make_user(), str(run.pk))[0] == "not_found"


# --- sample pictures -------------------------------------------------------------------------------------------


def test_a_sample_is_shown_with_its_own_bar(user: User) -> None:
    found = subjects.find(None, "sample:apple")
    sample = samples.every()["apple"]
    assert (found.on, found.kind, found.owner) == ("sample:apple", "sample", None)
    assert (found.title, found.alt) == (sample.title, sample.alt)
    assert (found.image_url, found.width, found.height) == (sample.address, 1000, 1000)
    assert [tuple(bar) for bar in found.bars] == [(0.2, 0.4, 0.5, 0.3)]
    assert set(found.clean) == set(found.covered) == {"tiny", "small"}
    assert found.clean["small"].shape == (40, 40, 3)
    assert (found.covered["tiny"] != found.clean["tiny"]).any()


def test_a_sample_without_a_bar_has_one_in_its_middle() -> None:
    assert [tuple(bar) for bar in subjects.find(None, "sample:clock").bars] == [(0.3, 0.3, 0.4, 0.4)]


def test_a_sample_is_what_the_site_would_make_of_it(user: User) -> None:
    from predictions import services
    from predictions.crop import AUTO
    from predictions.images import prepare

    data = samples.file_bytes(samples.every()["keyboard"])
    run = services.submit(user, [prepare(data, "keyboard.jpg")], ("tiny",), crop=AUTO).runs[0]
    drain()
    sent, ours = subjects.find(user, str(run.pk)), subjects.find(None, "sample:keyboard")
    assert (sent.clean["tiny"] == ours.clean["tiny"]).all()
    assert sent.crop == ours.crop


def test_a_samples_answers_are_known_once_they_were_made(settings: Any) -> None:
    from learn import sample_figures
    from predictions.inference import predictor

    before = subjects.find(None, "sample:apple")
    assert before.answers["tiny"].clean is None
    list(sample_figures.make(["apple"]))
    after = subjects.find(None, "sample:apple")
    for network in ("tiny", "small"):
        pixels = np.stack([after.clean[network], after.covered[network]])
        for row, said in zip(
            predictor(network).predict_arrays(pixels),
            (after.answers[network].clean, after.answers[network].covered),
            strict=True,
        ):
            expected = predictor(network).top(row, 5)
            assert said is not None
            assert [(one["index"], one["label"]) for one in said] == [top[:2] for top in expected]
            assert [one["probability"] for one in said] == pytest.approx(
                [top[2] for top in expected], abs=1e-6
            )
    other = subjects.find(None, "sample:apple", LEFT)
    assert other.answers["tiny"].clean == after.answers["tiny"].clean
    assert other.answers["tiny"].covered is None


# --- choosing --------------------------------------------------------------------------------------------------


def test_the_last_pictures_come_newest_first_and_once_each(user: User) -> None:
    first, second = answered(user, bars=LEFT), answered(user)
    answered(make_user())
    make_runs(user)
    assert [one.upload.pk for one in explainable.recent(user)] == [second.upload_id, first.upload_id]
    assert [one.upload.pk for one in explainable.recent(user, 1)] == [second.upload_id]
    for run in Prediction.objects.filter(upload=first.upload, asked=True):
        assert explainable.recent(user, current=str(run.pk))[1].id == run.pk
    lifecycle.delete(user, list(Prediction.objects.filter(upload=second.upload).values_list("pk", flat=True)))
    assert [one.upload.pk for one in explainable.recent(user)] == [first.upload_id]
