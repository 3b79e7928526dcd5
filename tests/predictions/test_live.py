"""Live answers: the same as the ones that are kept, of one's own pictures only, and nothing of them is kept."""

from __future__ import annotations

import gc
import io
import json
import time
import uuid
import weakref
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image

from accounts.models import User
from ml.artifact import ArtifactError
from predictions import inference, live, services
from predictions.corruption import parse_bars
from predictions.crop import parse_crop
from predictions.images import PreparedImage
from predictions.models import NetworkInput, Prediction, Upload
from tests.factories import make_picture, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
BARS = [[0.1, 0.2, 0.35, 0.4], [0.5, 0.125, 0.25, 0.75]]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    live.pictures.clear()
    monkeypatch.setattr(live, "_loaded", None)


def noise(size: tuple[int, int] = (157, 101)) -> PreparedImage:
    """A picture in which every pixel counts, so that a difference in shrinking would be seen."""
    picture = Image.effect_noise(size, 90).convert("RGB")
    red, green, blue = picture.split()
    picture = Image.merge("RGB", (red.point(lambda v: v // 2 + 100), green.rotate(180), blue))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return PreparedImage(buffer.getvalue(), "image/png", "png", *size, *size, "noise.png")


@pytest.fixture
def upload(user: User) -> Upload:
    return services.store(user, make_picture())


def ask(page: Client, upload: Upload | str, bars: Any = (), **fields: Any) -> Any:
    values = {"draft": getattr(upload, "pk", upload), "bars": json.dumps(bars) if bars else "", **fields}
    return page.post("/predict/live/", values, headers=JSON)


def test_the_cheapest_network_names_the_picture_without_and_with_the_bars(
    page: Client, upload: Upload
) -> None:
    answer = ask(page, upload, [[0, 0, 1, 1]], n=7).json()
    assert (answer["n"], answer["network"], answer["version"]) == (7, "Tiny", "tiny-1")
    assert [len(answer["clean"]), len(answer["covered"])] == [3, 3]
    assert answer["clean"][0]["label"] == "red"
    assert answer["covered"][0]["label"] == "black"
    shares = [row["probability"] for row in answer["covered"]]
    assert shares == sorted(shares, reverse=True)
    assert answer["covered"][0]["percent"] == f"{100 * shares[0]:.1f}%"


def test_without_bars_there_is_no_covered_answer(page: Client, upload: Upload) -> None:
    answer = ask(page, upload).json()
    assert answer["covered"] is None
    assert answer["n"] == 0


@pytest.mark.parametrize("crop", ["", "whole", "[0.2, 0.1, 0.5, 0.777228]"])
def test_it_is_exactly_what_the_worker_answers(page: Client, user: User, crop: str) -> None:
    upload = services.store(user, noise())
    said = ask(page, upload, BARS, crop=crop).json()
    services.submit(user, [upload], ["tiny"], parse_bars(BARS), parse_crop(crop))
    inference.drain()
    for covered, name in ((False, "clean"), (True, "covered")):
        kept = Prediction.objects.get(covered=covered).answers
        assert kept is not None
        expected = [(row["index"], row["label"], row["probability"]) for row in kept[:3]]
        assert [(row["index"], row["label"], row["probability"]) for row in said[name]] == expected


def test_a_class_is_called_as_on_every_other_page(page: Client, user: User) -> None:
    upload = services.store(user, make_picture((0, 250, 250)))
    first = ask(page, upload).json()["clean"][0]
    assert (first["label"], first["name"]) == ("sea_green", "sea green")


def test_nothing_is_kept(page: Client, upload: Upload) -> None:
    ask(page, upload, BARS)
    assert not Prediction.objects.exists()
    assert not NetworkInput.objects.exists()


def test_a_strangers_picture_is_not_there_even_while_it_is_in_memory(
    page: Client, upload: Upload, client: Client
) -> None:
    assert ask(page, upload).status_code == 200
    stranger = Client()
    stranger.force_login(make_user())
    answer = ask(stranger, upload)
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": "picture_gone",
        "message": "A picture is no longer there. Choose it again.",
    }


@pytest.mark.parametrize("given", ["", "nonsense", str(uuid.uuid4())])
def test_a_picture_that_is_not_there_is_told(page: Client, given: str) -> None:
    assert ask(page, given).json()["error"]["code"] == "picture_gone"


def test_a_picture_whose_file_is_gone_is_told(page: Client, upload: Upload) -> None:
    upload.file.delete(save=False)
    assert ask(page, upload).json()["error"]["code"] == "picture_gone"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"bars": "[[2, 0, 1, 1]]"}, "bars_invalid"),
        ({"bars": "nonsense"}, "bars_invalid"),
        ({"crop": "[0, 0, 1, 0.1]"}, "crop_invalid"),
        ({"crop": "nonsense"}, "crop_invalid"),
        ({"n": "one"}, "number_invalid"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    page: Client, upload: Upload, fields: dict[str, str], code: str
) -> None:
    answer = page.post("/predict/live/", {"draft": upload.pk, **fields}, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"].endswith(".")


@pytest.mark.parametrize("engine", ["tensorflow", "tensorflow_serving"])
def test_another_engine_has_no_live_answers_and_the_page_offers_none(
    page: Client, upload: Upload, settings: Any, engine: str
) -> None:
    assert b"data-live-toggle" in page.get("/predict/").content
    settings.ML_ENGINE = engine
    answer = ask(page, upload)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "live_unavailable"
    assert b"data-live-toggle" not in page.get("/predict/").content


def test_without_a_network_there_are_no_live_answers(
    page: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "offered", list)
    assert ask(page, upload).status_code == 409


def test_a_network_whose_files_are_damaged_has_no_live_answers(page: Client, upload: Upload) -> None:
    card = services.offered()[0]
    (card.folder / "network.bin").write_bytes(b"damaged")
    assert ask(page, upload).json()["error"]["code"] == "live_unavailable"


def test_a_damaged_network_is_not_read_again_for_every_bar(
    page: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def damaged(name: str, **options: Any) -> Any:
        tries.append(name)
        raise ArtifactError("damaged")

    with monkeypatch.context() as patched:
        patched.setattr(live, "load_predictor", damaged)
        assert [ask(page, upload).status_code for _bar in range(3)] == [409] * 3
    assert len(tries) == 1
    monkeypatch.setattr(live, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(live, "_loaded", None)
    with monkeypatch.context() as patched:
        patched.setattr(live, "load_predictor", damaged)
        assert ask(page, upload).status_code == 409
    assert ask(page, upload).status_code == 200


def test_a_new_version_takes_the_place_of_the_old_one(
    page: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = live.network()
    cards = [replace(card, version="next") for card in services.offered()]
    monkeypatch.setattr(live, "offered", lambda: cards)
    kept = weakref.ref(old)
    del old
    assert ask(page, upload).status_code == 200
    gc.collect()
    assert kept() is None


def test_visitors_and_get_are_refused(page: Client, upload: Upload) -> None:
    assert page.get("/predict/live/").status_code == 405
    assert ask(Client(), upload).status_code in (401, 404)


def test_too_many_in_a_minute_are_told_to_wait(page: Client, user: User, upload: Upload) -> None:
    for window in range(2):  # a minute may end while the test runs
        cache.set(f"rate:live:{user.pk}:{int(time.time() // 60) + window}", 900, 120)
    answer = ask(page, upload)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) <= 60


def test_a_picture_is_decoded_once_for_many_questions(
    page: Client, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    decode = live.open_prepared

    def counting(data: bytes) -> Image.Image:
        decoded.append(len(data))
        return decode(data)

    monkeypatch.setattr(live, "open_prepared", counting)
    for share in (0.1, 0.2, 0.3):
        assert ask(page, upload, [[0, 0, share, 1]]).status_code == 200
    assert len(decoded) == 1


def test_pictures_in_memory_are_bounded_and_the_longest_unused_goes_first(user: User) -> None:
    uploads = [services.store(user, make_picture((shade, 0, 0))) for shade in (10, 20, 30)]
    each = 90 * 60 * live.PIXEL_BYTES
    few = live.Pictures(2 * each)
    first = few.of(uploads[0])
    few.of(uploads[1])
    assert few.of(uploads[0]) is first
    few.of(uploads[2])
    assert few.bytes == 2 * each
    assert few.of(uploads[0]) is first
    none = live.Pictures(each - 1)
    none.of(uploads[0])
    assert none.bytes == 0
