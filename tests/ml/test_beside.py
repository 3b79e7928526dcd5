"""Two networks in one answer with the mean of their logits, and can be taken apart again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml import beside, grow, networks
from ml.storage import read_arrays, read_lines, write_arrays
from tests.ml.networks_for_tests import lively

NARROW = {"size": 16, "classes": 7, "depth": 10, "width": 2}


@pytest.fixture(scope="module")
def pair():
    """Two networks that share what the command asks for, and nothing else."""
    first = networks.get_weights(lively("wideresnet", dropout=0.0, **NARROW))
    rng = np.random.default_rng(4)
    second = {
        name: value
        if name in beside.SHARED
        else (value * rng.uniform(0.5, 1.5, value.shape)).astype(np.float32)
        for name, value in first.items()
    }
    return first, second


def answers(weights, width):
    network = networks.build("wideresnet", **{**NARROW, "width": width})
    networks.set_weights(network, weights)
    pictures = np.random.default_rng(1).normal(0, 1, (8, 16, 16, 3)).astype(np.float32)
    return np.asarray(network(pictures))


def test_the_logits_of_the_double_network_are_the_mean_of_both_and_stay_so_when_it_is_widened(pair):
    mean = (answers(pair[0], 2) + answers(pair[1], 2)) / 2
    assert np.abs(answers(pair[0], 2) - mean).max() > 0.1
    both = beside.beside(*pair)
    for weights, width in ((both, 4), (grow.grow(both, 5), 5)):
        np.testing.assert_allclose(answers(weights, width), mean, atol=2e-5 * np.abs(mean).max())


def test_each_half_is_found_again_but_for_its_own_bias(pair):
    both = grow.narrow(grow.grow(beside.beside(*pair), 5), 4)
    for which, network in enumerate(pair, start=1):
        found = beside.half(both, which)
        assert found.keys() == network.keys()
        for name in network.keys() - {"head/dense/bias"}:
            np.testing.assert_allclose(found[name], network[name], atol=1e-5, err_msg=name)


def test_a_network_that_was_trained_as_one_is_not_taken_apart(pair):
    with pytest.raises(ValueError, match="leads from one half to the other"):
        beside.half(pair[0], 1)


def test_networks_that_share_no_stem_are_refused(pair):
    other = {**pair[1], beside.STEM: pair[1][beside.STEM] + 1}
    with pytest.raises(ValueError, match="do not share stem/conv/kernel"):
        beside.beside(pair[0], other)


def test_the_command_writes_a_run_whose_log_goes_on_from_the_first_networks(pair, tmp_path, capsys):
    run, out = tmp_path / "second", tmp_path / "both"
    write_arrays(tmp_path / "first.npz", pair[0])
    write_arrays(run / "weights.npz", pair[1])
    (tmp_path / "first.jsonl").write_text('{"epoch": 1, "seconds": 5.0}\n{"epoch": 2, "seconds": 9.0}\n')
    (run / "log.jsonl").write_text('{"epoch": 1, "seconds": 4.0}\n')
    (run / "run.json").write_text(json.dumps({"recipe": {"model": "wideresnet", "width": 2, "epochs": 1}}))
    command = [f"--first={tmp_path / 'first.npz'}", f"--first-log={tmp_path / 'first.jsonl'}"]
    assert beside.main([*command, f"--second={run}", f"--out={out}"]) == 0
    assert "values" in capsys.readouterr().out
    summary = json.loads((out / "run.json").read_text())
    assert (summary["recipe"]["width"], summary["beside"]) == (4, 2)
    assert [(row["epoch"], row["seconds"]) for row in read_lines(out / "log.jsonl")] == [
        (1, 5),
        (2, 9),
        (3, 13),
    ]
    again = tmp_path / "half.npz"
    assert beside.main([f"--apart={out / 'weights.npz'}", "--half=2", f"--out={again}"]) == 0
    assert read_arrays(again).keys() == pair[1].keys()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--first=absent.npz"], "belong together"),
        (["--first=absent.npz", "--second=absent"], "No such file"),
        (["--apart=absent.npz", "--half=3"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_answered_with_one_sentence(options, reason, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert beside.main([*options, "--out=out"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("ml.beside: ")
    assert reason in message
    assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()
