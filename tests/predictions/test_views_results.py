"""The pages of answers on one picture, and the pictures themselves."""

from __future__ import annotations

import io
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from accounts import throttle
from accounts.models import User
from predictions import inference, lifecycle, services
from predictions.corruption import parse_bars
from predictions.models import Job, Prediction
from tests.factories import finish, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
BARS = [[0.25, 0, 0.5, 1]]


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def fail(run: Prediction, code: str = "engine_failed", message: str = inference.ENGINE_FAILED) -> None:
    claim, runs = Prediction.objects.claim(1)
    assert Prediction.objects.fail(claim, runs[0], code, message)


def addresses(run: Prediction) -> list[str]:
    return [
        f"/predictions/{run.pk}/",
        f"/predictions/{run.pk}/status/",
        f"/predictions/{run.pk}/input.png",
        f"/batches/{run.batch_id}/",
        f"/batches/{run.batch_id}/status/",
        f"/pictures/{run.upload_id}/",
    ]


# --- who may ------------------------------------------------------------------------------------------------


def test_the_owner_sees_everything(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    assert [page.get(address).status_code for address in addresses(run)] == [200] * 6


def test_others_deleted_and_never_made_ones_are_not_there(page: Client, user: User) -> None:
    (others,) = make_runs(make_user(), models=("tiny",))
    (deleted,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [deleted.pk])
    never = [re.sub(r"[0-9a-f-]{36}", str(uuid.uuid4()), address) for address in addresses(others)]
    for address in [*addresses(others), *addresses(deleted), *never]:
        assert page.get(address).status_code == 404, address
        assert page.get(address, headers=JSON).status_code == 404, address


def test_strangers_are_sent_to_the_login_page(client: Client) -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    for address in addresses(run):
        assert client.get(address)["Location"] == f"/accounts/login/?next={address}"
        assert client.get(address, headers=JSON).status_code == 401


def test_nobody_asks_again_for_somebody_else(page: Client) -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    assert page.post(f"/predictions/{run.pk}/again/").status_code == 404
    assert Prediction.objects.count() == 1


# --- one picture --------------------------------------------------------------------------------------------


def test_the_page_shows_five_names_with_percentages_and_the_version(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    finish(run, 0.6, 0.2, 0.1, 0.05, 0.01)
    html = text(page.get(run.get_absolute_url()))
    for words in ("red", "60.0%", "green", "20.0%", "white", "5.0%", "version test-1", "24 × 24"):
        assert words in html.replace("\N{NO-BREAK SPACE}", " ")
    assert "data-poll-final" in html
    assert f"/predictions/{run.pk}/input.png" in html


def test_all_networks_of_a_submission_stand_on_one_page(page: Client, user: User) -> None:
    first, second = make_runs(user)
    html = text(page.get(second.get_absolute_url()))
    assert ">Tiny<" in html
    assert ">Small<" in html
    assert text(page.get(first.get_absolute_url())).count("<article") == 2


def test_another_submission_of_the_same_picture_has_its_own_page(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    again = services.submit(user, [run.upload], ["tiny"]).runs[0]
    assert text(page.get(again.get_absolute_url())).count("<article") == 1


def test_with_and_without_bars_stand_side_by_side(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    finish(run, 0.55, first=1)
    finish(run.clean_run, 0.9, first=0)
    html = text(page.get(run.get_absolute_url()))
    assert html.index("Without bars") < html.index("90.0%") < html.index("With bars") < html.index("55.0%")
    assert "The bars changed its mind" in html
    assert "1 bar covers 50.0% of the picture." in html
    assert '<rect x="22.500" y="0.000" width="45.000" height="60.000"/>' in html


def test_a_run_that_waits_says_where_in_the_line_it_stands(page: Client, user: User) -> None:
    make_runs(make_user(), models=("tiny",))
    make_runs(make_user(), models=("tiny",))
    (third,) = make_runs(user, models=("tiny",))
    assert "Queued, 3rd in line" in text(page.get(third.get_absolute_url()))
    Prediction.objects.claim(2)
    assert "Queued, next in line" in text(page.get(third.get_absolute_url()))
    Prediction.objects.claim(1)
    assert "The network is looking at it" in text(page.get(third.get_absolute_url()))


def test_a_failed_run_says_why_and_can_be_asked_again(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    fail(run)
    html = text(page.get(run.get_absolute_url()))
    assert "The network failed on this picture." in html
    assert "Ask again" in html
    response = page.post(f"/predictions/{run.pk}/again/", {"model": "tiny", "key": "k1"})
    newer = Prediction.objects.exclude(pk=run.pk).get()
    assert response["Location"] == newer.get_absolute_url()
    assert newer.status == Job.Status.QUEUED


def test_asking_again_twice_at_once_is_one_prediction(page: Client, user: User) -> None:
    runs = make_runs(user, bars=BARS)
    places = {page.post(f"/predictions/{runs[0].pk}/again/", {"key": "k2"})["Location"] for _ in range(2)}
    assert len(places) == 1
    newer = Prediction.objects.filter(asked=True).exclude(pk__in=[run.pk for run in runs])
    assert {run.model_id for run in newer} == {"tiny", "small"}
    assert all(run.bars == BARS for run in newer)


def test_asking_a_network_that_is_gone_is_a_sentence(page: Client, user: User, tmp_path: Path) -> None:
    (run,) = make_runs(user, models=("tiny",))
    finish(run)
    shutil.rmtree(tmp_path / "artifacts" / "tiny")
    html = text(page.get(run.get_absolute_url()))
    assert "red" in html
    response = page.post(f"/predictions/{run.pk}/again/", {"key": "k3"})
    assert response.status_code == 422
    assert "There is no network" in text(response)


def test_a_source_smaller_than_the_input_comes_with_a_word_of_warning(page: Client, user: User) -> None:
    picture = make_picture(size=(30, 30))
    tiny = services.submit(user, [picture], ["tiny"]).runs[0]
    both = services.submit(user, [picture]).runs[0]
    assert "fewer than" not in text(page.get(tiny.get_absolute_url()))
    assert "30 × 30 pixels, fewer than the 40 × 40" in text(page.get(both.get_absolute_url()))


def test_an_answer_about_a_person_says_that_the_network_knows_nothing_of_them(
    page: Client, user: User
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    (other,) = make_runs(user, models=("tiny",))
    finish(run, 0.9, first=6)
    finish(other, 0.9, first=0)
    assert "of persons the network knows nothing" in text(page.get(run.get_absolute_url()))
    assert "of persons the network knows nothing" not in text(page.get(other.get_absolute_url()))


def test_dates_are_in_the_readers_zone(client: Client) -> None:
    user = make_user(time_zone="Pacific/Auckland")
    client.force_login(user)
    (run,) = make_runs(user, models=("tiny",))
    assert re.search(r'datetime="[^"]+\+1[23]:00"', text(client.get(run.get_absolute_url())))


# --- the fragment -------------------------------------------------------------------------------------------


def test_the_fragment_comes_only_when_something_is_new(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    address = f"/predictions/{run.pk}/status/"
    first = page.get(address, headers=JSON).json()
    assert not first["final"]
    assert "Queued" in first["html"]
    assert "html" not in page.get(f"{address}?seen={first['seen']}", headers=JSON).json()
    finish(run)
    last = page.get(f"{address}?seen={first['seen']}", headers=JSON).json()
    assert last["final"]
    assert "60.0%" in last["html"]
    assert last["says"] == "Tiny, Without bars: red, 60.0%."


def test_a_deletion_ends_the_waiting(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [run.pk])
    response = page.get(f"/predictions/{run.pk}/status/", headers=JSON)
    assert response.status_code == 404
    assert "error" in response.json()


# --- pictures -----------------------------------------------------------------------------------------------


def test_a_picture_leaves_with_a_fixed_type_and_cannot_run(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    response = page.get(f"/pictures/{run.upload_id}/")
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'inline; filename="200-30-30.png"'
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    with Image.open(io.BytesIO(response.getvalue())) as image:
        assert image.size == (90, 60)


def test_a_browser_that_has_the_picture_gets_none(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    picture = f"/pictures/{run.upload_id}/"
    for address in (picture, f"{picture}?size=thumb", f"/predictions/{run.pk}/input.png"):
        etag = page.get(address)["ETag"]
        response = page.get(address, headers={"if-none-match": etag})
        assert response.status_code == 304
        lifecycle.delete(user, [run.pk])
        assert page.get(address, headers={"if-none-match": etag}).status_code == 404
        lifecycle.undo(user, [run.pk])


def test_a_thumbnail_is_a_small_jpeg(page: Client, user: User) -> None:
    run = services.submit(user, [make_picture(size=(1500, 1000))], ["tiny"]).runs[0]
    response = page.get(f"/pictures/{run.upload_id}/?size=thumb")
    assert response["Content-Type"] == "image/jpeg"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (320, 213)


def test_the_input_is_what_the_network_saw_pixel_for_pixel(page: Client, user: User) -> None:
    run = services.submit(user, [make_picture()], ["tiny"], parse_bars(BARS)).runs[0]
    seen = []
    for one in (run, run.clean_run):
        with Image.open(io.BytesIO(page.get(f"/predictions/{one.pk}/input.png").content)) as image:
            assert image.size == (24, 24)
            seen.append(image.convert("RGB").tobytes())
    assert seen[0] == bytes(run.network_input.pixels)
    assert seen[0] != seen[1]


def test_a_picture_is_there_as_long_as_one_of_its_predictions_is(page: Client, user: User) -> None:
    first, second = make_runs(user)
    lifecycle.delete(user, [first.pk])
    assert page.get(f"/pictures/{first.upload_id}/").status_code == 200
    lifecycle.delete(user, [second.pk])
    assert page.get(f"/pictures/{first.upload_id}/").status_code == 404


def test_asking_again_has_a_limit(
    page: Client, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(throttle, "_count", lambda scope, *rest: 241 if scope == "predict" else 1)
    (run,) = make_runs(user, models=("tiny",))
    assert page.post(f"/predictions/{run.pk}/again/").status_code == 429
    assert Prediction.objects.count() == 1
