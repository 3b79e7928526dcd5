"""A recipe says how fast, how large and how mixed every step is, and refuses what cannot work."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.recipe import Phase, Recipe, parse_phases


def recipe(**changes: object) -> Recipe:
    return Recipe(**{"model": "vgg", "epochs": 20, **changes})


def test_the_rate_rises_to_its_peak_after_the_warm_up_and_falls_to_a_thousandth():
    r = recipe(peak_rate=0.4, warm_up=0.25)
    rates = np.array([r.rate_at(step, 1000) for step in range(1001)])
    assert rates.argmax() == 250
    assert rates[250] == pytest.approx(0.4)
    assert rates[0] == pytest.approx(0.4 / 25)
    assert rates[-1] == pytest.approx(0.4 / 1000)
    assert (np.diff(rates[:251]) >= 0).all()
    assert (np.diff(rates[250:]) <= 0).all()
    assert np.abs(np.diff(rates)).max() < 0.004
    # Half-way through each cosine the rate is the mean of its ends.
    assert rates[125] == pytest.approx((0.4 / 25 + 0.4) / 2)
    assert rates[625] == pytest.approx((0.4 + 0.4 / 1000) / 2)


@pytest.mark.parametrize("warm_up", [0, 0.5, 1])
@pytest.mark.parametrize("total", [1, 2, 7])
def test_the_rate_of_the_shortest_runs_stays_between_nothing_and_the_peak(warm_up, total):
    r = recipe(warm_up=warm_up)
    assert all(0 < r.rate_at(step, total) <= r.peak_rate for step in range(total + 2))


def test_pictures_grow_from_phase_to_phase():
    r = recipe(phases=parse_phases("16:0.3,24:0.65,32:1"))
    assert [r.size_at(epoch) for epoch in range(20)] == [16] * 6 + [24] * 7 + [32] * 7


def test_cutmix_stops_before_the_end():
    r = recipe(cutmix=0.5, cutmix_until=0.9)
    assert [r.cutmix_at(epoch) for epoch in (0, 17, 18, 19)] == [0.5, 0.5, 0, 0]
    assert recipe(cutmix_until=1).cutmix_at(19) == 0.5
    assert recipe(cutmix_until=0).cutmix_at(0) == 0


def test_an_epoch_has_whole_batches_and_at_least_one():
    assert recipe(batch=128).steps_per_epoch(48_000) == 375
    assert recipe(batch=100).steps_per_epoch(199) == 1
    assert recipe(batch=100).steps_per_epoch(5) == 1


def test_a_recipe_survives_the_way_through_its_file():
    r = recipe(phases=parse_phases("16:0.5,32:1"), width=2, seed=3, limit=100)
    assert Recipe.from_dict(json.loads(json.dumps(r.to_dict()))) == r


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"width": 0}, "width must be at least 1"),
        ({"width": -1}, "width must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"weight_decay": -1.0}, "weight_decay must be"),
        ({"peak_rate": 0.0}, "peak_rate must be above 0"),
        ({"peak_rate": float("nan")}, "peak_rate must be above 0"),
        ({"dropout": 1.5}, "dropout must be between 0 and 1"),
        ({"cutmix": -0.1}, "cutmix must be between 0 and 1"),
        ({"ema": float("nan")}, "ema must be between 0 and 1"),
        ({"jitter": 2.0}, "jitter must be between 0 and 1"),
        ({"blur": -0.1}, "blur must be between 0 and 1"),
        ({"cover": 1.1}, "cover must be between 0 and 1"),
        ({"zoom": 0.9}, "zoom must be between 1 and 2"),
        ({"stretch": 3.0}, "stretch must be between 1 and 2"),
        ({"distill": 0.5}, "a teacher belong together"),
        ({"teacher": "abc"}, "a teacher belong together"),
        ({"distill": 0.5, "teacher": "abc", "distill_temperature": 0.0}, "distill_temperature must be"),
        ({"phases": ()}, "phases must rise and the last must end at 1"),
        ({"phases": (Phase(32, 0.9),)}, "phases must rise and the last must end at 1"),
        ({"phases": (Phase(16, 0.7), Phase(24, 0.3), Phase(32, 1))}, "phases must rise"),
        ({"phases": (Phase(32, float("nan")),)}, "phases must rise"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe(**changes)


def test_phases_are_read_from_text():
    assert parse_phases("16:0.3,32:1") == (Phase(16, 0.3), Phase(32, 1.0))


@pytest.mark.parametrize("text", ["", "32", "32:", "a:1", "32:1,", "32:1:2", "32;1"])
def test_text_that_is_no_list_of_phases_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a list of SIZE:UNTIL, such as 16:0\.3"):
        parse_phases(text)


def test_pictures_too_small_for_three_poolings_are_refused():
    with pytest.raises(ValueError, match="at least 8 pixels"):
        parse_phases("7:0.5,32:1")
