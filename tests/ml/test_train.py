"""Training learns, writes what it promises, and goes on after being stopped as if it had not been."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from ml import networks, storage, train
from ml.recipe import Recipe
from ml.storage import read_arrays, read_lines
from tests.ml.conftest import ROOT, TRAINING

QUICK_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""Three small steps are not worth optimising for: this halves the time of the test."""


def command(data: Path, out: Path, *options: str) -> list[str]:
    return ["vgg", f"--data={data}", f"--out={out}", *TRAINING, *options]


def differences(first: Path, second: Path) -> dict[str, float]:
    """The largest difference of each array of two archives."""
    one, other = read_arrays(first), read_arrays(second)
    assert one.keys() == other.keys()
    return {name: float(np.abs(one[name].astype(float) - other[name]).max()) for name in one}


def test_every_epoch_has_a_line_with_its_loss_accuracies_rate_size_and_time(straight_run):
    rows = read_lines(straight_run / "log.jsonl")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["size"] for row in rows] == [8, 8, 16]
    for row in rows:
        assert set(row) == {
            "epoch",
            "size",
            "rate",
            "train_loss",
            "train_accuracy",
            "val_loss",
            "val_accuracy",
            "seconds",
        }
        assert np.isfinite(list(row.values())).all()
        assert 0 <= row["train_accuracy"] <= 1
        assert 0 <= row["val_accuracy"] <= 1
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)


def test_the_loss_falls_and_the_network_learns_what_it_is_shown(straight_run):
    rows = read_lines(straight_run / "log.jsonl")
    assert rows[-1]["train_loss"] < rows[0]["train_loss"] - 0.2
    assert rows[-1]["train_accuracy"] > 0.03


def test_snapshots_are_kept_after_the_first_epochs_and_at_the_end(straight_run):
    assert train.SNAPSHOT_EPOCHS == (1, 2, 5, 10, 20)
    names = sorted(path.name for path in (straight_run / "snapshots").iterdir())
    assert names == ["epoch-001.npz", "epoch-002.npz", "final.npz"]


def test_snapshots_hold_kernels_in_half_precision_and_change_as_training_goes_on(straight_run):
    first, second, final = (
        read_arrays(straight_run / "snapshots" / f"{name}.npz")
        for name in ("epoch-001", "epoch-002", "final")
    )
    assert first["block1/conv1/kernel"].dtype == np.float16
    assert first["block1/bn1/moving_mean"].dtype == np.float32
    assert not np.array_equal(first["block1/conv1/kernel"], second["block1/conv1/kernel"])
    weights = read_arrays(straight_run / "weights.npz")
    assert np.array_equal(final["head/dense/kernel"], weights["head/dense/kernel"].astype(np.float16))


def test_the_result_fits_the_network_and_its_card_says_how_it_was_made(straight_run):
    networks.set_weights(networks.build("vgg"), read_arrays(straight_run / "weights.npz"))
    summary = json.loads((straight_run / "run.json").read_text())
    assert summary["backend"] == "tensorflow"
    assert (summary["pictures"], summary["held_out"]) == (160, 160)
    assert 0 <= summary["val_accuracy"] <= 1
    assert Recipe.from_dict(summary["recipe"]) == Recipe.from_dict(
        json.loads((straight_run / "recipe.json").read_text())
    )
    assert summary["recipe"]["epochs"] == 3


def test_the_result_is_the_average_of_the_weights_not_the_last_ones(straight_run):
    weights = read_arrays(straight_run / "weights.npz")
    saved = read_arrays(straight_run / "checkpoint.npz")
    last, average = saved["network/0"], saved["optimizer/1"]
    assert last.shape == (3, 3, 3, 64)
    assert np.array_equal(weights["block1/conv1/kernel"], average)
    assert not np.allclose(weights["block1/conv1/kernel"], last, atol=1e-6)


def test_the_last_weights_can_be_had_instead(straight_run):
    last = train.last_weights(straight_run)
    saved = read_arrays(straight_run / "checkpoint.npz")
    assert last.keys() == read_arrays(straight_run / "weights.npz").keys()
    assert np.array_equal(last["block1/conv1/kernel"], saved["network/0"])


def fitted(parts: list[int]) -> tuple[np.ndarray, Any]:
    """A weight after 8 steps in as many calls of ``fit`` as there are parts, and its optimizer."""
    pictures = keras.Input((1,))
    network = keras.Model(
        pictures, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(pictures)
    )
    optimizer = train.AveragedSGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.9)
    network.compile(optimizer, "mse")
    for steps in parts:
        network.fit(np.ones((steps, 1)), np.zeros((steps, 1)), batch_size=1, shuffle=False, verbose=0)
    return network.get_weights()[0], (network, optimizer)


def test_the_average_stays_beside_the_weights_however_often_training_pauses():
    once, (network, optimizer) = fitted([8])
    often, _ = fitted([1, 3, 4])
    assert np.array_equal(once, often)
    optimizer.put_average(network.trainable_variables)
    assert not np.allclose(network.get_weights()[0], once)


def wait_for(path: Path, process: subprocess.Popen[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not path.is_file():
        assert process.poll() is None, "the run ended before its first checkpoint"
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.005)


def test_a_run_that_was_killed_and_then_interrupted_ends_like_one_that_was_not(
    straight_run, tiny_data, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "broken"
    arguments = command(tiny_data, out)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    with subprocess.Popen(
        [sys.executable, "-m", "ml.train", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(out / "checkpoint.npz", process, 200)
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "weights.npz").exists()

    def interrupt(path: Path, row: dict[str, Any]) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt
        storage.append_line(path, row)

    with monkeypatch.context() as patch:
        patch.setattr(train, "append_line", interrupt)
        assert train.main(arguments) == 130
    said = capsys.readouterr()
    assert "Resuming at epoch" in said.out
    assert said.err.strip().endswith("the same command goes on from the last checkpoint.")
    place = read_arrays(out / "checkpoint.npz")["place"]
    assert place[:2].tolist() == [1, 16]

    assert train.main(arguments) == 0
    assert "Resuming at epoch 2, step 16." in capsys.readouterr().out
    assert max(differences(out / "weights.npz", straight_run / "weights.npz").values()) < 1e-4
    log, expected = read_lines(out / "log.jsonl"), read_lines(straight_run / "log.jsonl")
    for row, other in zip(log, expected, strict=True):
        assert row.pop("seconds") >= 0
        other.pop("seconds")
        assert row == pytest.approx(other, abs=1e-4)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[train.Run]:
    """Runs that were prepared but not trained."""
    runs: list[train.Run] = []

    def keep(run: train.Run) -> None:
        runs.append(run)

    monkeypatch.setattr(train.Run, "run", keep)
    return runs


def test_another_recipe_in_the_same_folder_is_refused(straight_run, tiny_data, capsys, prepared):
    assert train.main(command(tiny_data, straight_run, "--peak-rate=0.03")) == 2
    assert not prepared
    assert capsys.readouterr().err == (
        f"ml.train: {straight_run} holds a run with another recipe: choose another --out or remove it.\n"
    )


@pytest.mark.parametrize("content", ["", "[]", '{"model": "vgg", "speed": 3, "phases": []}'])
def test_a_recipe_that_cannot_be_read_is_named(tiny_data, tmp_path, capsys, prepared, content):
    (tmp_path / "recipe.json").write_text(content)
    assert train.main(command(tiny_data, tmp_path)) == 2
    assert not prepared
    assert f"{tmp_path}/recipe.json is not a recipe" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(tiny_data, tmp_path, capsys):
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 and nothing more")
    assert train.main(command(tiny_data, tmp_path)) == 2
    assert f"ml.train: {tmp_path}/checkpoint.npz is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--phases=32"], "is not a list of SIZE:UNTIL"),
        (["--epochs=0"], "epochs must be at least 1"),
        (["--width=2"], "The network vgg has no option width"),
        (["--freeze=stem/conv"], "vgg has no layer stem/conv"),
        (["--init-from=nowhere.npz"], "nowhere.npz"),
    ],
)
def test_options_that_cannot_work_are_answered_with_one_sentence(
    tiny_data, tmp_path, capsys, prepared, options, sentence
):
    assert train.main(command(tiny_data, tmp_path / "out", *options)) in (1, 2)
    assert not prepared
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("ml.train: ")
    assert said.count("\n") == 1


def test_a_folder_without_data_is_answered_with_one_sentence_and_leaves_nothing(tmp_path, capsys):
    assert train.main(command(tmp_path / "nowhere", tmp_path / "out")) == 2
    said = capsys.readouterr().err
    assert said.startswith("ml.train: No CIFAR-100 in ")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def full_disk(path: Path, content: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_answered_with_one_sentence(tiny_data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(storage, "write_bytes", full_disk)
    assert train.main(command(tiny_data, tmp_path / "out")) == 1
    assert capsys.readouterr().err == f"ml.train: No space left on device ({tmp_path / 'out'}).\n"


def test_a_full_disk_in_the_middle_leaves_the_last_checkpoint_whole(
    straight_run, tmp_path, monkeypatch, capsys
):
    kept = (straight_run / "checkpoint.npz").read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: full_disk(tmp_path, b""))
    (tmp_path / "checkpoint.npz").write_bytes(kept)
    with pytest.raises(OSError, match="No space left"):
        storage.write_arrays(tmp_path / "checkpoint.npz", {"a": np.zeros(9)})
    assert (tmp_path / "checkpoint.npz").read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_a_loss_that_is_no_number_ends_the_run_with_advice(tiny_data, tmp_path, capsys, monkeypatch):
    history = SimpleNamespace(history={"loss": [float("nan")], "accuracy": [0.0]})
    monkeypatch.setattr(train.TrainingStep, "fit", lambda *args, **options: history)
    assert train.main(command(tiny_data, tmp_path)) == 2
    assert capsys.readouterr().err == "ml.train: The loss became nan in epoch 1: lower --peak-rate.\n"


def test_a_run_may_start_from_weights_and_can_still_be_resumed(straight_run, tiny_data, tmp_path, prepared):
    weights = straight_run / "weights.npz"
    assert train.main(command(tiny_data, tmp_path / "warm", f"--init-from={weights}")) == 0
    assert train.main(command(tiny_data, tmp_path / "cold")) == 0
    warm, cold = prepared
    for name, value in networks.get_weights(warm.network).items():
        assert np.array_equal(value, read_arrays(weights)[name])
    # A checkpoint stores the variables by their place: both must have the same ones.
    names = [[v.path.partition("/")[2] for v in run.optimizer.variables] for run in (warm, cold)]
    assert names[0] == names[1]


def test_frozen_layers_keep_the_values_they_start_with_and_the_others_do_not(
    straight_run, tiny_data, tmp_path
):
    weights = straight_run / "weights.npz"
    options = [f"--init-from={weights}", "--freeze=block1/conv1,block1/bn1", "--epochs=1", "--phases=8:1"]
    assert train.main(command(tiny_data, tmp_path, *options)) == 0
    before, after = read_arrays(weights), read_arrays(tmp_path / "weights.npz")
    same = {name.rpartition("/")[0] for name in before if np.array_equal(before[name], after[name])}
    assert same == {"block1/conv1", "block1/bn1"}


def test_weights_of_another_network_cannot_start_a_run(tiny_data, tmp_path, capsys, prepared):
    np.savez(tmp_path / "other.npz", **{"stem/conv/kernel": np.zeros(3)})
    arguments = command(tiny_data, tmp_path / "out", f"--init-from={tmp_path / 'other.npz'}")
    assert train.main(arguments) == 2
    assert "ml.train: weights are missing: block1/bn1/beta" in capsys.readouterr().err


def test_the_same_module_trains_on_jax(tiny_data, tmp_path):
    if importlib.util.find_spec("jax") is None and not os.environ.get("CI"):
        pytest.skip("needs jax from requirements-dev.txt")
    options = ["--epochs=1", "--limit=48", "--batch=16", "--phases=8:1", "--precision=float32"]
    arguments = ["vgg", f"--data={tiny_data}", f"--out={tmp_path}", *options]
    done = subprocess.run(
        [sys.executable, "-m", "ml.train", *arguments],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK_COMPILE},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "run.json").read_text())["backend"] == "jax"
    assert len(read_lines(tmp_path / "log.jsonl")) == 1
    networks.set_weights(networks.build("vgg"), read_arrays(tmp_path / "weights.npz"))
