"""Runs that differ in one choice are measured side by side, and others are refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from ml import compare_runs, data
from ml.storage import read_arrays, read_lines, write_arrays


@pytest.fixture(scope="module")
def pair(straight_run, tiny_data, tmp_path_factory):
    """The shared run, and what it would have left behind with another share of CutMix and another seed.

    To train a second one would take as long as everything else here; its weights are moved a little instead.
    """
    other = tmp_path_factory.mktemp("runs") / "other"
    shutil.copytree(straight_run, other)
    summary = json.loads((other / "run.json").read_text())
    summary["recipe"].update(cutmix=1 - summary["recipe"]["cutmix"], seed=5)
    (other / "run.json").write_text(json.dumps(summary))
    rng = np.random.default_rng(5)
    weights = read_arrays(other / "weights.npz")
    moved = {
        name: value * rng.normal(1, 0.01, value.shape).astype(value.dtype) for name, value in weights.items()
    }
    write_arrays(other / "weights.npz", moved)
    return straight_run, other


def test_both_runs_are_measured_on_the_test_set_with_and_without_bars(pair, tiny_data, tmp_path, capsys):
    out = tmp_path / "cutmix.json"
    command = [str(pair[0]), str(pair[1]), "--choice=cutmix", f"--data={tiny_data}", f"--out={out}"]
    assert compare_runs.main(command) == 0
    found = json.loads(out.read_text())
    assert found["n"] == len(data.load(tiny_data, "test"))
    assert "cutmix" not in found["recipe"]
    assert [run["seed"] for run in found["runs"]] == [0, 5]
    assert found["runs"][0]["value"] == 1 - found["runs"][1]["value"]
    for run, folder in zip(found["runs"], pair, strict=True):
        assert [row["epoch"] for row in run["log"]] == [
            row["epoch"] for row in read_lines(folder / "log.jsonl")
        ]
        assert 0 < run["whole"]["confidence"] <= 1
        # Three epochs teach little, but more than chance, and other answers where there are bars.
        assert min(run["whole"]["top1"], run["covered"]["top1"]) > 0.03
        assert run["whole"]["nll"] != run["covered"]["nll"]
    assert capsys.readouterr().out.count("calibration error") == 2


def test_runs_that_differ_in_more_are_refused(straight_run, tiny_data, tmp_path, capsys):
    other = tmp_path / "other"
    summary = json.loads((straight_run / "run.json").read_text())
    summary["recipe"]["peak_rate"] *= 2
    write_arrays(other / "weights.npz", {})
    (other / "run.json").write_text(json.dumps(summary))
    for choice, reason in (("cutmix", "differs in more than cutmix: peak_rate"), ("hue", "no hue")):
        command = [str(straight_run), str(other), f"--choice={choice}", f"--data={tiny_data}"]
        assert compare_runs.main([*command, f"--out={tmp_path / 'out.json'}"]) == 2
        message = capsys.readouterr().err
        assert message.startswith("ml.compare_runs: ")
        assert reason in message
        assert not (tmp_path / "out.json").exists()
