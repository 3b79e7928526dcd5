"""Pictures like photographs are made the same way every time, and the ways of shrinking them are compared fairly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps

from ml import canvases, data, photograph_tables, photographs
from ml.artifact import Card
from ml.canvases import Photograph
from ml.labels import CIFAR100
from ml.photographs import Case, Way, measure
from ml.preprocessing import Preprocessing, to_input

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(8)
HOW = Preprocessing(32)


def tile() -> np.ndarray:
    """32 x 32 pixels of coarse noise, which survives JPEG."""
    return RNG.integers(30, 226, (8, 8, 3), np.uint8).repeat(4, 0).repeat(4, 1)


def split(count: int) -> data.Split:
    return data.Split(np.stack([tile() for _ in range(count)]), np.arange(count, dtype=np.int64))


def made(**options: object) -> Photograph:
    return canvases.photograph(tile(), 3, tile(), np.random.default_rng(1), **options)


# --- the pictures ------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_photographs_and_another_seed_others():
    one = split(4)
    first, again, other = (
        [photo.image.tobytes() for photo in canvases.photographs(one, CIFAR100, seed=seed)]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_photographs_have_a_cameras_shape_and_hold_the_object_where_they_say():
    found = list(canvases.photographs(split(40), CIFAR100))
    shapes = {round(photo.image.width / photo.image.height, 1) for photo in found}
    assert shapes == {1.5, 0.7, 1.8}
    assert {photo.kind for photo in found} == set(canvases.SURROUNDINGS)
    assert [photo.label for photo in found] == list(range(40))
    for photo in found:
        width, height = photo.image.size
        x, y, across, down = photo.box
        assert max(width, height) <= canvases.LONG
        assert min(width, height) <= canvases.SHORT
        assert across * width == pytest.approx(down * height, abs=1.5)
        assert min(across * width, down * height) >= 32 * canvases.ENLARGED[0] - 2
        assert min(x, y) >= 0
        assert max(x + across, y + down) <= 1 + 1e-9


@pytest.mark.parametrize("kind", canvases.SURROUNDINGS)
@pytest.mark.parametrize("aspect", canvases.ASPECTS)
def test_the_objects_own_square_shrinks_to_the_thumbnail_again(kind, aspect):
    own = tile()
    photo = canvases.photograph(
        own, 0, tile(), np.random.default_rng(2), kind=kind, aspect=aspect, fill=0.5, side=256, quality=95
    )
    # Away from the rim, which some surroundings blend into, and up to what enlarging and JPEG soften.
    seen = to_input(photo.image, HOW, photo.box).astype(int)
    apart = np.abs(seen - own)[3:-3, 3:-3].mean()
    beside = np.abs(np.roll(seen, 4, 1) - own)[3:-3, 3:-3].mean()
    assert apart < 14
    assert beside > 2 * apart


def test_an_object_may_be_asked_for_in_the_middle_and_filling_the_canvas():
    photo = made(aspect=(1, 1), fill=1.0, side=200)
    assert photo.box == (0, 0, 1, 1)
    assert photo.image.size == (200, 200)
    middle = made(aspect=(3, 2), fill=0.5, centred=True)
    assert middle.box[0] + middle.box[2] / 2 == pytest.approx(0.5)
    assert middle.box[1] + middle.box[3] / 2 == pytest.approx(0.5)


def test_unknown_surroundings_are_refused():
    with pytest.raises(ValueError, match="surroundings are one of"):
        made(kind="space")


def test_the_halves_share_no_picture_with_each_other_or_with_training(tiny_data, monkeypatch):
    monkeypatch.setattr(data, "HOLDOUT_PER_CLASS", 4)
    trained = data.load_for_training(tiny_data)[0]
    choose, tell = canvases.halves(tiny_data)
    sets = [{picture.tobytes() for picture in part.images} for part in (trained, choose, tell)]
    assert [len(part) for part in sets[1:]] == [200, 200]
    assert np.bincount(tell.labels).tolist() == [2] * 100
    assert not sets[0] & (sets[1] | sets[2])
    assert not sets[1] & sets[2]


def write_scenes(root: Path, **sizes: tuple[int, int]) -> None:
    (root / "samples").mkdir()
    (root / "static" / "samples").mkdir(parents=True)
    rows = [{"label": name, "file": f"{name}.png"} for name in sizes]
    (root / "samples" / "samples.json").write_text(json.dumps(rows))
    for name, size in sizes.items():
        Image.new("RGB", size, (250, 250, 250)).save(root / "static" / "samples" / f"{name}.png")


def test_scenes_are_turned_and_cut_without_dark_corners(tmp_path):
    write_scenes(tmp_path, apple=(300, 300), sea=(400, 250), lamp=(250, 400), dragon=(100, 100))
    found = list(canvases.scenes(CIFAR100, times=6, root=tmp_path))
    expected = [CIFAR100.index(name) for name in ("apple", "sea", "lamp") for _ in range(6)]
    assert [photo.label for photo in found] == expected
    assert {photo.kind for photo in found} == {"scene near", "scene far"}
    assert min(np.asarray(photo.image).min() for photo in found) > 240
    assert len({photo.image.size for photo in found}) > 6


def test_without_the_list_there_are_no_scenes(tmp_path):
    assert list(canvases.scenes(CIFAR100, root=tmp_path)) == []


# --- the ways ----------------------------------------------------------------------------------------------


def test_a_fitted_picture_keeps_its_shape_between_bars_of_the_mean_colour():
    seen = photographs.fitted(Image.new("RGB", (300, 150), (255, 0, 0)), HOW)
    assert seen.shape == (32, 32, 3)
    assert (seen[8:24] == (255, 0, 0)).all()
    assert (seen[:8] == (129, 124, 112)).all()
    assert (seen[24:] == (129, 124, 112)).all()


def test_sharpening_leaves_one_colour_alone_and_steepens_an_edge():
    flat = np.full((8, 8, 3), 90, np.uint8)
    assert np.array_equal(photographs.sharpened(flat), flat)
    edge = flat.copy()
    edge[:, 4:] = 160
    seen = photographs.sharpened(edge)
    assert seen[4, 3, 0] < 90
    assert seen[4, 4, 0] > 160


@pytest.mark.parametrize(("factor", "x", "y"), [(0.5, 0, 0), (1.25, 0.3, -0.3), (9, 1, 1), (1, -5, 5)])
def test_a_moved_box_stays_a_square_inside_the_picture(factor, x, y):
    image = Image.new("RGB", (300, 200))
    left, top, across, down = photographs.moved((0.2, 0.1, 0.4, 0.6), image, factor, x, y)
    assert across * 300 == pytest.approx(down * 200)
    assert across * 300 == pytest.approx(min(120 * factor, 200))
    assert min(left, top) >= 0
    assert max(left + across, top + down) <= 1 + 1e-9
    if factor < 1:
        assert (left + across / 2, top + down / 2) == pytest.approx((0.4, 0.4))


def test_every_shape_goes_through_every_filter_with_and_without_sharpening():
    photo = made(kind="plain")
    ways = photographs.in_every_way(photo, HOW)
    single = {(way.view, way.filter, way.sharpened) for way, views in ways.items() if len(views) == 1}
    shapes = ("stretch", "crop", "fit", "placed", "oracle")
    expected = {
        (shape, name, sharp)
        for shape in shapes
        for name in ("area", "bicubic", "lanczos")
        for sharp in (True, False)
    }
    assert single == expected
    assert next(iter(ways)) == Way("stretch", "area")
    # What is measured is what is served.
    for shape in ("stretch", "crop", "placed"):
        for name in ("area", "lanczos"):
            served = to_input(photo.image, replace(HOW, shape=shape, filter=name))
            assert np.array_equal(ways[Way(shape, name)][0], served)
    assert "oracle" not in {way.view for way in photographs.in_every_way(replace(photo, box=None), HOW)}


# --- the figures -------------------------------------------------------------------------------------------


def by_brightness(card: Card | None = None) -> SimpleNamespace:
    """A network of three classes that is as sure as the channel of its class is bright."""

    def answer(pixels: np.ndarray) -> np.ndarray:
        bright = pixels.astype(np.float64).mean((1, 2)) + 1e-9
        return (bright / bright.sum(-1, keepdims=True)).astype(np.float32)

    return SimpleNamespace(predict_arrays=answer, card=card)


def colour(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((4, 4, 3), (red, green, blue), np.uint8)


def test_a_row_counts_what_is_right_and_what_it_gains_over_the_first_way():
    right, wrong = colour(200, 50, 0), colour(50, 200, 0)
    cases = [
        Case(0, ("near",), {Way("a"): [right], Way("b"): [right]}),
        Case(0, ("near",), {Way("a"): [wrong], Way("b"): [right]}),
        Case(0, ("far",), {Way("a"): [wrong], Way("b"): [right]}),
        Case(0, ("far",), {Way("a"): [wrong], Way("b"): [wrong]}),
    ]
    first, second = measure(by_brightness(), cases)
    assert (first["view"], first["n"], first["top1"], first["gain"], first["gain_error"]) == (
        "a",
        4,
        0.25,
        0,
        0,
    )
    assert first["groups"] == {"far": 0.0, "near": 0.5}
    assert second["top1"] == 0.75
    assert second["gain"] == 0.5
    assert second["gain_error"] == 0.25  # differences 0, 1, 1, 0: deviation 0.5, over the root of 4
    assert second["groups"] == {"far": 0.5, "near": 1.0}
    assert second["confidence"] == pytest.approx(0.8)
    assert second["top5"] == 1.0


def test_several_views_of_one_picture_are_averaged_as_probabilities():
    # The mean names the second class, the surest view the first.
    views = [colour(190, 10, 0), colour(40, 160, 0), colour(40, 160, 0)]
    rows = measure(by_brightness(), [Case(1, (), {Way("one"): views[:1], Way("mean"): views})])
    assert [(row["top1"], row["views"]) for row in rows] == [(0.0, 1), (1.0, 3)]
    assert rows[1]["confidence"] == pytest.approx(0.55)


def test_more_pictures_than_fit_together_are_all_counted(monkeypatch):
    monkeypatch.setattr(photographs, "TOGETHER", 3)
    cases = (Case(i % 2, (), {Way("a"): [colour(200, 0, 0)]}) for i in range(10))
    (row,) = measure(by_brightness(), cases)
    assert (row["n"], row["top1"]) == (10, 0.5)


# --- a user's photographs ----------------------------------------------------------------------------------


def test_a_users_photographs_are_upright_bounded_and_labelled_by_their_folder(tmp_path, capsys):
    folder = tmp_path / "Sweet Pepper"
    folder.mkdir()
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    Image.new("RGB", (3000, 1500)).save(folder / "a.jpg", exif=exif)
    (folder / "b.jpg").write_bytes(b"no picture")
    files = photographs.read_photos(tmp_path, CIFAR100)
    (photo,) = photographs.open_photos(files)
    assert photo.label == CIFAR100.index("sweet_pepper")
    assert photo.image.size == (750, 1500)
    assert "b.jpg is left out" in capsys.readouterr().err


def test_a_folder_that_is_no_class_is_named(tmp_path):
    (tmp_path / "dragon").mkdir()
    with pytest.raises(data.DataError, match="dragon is not named like one of the network's 100 classes"):
        photographs.read_photos(tmp_path, CIFAR100)


def test_a_folder_without_photographs_is_named(tmp_path):
    with pytest.raises(data.DataError, match="holds no photographs"):
        photographs.read_photos(tmp_path, CIFAR100)
    with pytest.raises(data.DataError, match="is not a folder"):
        photographs.read_photos(tmp_path / "gone", CIFAR100)


# --- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """Small pictures, four held out of each class, two scenes."""
    monkeypatch.setattr(data, "HOLDOUT_PER_CLASS", 4)
    monkeypatch.setattr(canvases, "LONG", 150)
    monkeypatch.setattr(canvases, "SHORT", 100)
    two = [Photograph(Image.fromarray(tile()), 0, None, "scene near") for _ in range(2)]
    monkeypatch.setattr(canvases, "scenes", lambda labels: iter(two))


def test_the_command_writes_the_figures_and_the_tables(
    random_folder, tiny_data, tmp_path, few, capsys, monkeypatch
):
    own = tmp_path / "own" / "apple"
    own.mkdir(parents=True)
    ImageOps.expand(Image.fromarray(tile()), 8).save(own / "one.png")
    record, figures = tmp_path / "record.md", tmp_path / "figures.json"
    record.write_text(f"Before\n{photograph_tables.BEGIN}\nold\n{photograph_tables.END}\nafter\n")
    figures.write_text(json.dumps({"networks": {"another": {"kept": True}}}))
    arguments = ["vgg", f"--data={tiny_data}", "--pictures=3", f"--json={figures}"]
    assert photographs.main([*arguments, f"--photos={own.parent}"]) == 0
    kept = json.loads(figures.read_text())["networks"]
    assert kept["another"] == {"kept": True}
    parts = kept["vgg"]["parts"]
    assert {name: rows[0]["n"] for name, rows in parts.items()} == {
        "thumbnails": 3,
        "squares": 3,
        "photographs": 3,
        "scenes": 2,
        "framing": 3,
        "own photographs": 1,
    }
    assert "== photographs: 3 pictures" in capsys.readouterr().out

    figures.unlink()
    assert photographs.main([*arguments, f"--record={record}"]) == 0
    text = record.read_text()
    assert text.startswith(f"Before\n{photograph_tables.BEGIN}\n### vgg (vgg-test, openvino, float32)")
    assert text.endswith(f"{photograph_tables.END}\nafter\n")
    assert "| whole picture, stretched |" in text


def test_what_is_measured_twice_is_the_same(random_folder, tiny_data, tmp_path, few):
    outcomes = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.json"
        assert photographs.main(["vgg", f"--data={tiny_data}", "--pictures=3", f"--json={path}"]) == 0
        outcomes.append(path.read_text())
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["vgg", "--data=/nowhere"], "No CIFAR-100 in /nowhere"),
        (["vgg", "--data=/nowhere", "--pictures=0"], "--pictures must be at least 1"),
        (["vgg", "--data=/nowhere", "--record=x.md"], "--record needs --json"),
        (["vgg", "--data=/nowhere", "--photos=/nowhere"], "/nowhere is not a folder with one folder"),
        (["resnet", "--data=/nowhere"], "resnet"),
    ],
)
def test_what_cannot_work_gets_one_sentence(random_folder, arguments, sentence, capsys):
    assert photographs.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_record_without_marks_is_left_alone(tmp_path):
    record = tmp_path / "record.md"
    record.write_text("nothing to fill in")
    with pytest.raises(ValueError, match=r"record\.md has no"):
        photograph_tables.write(record, {})
    assert record.read_text() == "nothing to fill in"


def test_the_record_shows_the_tables_of_the_results():
    networks = json.loads((ROOT / "benchmarks/results/photographs.json").read_text())["networks"]
    record = (ROOT / "docs/decisions/0010-preprocessing-measured.md").read_text()
    assert photograph_tables.as_markdown(networks) in record
