"""What becomes of an uploaded file: every accepted format, every bad one, and nothing of the original."""

import functools
import io

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat, JpegImagePlugin

from predictions import decoding, images
from tests import pictures

SEED_NAMES = (
    "photo.jpg",
    "drawing.png",
    "web.webp",
    "picture.gif",
    "iphone.heic",
    "small.avif",
    "animated.gif",
)


@functools.cache
def seed(name: str) -> bytes:
    return pictures.ACCEPTED[name]()


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def prepared(data: bytes, name: str = "picture") -> Image.Image:
    return images.open_prepared(images.prepare(data, name).data)


@pytest.mark.parametrize("name", pictures.ACCEPTED)
def test_an_accepted_file_becomes_a_small_clean_picture_and_always_the_same_one(name):
    data = pictures.ACCEPTED[name]()
    result = images.prepare(data, name)
    assert result == images.prepare(data, name)
    assert result.filename == name
    assert result.content_type == {"jpg": "image/jpeg", "png": "image/png"}[result.extension]
    with Image.open(io.BytesIO(result.data)) as image:
        image.load()
        assert image.format == {"jpg": "JPEG", "png": "PNG"}[result.extension]
        assert image.mode == "RGB"
        assert image.size == (result.width, result.height)
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
        assert getattr(image, "n_frames", 1) == 1
    assert b"MARKER" not in result.data


@pytest.mark.parametrize("name", pictures.REJECTED)
def test_a_bad_file_is_refused_with_a_sentence(name):
    builder, code = pictures.REJECTED[name]
    with pytest.raises(images.ImageRejected) as refusal:
        images.prepare(builder(), name)
    assert refusal.value.code == code
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "%" not in sentence
    assert 20 < len(sentence) < 140


def test_every_code_has_a_sentence_and_an_unusable_format_is_named():
    with pytest.raises(images.ImageRejected, match="TIFF"):
        images.prepare(pictures.REJECTED["scan.tiff"][0](), "scan.tif")
    with translation.override("en"):
        assert all(str(message) for message in images.MESSAGES.values())


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "phone.jpg",
        "drawing.png",
        "web.webp",
        "picture.gif",
        "iphone.heic",
        "small.avif",
        "animated.gif",
        "animated.webp",
        "animated.png",
        "print.jpg",
    ],
)
def test_the_first_frame_still_looks_like_the_scene(name):
    assert mean_difference(prepared(pictures.ACCEPTED[name]()), pictures.scene()) < 8


def test_small_lossless_sources_keep_every_pixel():
    assert prepared(pictures.png()).tobytes() == pictures.scene().tobytes()


def test_a_lossless_source_too_heavy_for_png_becomes_a_jpeg():
    result = images.prepare(pictures.png(1500, 1000, compress_level=1), "large.png")
    assert result.extension == "jpg"
    assert len(result.data) < 1_000_000


def test_the_name_does_not_decide_the_format():
    assert images.prepare(pictures.jpeg(), "lies.png").content_type == "image/jpeg"
    assert images.prepare(pictures.png(), "lies.exe").content_type == "image/png"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_turned_upright(orientation):
    result = images.prepare(pictures.jpeg_with_metadata(orientation), "turned.jpg")
    assert (result.width, result.height) == (result.source_width, result.source_height) == pictures.SIZE
    assert mean_difference(images.open_prepared(result.data), pictures.scene()) < 3


@pytest.mark.parametrize(
    ("sampling", "size", "kept"), [(0, (640, 480), 0), (2, (640, 480), 2), (2, (3200, 2400), 0)]
)
def test_a_jpegs_colours_lose_no_resolution_that_they_had(sampling, size, kept):
    data = pictures.encoded(pictures.scene(*size), "JPEG", subsampling=sampling)
    result = images.prepare(data, "photo.jpg")
    with Image.open(io.BytesIO(result.data)) as image:
        assert JpegImagePlugin.get_sampling(image) == kept


def test_a_large_rotated_photo_is_turned_and_shrunk():
    result = images.prepare(pictures.jpeg_with_metadata(6, 1500, 2000), "large.jpg")
    assert result[3:7] == (1000, 1333, 1500, 2000)
    shrunk = pictures.scene(1500, 2000).resize((1000, 1333), Image.Resampling.LANCZOS)
    assert mean_difference(images.open_prepared(result.data), shrunk) < 3


def test_a_photo_of_48_million_pixels_is_taken():
    source = pictures.scene(500, 375)
    result = images.prepare(pictures.encoded(source.resize((8000, 6000)), "JPEG"), "huge.jpg")
    assert result[3:7] == (1333, 1000, 8000, 6000)
    assert mean_difference(images.open_prepared(result.data), source.resize((1333, 1000))) < 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1500, 1000), (1500, 1000)),
        ((1000, 1500), (1000, 1500)),
        ((3000, 1000), (1500, 500)),
        ((3000, 2000), (1500, 1000)),
        ((2000, 2000), (1000, 1000)),
        ((4000, 3000), (1333, 1000)),
        ((100, 4000), (38, 1500)),
        ((31, 17), (31, 17)),
    ],
)
def test_a_picture_is_bounded_with_its_shape_kept_and_never_enlarged(source, expected):
    result = images.prepare(pictures.encoded(Image.new("RGB", source, "teal"), "JPEG"), "any.jpg")
    assert (result.width, result.height) == expected
    assert (result.source_width, result.source_height) == source


def test_one_pixel_and_one_by_ten_thousand_are_taken():
    tiny = images.prepare(pictures.tiny(), "tiny.png")
    assert tiny[3:7] == (1, 1, 1, 1)
    assert images.open_prepared(tiny.data).getpixel((0, 0)) == (10, 200, 30)
    thin = images.prepare(pictures.thin(), "thin.png")
    assert thin[3:7] == (1, 1500, 1, 10000)


@pytest.mark.parametrize(
    "name", ["transparent.png", "transparent-palette.png", "transparent.gif", "transparent.webp"]
)
def test_transparency_lies_on_white(name):
    image = prepared(pictures.ACCEPTED[name]())
    left, right = image.getpixel((10, 100)), image.getpixel((300, 100))
    assert min(left) >= 253
    assert abs(right[0]) <= 2
    assert abs(right[1]) <= 2
    assert right[2] >= 250


def test_a_16_bit_grey_with_a_clear_value_lies_on_white():
    data = pictures.encoded(Image.frombytes("I;16", (2, 1), b"\x34\x12\x35\x12"), "PNG", transparency=0x1234)
    image = prepared(data)
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert image.getpixel((1, 0)) == (0x12, 0x12, 0x12)


def test_16_bits_are_scaled_not_clipped():
    grey = prepared(pictures.grey_16_bit_png())
    colour = prepared(pictures.colour_16_bit_png())
    for x in range(256):
        assert grey.getpixel((x, 5)) == (x, x, x)
        assert colour.getpixel((x, 5)) == (x, 0, 255)


def test_an_embedded_profile_is_applied_and_a_broken_one_ignored():
    red, green, blue = prepared(pictures.swapped_profile_png()).getpixel((5, 5))
    assert green > 240
    assert red < 20
    assert blue < 20
    assert mean_difference(prepared(pictures.ACCEPTED["broken-profile.jpg"]()), pictures.scene()) < 8


@pytest.mark.parametrize(
    "builder",
    [
        pictures.jpeg_with_metadata,
        pictures.png_with_metadata,
        pictures.webp_with_metadata,
        pictures.heic_with_metadata,
        pictures.gif_with_comment,
    ],
)
def test_no_metadata_survives(builder):
    source = builder()
    assert any(marker in source for marker in pictures.MARKERS), "the source must hold what is to be removed"
    result = images.prepare(source, "secret.jpg")
    for marker in (*pictures.MARKERS, b"Exif", b"xmp", b"ICC_PROFILE", b"iCCP", b"tEXt", b"iTXt", b"eXIf"):
        assert marker not in result.data


@pytest.mark.parametrize(
    "builder", [pictures.jpeg_with_zip, pictures.jpeg_with_php, pictures.gif_with_script]
)
def test_of_a_file_that_is_also_something_else_only_the_picture_stays(builder):
    source = builder()
    result = images.prepare(source, "both.jpg")
    assert b"MARKER" in source
    for part in (b"MARKER", b"<?php", b"<script", b"PK\x03\x04", b"alert"):
        assert part not in result.data


def test_a_broken_orientation_or_frame_index_is_no_reason_to_refuse():
    photo, phone = pictures.jpeg_with_metadata(), pictures.mpo()
    damaged = photo.replace(b"Exif\0\0MM\0*", b"Exif\0\0MM\xff\xff")
    misindexed = phone.replace(b"MPF\0MM\0*", b"MPF\0MM\xff\xff").replace(b"MPF\0II*\0", b"MPF\0II\xff\xff")
    assert damaged != photo
    assert misindexed != phone
    assert images.prepare(damaged, "a.jpg").width == pictures.SIZE[0]
    assert images.prepare(misindexed, "b.jpg").width == pictures.SIZE[0]


@pytest.mark.parametrize("builder", [pictures.rotated_heic, pictures.rotated_avif])
def test_phone_formats_that_turn_by_their_own_means_are_upright_once(builder):
    result = images.prepare(builder(), "turned")
    assert result[3:7] == pictures.SIZE * 2
    assert mean_difference(images.open_prepared(result.data), pictures.scene()) < 8


def test_a_film_of_heic_pictures_is_counted_over_all_frames(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 320 * 240 - 1)
    with pytest.raises(decoding.DecodeRejected, match="too_many_pixels"):
        decoding.decode(pictures.heic())


def test_ten_megabytes_are_taken_and_one_byte_more_is_not():
    full = pictures.jpeg().ljust(images.MAX_BYTES, b"\0")
    assert images.prepare(full, "full.jpg").width == pictures.SIZE[0]
    with pytest.raises(images.ImageRejected) as refusal:
        images.prepare(full + b"\0", "over.jpg")
    assert refusal.value.code == "too_large"


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("cat\r\nSet-Cookie: a=b.png", "cat Set-Cookie: a=b.png"),
        ("annual\u202egpj.exe", "annualgpj.exe"),
        ("\u2066hidden\u2069\x00\x1b[31m.png", "hidden[31m.png"),
        ("", "picture"),
        ("..", "picture"),
        ("folder/", "picture"),
        ("\u202e\u200f", "picture"),
        ("Gru\u0308n \u00a0 Katze.jpg", "Gr\u00fcn Katze.jpg"),
        ("\u732b\u306e\u5199\u771f.heic", "\u732b\u306e\u5199\u771f.heic"),
        ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
        ("y" * 300, "y" * 120),
        ("bad\ud800name.png", "badname.png"),
    ],
)
def test_a_file_name_is_made_fit_to_be_shown(given_name, shown):
    assert images.display_name(given_name) == shown


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_name_becomes_a_short_visible_one(name):
    shown = images.display_name(name)
    assert 0 < len(shown) <= 120
    assert shown == images.display_name(shown)
    assert not set(shown) & set("/\\\r\n\0\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else(data):
    source = bytearray(seed(data.draw(st.sampled_from(SEED_NAMES))))
    for _ in range(data.draw(st.integers(0, 8))):
        place = data.draw(
            st.integers(0, min(len(source) - 1, data.draw(st.sampled_from((64, 1024, 1 << 20)))))
        )
        source[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(source)), st.integers(0, len(source))))
    code, result = "empty", None
    try:
        result = images.prepare(bytes(source[:cut]), "damaged")
    except images.ImageRejected as refusal:
        code = refusal.code
    assert code in images.MESSAGES
    assert result is None or images.open_prepared(result.data).size == (result.width, result.height)


@settings(deadline=None)
@given(
    st.sampled_from(
        (
            b"",
            b"\xff\xd8\xff",
            decoding.PNG_SIGNATURE,
            b"GIF89a",
            b"RIFF\0\0\0\0WEBP",
            b"\0\0\0\x18ftypheic",
            b"\0\0\0\x1cftypavif",
            b"\0\0\0\x14ftypmif1",
        )
    ),
    st.binary(max_size=300),
)
def test_noise_behind_a_signature_is_refused(signature, noise):
    with pytest.raises(images.ImageRejected):
        images.prepare(signature + noise, "noise")
