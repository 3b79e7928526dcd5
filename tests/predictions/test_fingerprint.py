"""How pictures are recognised by their looks, where that is noted, and how older ones come by it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image, ImageDraw

from predictions import services, upkeep
from predictions.decoding import GREY_SIDE, decode, grey
from predictions.fingerprint import BITS, NEAR, alike, fingerprint, of_grey
from predictions.images import PreparedImage, prepare
from predictions.models import Upload
from tests import pictures
from tests.factories import make_picture, make_user


def drawing(seed: int, size: tuple[int, int] = (480, 320)) -> Image.Image:
    """Twenty shapes of any colour, placed by chance."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", size, tuple(map(int, rng.integers(0, 256, 3))))
    pen = ImageDraw.Draw(picture)
    for number in range(20):
        left, top = rng.integers(0, size[0]), rng.integers(0, size[1])
        box = [int(left), int(top), int(left + rng.integers(20, 200)), int(top + rng.integers(20, 200))]
        draw = pen.ellipse if number % 2 else pen.rectangle
        draw(box, fill=tuple(map(int, rng.integers(0, 256, 3))))
    return picture


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_a_fingerprint_has_64_bits_of_which_half_are_set():
    mark = fingerprint(drawing(1))
    assert len(mark) == BITS // 4
    assert int(mark, 16).bit_count() == BITS // 2


@pytest.mark.parametrize("quality", [60, 75, 85, 95])
def test_saving_anew_and_shrinking_leave_it_recognisable(quality):
    for seed in range(12):
        picture = drawing(seed)
        half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
        mark = fingerprint(picture)
        for copy in (as_jpeg(picture, quality), as_jpeg(half, quality)):
            assert distance(mark, fingerprint(copy)) <= NEAR, (seed, quality)
            assert alike([fingerprint(copy)], [mark]) == {fingerprint(copy)}


def test_different_pictures_are_far_apart():
    marks = [fingerprint(drawing(seed)) for seed in range(60)]
    closest = min(distance(a, b) for i, a in enumerate(marks) for b in marks[:i])
    assert closest > 2 * NEAR
    assert alike(marks[:30], marks[30:]) == set()


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (300, 200), (200, 30, 30)),
        Image.new("RGB", (1, 1)),
        Image.linear_gradient("L").resize((300, 200)).convert("RGB"),
        # One colour, saved so badly that it is no longer exactly one.
        as_jpeg(Image.new("RGB", (300, 200), (17, 130, 99)), 10),
        Image.fromarray(np.tile(np.arange(200) // 20 % 2 * 255, (120, 1)).astype(np.uint8)).convert("RGB"),
    ],
    ids=["one colour", "one pixel", "a gradient", "one colour, saved badly", "stripes"],
)
def test_a_picture_with_nothing_to_tell_it_by_has_none(picture):
    assert fingerprint(picture) == ""
    assert alike([fingerprint(picture)], ["", "0" * 16]) == set()


def test_up_to_four_bits_make_the_same_picture_and_five_another():
    known = "00ff00ff00ff00ff"
    assert alike([known], []) == set()
    for bits, same in ((0, True), (4, True), (5, False), (BITS, False)):
        mark = f"{int(known, 16) ^ ((1 << bits) - 1):016x}"
        assert (alike([mark, ""], ["f" * 16, known]) == {mark}) is same, bits


def test_what_is_no_small_grey_picture_has_none():
    assert of_grey(b"") == of_grey(b"\x80" * (GREY_SIDE**2 - 1)) == ""


def test_the_decoder_notes_how_the_picture_looks():
    data = pictures.encoded(drawing(3), "PNG")
    prepared = prepare(data, "drawing.png")
    assert prepared.fingerprint == fingerprint(drawing(3))
    assert decode(data).grey == grey(drawing(3))
    assert prepare(pictures.encoded(Image.new("RGB", (40, 40)), "PNG"), "black.png").fingerprint == ""


def test_a_turned_photo_is_recognised_as_it_is_shown():
    upright = fingerprint(pictures.scene())
    for orientation in (3, 6, 8):
        turned = prepare(pictures.jpeg_with_metadata(orientation), "turned.jpg")
        assert distance(turned.fingerprint, upright) <= NEAR, orientation


# --- uploads of an earlier release -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_refused", set())


def prepared(picture: Image.Image, **more: Any) -> PreparedImage:
    data = pictures.encoded(picture, "PNG")
    return PreparedImage(data, "image/png", "png", *picture.size, *picture.size, "drawing.png", **more)


@pytest.mark.django_db
def test_an_upload_keeps_its_fingerprint():
    mark = fingerprint(drawing(3))
    assert services.store(make_user(), prepared(drawing(3), fingerprint=mark)).fingerprint == mark
    assert Upload.objects.get().fingerprint == mark


@pytest.mark.django_db
def test_older_uploads_are_looked_at_and_unreadable_ones_only_once(monkeypatch):
    user = make_user()
    good, flat, gone, broken = (
        services.store(user, one)
        for one in (prepared(drawing(1)), make_picture(), prepared(drawing(2)), prepared(drawing(3)))
    )
    Upload.objects.update(fingerprint=None)
    default_storage.delete(gone.file.name)
    with default_storage.open(broken.file.name, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n and nothing else")
    assert upkeep.look_at_uploads(60) == 4
    marks = dict(Upload.objects.values_list("pk", "fingerprint"))
    assert marks == {good.pk: fingerprint(drawing(1)), flat.pk: "", gone.pk: "", broken.pk: ""}
    monkeypatch.setattr(upkeep, "open_prepared", pytest.fail)
    assert upkeep.look_at_uploads(60) == 0


@pytest.mark.django_db
def test_while_the_storage_is_away_nothing_is_noted(monkeypatch):
    services.store(make_user(), prepared(drawing(1)))
    Upload.objects.update(fingerprint=None)
    with monkeypatch.context() as patch:

        def away(*arguments: Any, **more: Any) -> Any:
            raise ConnectionError("no route to the storage")

        patch.setattr("django.db.models.fields.files.FieldFile.open", away)
        assert upkeep.look_at_uploads(60) == 0
    assert Upload.objects.get().fingerprint is None
    assert sum(upkeep.look_at_uploads(60) for _turn in range(2)) == 1


@pytest.mark.django_db
def test_one_file_that_the_storage_never_gives_does_not_keep_the_others(monkeypatch):
    user = make_user()
    uploads = sorted((services.store(user, prepared(drawing(seed))) for seed in range(3)), key=lambda u: u.pk)
    Upload.objects.update(fingerprint=None)
    read = upkeep.fingerprint_of

    def reads(upload: Upload) -> str:
        if upload.pk == uploads[0].pk:
            raise PermissionError
        return read(upload)

    monkeypatch.setattr(upkeep, "fingerprint_of", reads)
    for _turn in range(3):
        upkeep.look_at_uploads(60)
    assert list(Upload.objects.filter(fingerprint=None)) == uploads[:1]


@pytest.mark.django_db
def test_looking_stops_when_its_time_is_over():
    services.store(make_user(), prepared(drawing(1)))
    Upload.objects.update(fingerprint=None)
    assert upkeep.look_at_uploads(0) == 0
    assert Upload.objects.get().fingerprint is None
