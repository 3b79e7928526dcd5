"""The benchmarks compare what they say they compare; the figures themselves are `make bench`'s."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import engines, figures, laboratory_numbers, scaling, worker
from benchmarks.probe import Probe, pictures, resident_mb
from ml import artifact
from ml.predictor import load_predictor
from ml.preprocessing import normalise


def test_the_onnx_graph_answers_as_the_exact_graph(random_folder, architecture, inputs):
    import onnxruntime

    from benchmarks.onnx_graph import classifier, to_onnx

    card = artifact.load_card(architecture)
    model = to_onnx(classifier(card), card.size).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"pictures": normalise(inputs[:40], card.preprocessing)})
    exact = load_predictor(architecture, engine="openvino", precision="float32").logits(inputs[:40])
    np.testing.assert_allclose(logits, exact, atol=1e-4)


def test_a_probe_answers_what_its_engine_answers_and_how_fast(random_folder):
    with Probe("vgg", "openvino") as probe:
        assert probe.first_seconds > 0
        assert probe.value("1 2")["ms"] > 0
        assert probe.value("sustain 0.01")["per_second"] > 0
        checked = probe.value("check 0")
    assert checked["memory"] > 30
    predictor = load_predictor("vgg", engine="openvino", precision="float32")
    np.testing.assert_allclose(checked["logits"], predictor.logits(pictures(32)[:4]), atol=1e-5)


def test_a_probe_that_cannot_load_is_an_error(random_folder):
    with pytest.raises(RuntimeError, match="ended with 1"):
        Probe("vgg", "openvino", "--precision=int8")


@pytest.fixture
def made_up(monkeypatch):
    """Engines that take made-up times; returns the logits that each will claim."""
    logits = {key: [[1.0, 2.0]] for key in engines.ENGINES}

    class MadeUp:
        first_seconds = 0.5

        def __init__(self, network, engine, precision):
            self.key = (engine, precision)

        def __enter__(self):
            return self

        def __exit__(self, *details):
            pass

        def value(self, order):
            if order == "check 0":
                return {"logits": logits[self.key], "memory": 100.2}
            milliseconds = 8.0 if self.key == engines.RIVAL else 2.0
            return {"ms": milliseconds * (2 if order.startswith("1 ") else 1)}

    monkeypatch.setattr(engines, "Probe", MadeUp)
    monkeypatch.setattr(
        engines, "arguments", lambda card, engine, precision, folder: [card.name, engine, precision]
    )
    return logits


def test_each_engine_is_a_row_with_its_throughput_over_the_savedmodels(random_folder, made_up, tmp_path):
    rows = engines.measure_network(artifact.load_card("vgg"), tmp_path)
    # These artifacts have no quantised graph.
    assert [(row["engine"], row["precision"]) for row in rows] == [
        ("OpenVINO", "bfloat16"),
        ("OpenVINO", "float32"),
        ("ONNX Runtime", "float32"),
        ("TensorFlow SavedModel", "float32"),
    ]
    assert [(row["times_alone"], row["times_in_32"]) for row in rows] == [(4.0, 4.0)] * 3 + [(1.0, 1.0)]
    text = "\n\n".join(figures.engines_table(rows, "somewhere"))
    assert "| vgg | OpenVINO float32 | 4.00 | 2.00 | 4.0 | 4.0 | 0.5 s | 100 MB |" in text


def test_engines_that_disagree_fail_the_run(random_folder, made_up, tmp_path):
    made_up["openvino", "bfloat16"] = [[1.0, 2.1]]
    engines.measure_network(artifact.load_card("vgg"), tmp_path)
    made_up["ONNX Runtime", "float32"] = [[1.0, 2.001]]
    with pytest.raises(RuntimeError, match=r"ONNX Runtime is 0\.001 off the exact logits of vgg"):
        engines.measure_network(artifact.load_card("vgg"), tmp_path)


def test_threads_and_processes_are_counted_up_to_all_cores(monkeypatch):
    for cores, expected in ((1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])):
        monkeypatch.setattr(scaling.os, "cpu_count", lambda cores=cores: cores)
        assert scaling.counts() == expected


def test_the_matrix_product_is_the_quantised_product():
    import openvino

    model = scaling.product(64)
    left = np.random.default_rng(1).uniform(0, 2.5, (64, 64)).astype(np.float32)
    right = np.random.default_rng(0).uniform(-1, 1, (64, 64)).astype(np.float32)
    (result,) = openvino.compile_model(model, "CPU")([left]).values()
    rounded = (left / 0.01).round() * 0.01 @ ((right / 0.01).round() * 0.01).T
    np.testing.assert_allclose(result, rounded, atol=0.2)
    assert np.corrcoef(result.ravel(), (left @ right.T).ravel())[0, 1] > 0.999


def test_a_networks_rate_is_set_against_the_limit_of_as_many_threads(random_folder, monkeypatch):
    monkeypatch.setattr(scaling, "counts", lambda: [1, 2])
    monkeypatch.setattr(scaling, "measure_limit", lambda threads: threads * 1e12)
    monkeypatch.setattr(scaling, "SECONDS", 0.01)
    monkeypatch.setattr(scaling, "ROUNDS", 1)
    monkeypatch.setattr(artifact, "cards", lambda: [artifact.load_card("vgg")])
    rows = scaling.measure()
    assert [(row["processes"], row["threads"]) for row in rows] == [(1, 1), (1, 2), (2, 1)]
    assert [row["limit_gmacs"] for row in rows] == [1000, 2000, 2000]
    adds = artifact.load_card("vgg").multiply_adds
    for row in rows:
        assert row["gmacs"] == pytest.approx(row["per_second"] * adds / 1e9, abs=0.1)
        assert row["of_limit"] == pytest.approx(row["gmacs"] / row["limit_gmacs"], abs=0.001)


def test_a_workers_processes_and_their_memory_are_found():
    waiting = [sys.executable, "-c", "print('here', flush=True); input()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            # Before it has said something it may not have begun to be a Python of its own.
            assert child.stdout is not None
            assert child.stdout.readline() == b"here\n"
            assert child.pid in worker.children(os.getpid())
            assert resident_mb("VmRSS", child.pid) > 1
        finally:
            child.communicate(b"\n")


def test_the_numbers_of_the_laboratory_are_a_row_a_network(random_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("ML_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(laboratory_numbers, "STARTS", 1)
    monkeypatch.setattr(laboratory_numbers, "TRACES", 2)
    monkeypatch.setattr(laboratory_numbers, "CELLS", 20)
    rows = laboratory_numbers.measure()
    assert {row["network"] for row in rows} == {"vgg", "wideresnet"}
    for row in rows:
        assert 0 < row["layers_ms"] < row["first_kernel_ms"]
        assert row["trace_pair_ms"] > 0
        assert 0 < row["breakdown_p50_ms"] <= row["breakdown_p95_ms"]
        assert 0 < row["largest_remainder"] < 1e-4
    # Two traces of the VGG: 245,760 float32 numbers each, and what they are of.
    vgg = next(row for row in rows if row["network"] == "vgg")
    assert vgg["archive_mb"] == pytest.approx(2 * 4 * 245_760 / 1e6, abs=0.03)
    text = "\n\n".join(figures.laboratory_table(rows, "somewhere"))
    assert f"| vgg | {vgg['layers_ms']:.0f} ms | {vgg['first_kernel_ms']:.0f} ms |" in text
