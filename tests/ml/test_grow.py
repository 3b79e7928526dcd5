"""A widened network computes what the narrow one did, its copies differ, and it can learn."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml import grow, networks
from ml.storage import read_arrays, write_arrays
from tests.ml.networks_for_tests import lively

NARROW = {"size": 16, "classes": 7, "depth": 10, "width": 2}


@pytest.fixture(scope="module")
def narrow():
    return lively("wideresnet", dropout=0.0, **NARROW)


def wider(narrow, width, seed=0):
    network = networks.build("wideresnet", **{**NARROW, "width": width})
    networks.set_weights(network, grow.grow(networks.get_weights(narrow), width, seed=seed))
    return network


@pytest.mark.parametrize("width", [2, 3, 4])
def test_the_wide_network_computes_what_the_narrow_one_did(narrow, width):
    pictures = np.random.default_rng(1).normal(0, 1, (8, 16, 16, 3)).astype(np.float32)
    before = np.asarray(narrow(pictures))
    after = np.asarray(wider(narrow, width)(pictures))
    assert np.ptp(before, axis=0).max() > 1
    np.testing.assert_allclose(after, before, atol=2e-5 * np.abs(before).max())


def test_a_factor_that_is_no_multiple_copies_some_channels_once_more(narrow):
    weights = grow.grow(networks.get_weights(wider(narrow, 3)), 4)
    pictures = np.random.default_rng(2).normal(0, 1, (4, 16, 16, 3)).astype(np.float32)
    network = networks.build("wideresnet", **{**NARROW, "width": 4})
    networks.set_weights(network, weights)
    before = np.asarray(narrow(pictures))
    np.testing.assert_allclose(np.asarray(network(pictures)), before, atol=2e-5 * np.abs(before).max())


def test_copies_of_a_channel_are_read_with_different_weights(narrow):
    weights = grow.grow(networks.get_weights(narrow), 4)
    kernel = weights["group2/block1/conv2/kernel"]
    first, second = kernel[..., :64, :], kernel[..., 64:, :]
    assert (first != second).mean() > 0.99
    exact = networks.get_weights(narrow)["group2/block1/conv2/kernel"]
    np.testing.assert_allclose((first + second)[..., :64], exact, atol=1e-6)


def test_the_same_seed_grows_the_same_network(narrow):
    values = networks.get_weights(narrow)
    first, again, other = (grow.grow(values, 3, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


def test_the_command_writes_weights_that_a_wider_network_takes(narrow, tmp_path, capsys):
    write_arrays(tmp_path / "narrow.npz", networks.get_weights(narrow))
    command = [f"--weights={tmp_path / 'narrow.npz'}", "--width=4", f"--out={tmp_path / 'wide.npz'}"]
    assert grow.main(command) == 0
    network = networks.build("wideresnet", **{**NARROW, "width": 4})
    networks.set_weights(network, read_arrays(tmp_path / "wide.npz"))
    assert f"{network.count_params():,}" in capsys.readouterr().out


def test_a_finished_run_becomes_the_run_of_the_wide_network_and_says_so(narrow, tmp_path):
    run, out = tmp_path / "run", tmp_path / "grown"
    write_arrays(run / "weights.npz", networks.get_weights(narrow))
    summary = {"recipe": {"model": "wideresnet", "width": 2, "epochs": 3}, "training_seconds": 9.0}
    (run / "run.json").write_text(json.dumps(summary))
    (run / "log.jsonl").write_text('{"epoch": 1}\n')
    assert grow.main([f"--run={run}", "--width=3", f"--out={out}"]) == 0
    grown = json.loads((out / "run.json").read_text())
    assert (grown["recipe"]["width"], grown["grown_from"], grown["training_seconds"]) == (3, 2, 9.0)
    assert (out / "log.jsonl").read_text() == '{"epoch": 1}\n'
    network = networks.build("wideresnet", **{**NARROW, "width": 3})
    networks.set_weights(network, read_arrays(out / "weights.npz"))


def test_what_cannot_be_widened_is_answered_with_one_sentence(narrow, tmp_path, capsys):
    write_arrays(tmp_path / "wide.npz", networks.get_weights(wider(narrow, 3)))
    write_arrays(tmp_path / "other.npz", {"block1/conv1/kernel": np.zeros((3, 3, 3, 4), np.float32)})
    for name, reason in (("wide", "narrowed"), ("other", "Wide ResNet"), ("absent", "No such file")):
        command = [f"--weights={tmp_path / name}.npz", "--width=1", f"--out={tmp_path / 'out.npz'}"]
        assert grow.main(command) == 2
        message = capsys.readouterr().err
        assert message.startswith("ml.grow: ")
        assert reason in message
        assert message.count("\n") == 1
        assert not (tmp_path / "out.npz").exists()


def test_the_way_back_leads_to_the_network_that_was_grown(narrow):
    before = networks.get_weights(narrow)
    found = grow.narrow(grow.grow(before, 3), 2)
    assert found.keys() == before.keys()
    for name, values in before.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)


def test_there_is_no_way_back_from_a_network_that_was_trained_after_it_had_grown(narrow):
    wide = grow.grow(networks.get_weights(narrow), 3)
    wide["group2/block1/conv1/kernel"] = wide["group2/block1/conv1/kernel"].copy()
    wide["group2/block1/conv1/kernel"][..., -1] += 0.1
    with pytest.raises(ValueError, match=r"the copies in group2/block1/conv1/kernel differ"):
        grow.narrow(wide, 2)


def test_the_way_back_of_a_shipped_network_is_a_command(tmp_path, monkeypatch, capsys, narrow):
    wide = grow.grow(networks.get_weights(narrow), 3)
    monkeypatch.setattr(grow.artifact, "load_card", lambda name: name)
    monkeypatch.setattr(grow.artifact, "read_weights", lambda card: wide)
    out = tmp_path / "narrow.npz"
    assert grow.main(["--model", "wideresnet", "--back-to", "2", "--out", str(out)]) == 0
    assert "became" in capsys.readouterr().out
    assert read_arrays(out).keys() == wide.keys()
    assert grow.main(["--model", "wideresnet", "--out", str(out)]) == 2
    assert "belong together" in capsys.readouterr().err
