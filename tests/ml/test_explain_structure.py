"""The layers and weights that are read without OpenVINO are those of the graph, and cost a web process little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ml import artifact, export, packing
from ml.explain import graph_file, weights
from ml.explain.structure import explainable, structure
from tests.ml.conftest import ROOT
from tests.ml.test_imports import imported_after
from tests.networks import make_artifact

FIRST_KERNEL = (
    "from ml.explain.structure import structure; s = structure('vgg'); "
    "print(float(s.kernel(s.convolutions[-1], 3).sum()))"
)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder of this test's own, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ML_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def packed(random_artifacts, tmp_path, monkeypatch) -> artifact.Card:
    """A small network whose exact graph is packed, as it is shipped, offered alone."""
    folder = tmp_path / "artifacts" / "vgg"
    shutil.copytree(random_artifacts / "vgg", folder)
    values = json.loads((folder / "card.json").read_text())
    export.pack_exact(values["files"], folder)
    # Every test has a version of its own, so that none meets another's weights in this process.
    values["version"] = f"vgg-{tmp_path.name}"
    (folder / "card.json").write_text(json.dumps(values))
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(folder.parent))
    return artifact.load_card("vgg")


def test_the_layers_are_those_of_the_card_with_their_shapes_and_work(shipped):
    card = artifact.load_card(shipped)
    found = structure(shipped)
    expected = {}
    for row in card.layers:
        if row["kind"] != "Dropout":
            shape = row["shape"]
            expected[row["name"]] = (shape[-1], *(shape[:2] if len(shape) == 3 else (1, 1)))
    assert {layer.name: layer.shape for layer in found.layers if layer.kind != "input"} == expected
    assert sum(layer.multiply_adds for layer in found.layers) == card.multiply_adds
    assert found.layers[0].name == "pictures"
    assert found.layers[0].shape == (3, card.size, card.size)
    assert found.layers[-1].kind == "dense"


def test_every_layer_comes_after_those_that_it_reads(shipped):
    known = set()
    for layer in structure(shipped).layers:
        assert set(layer.inputs) <= known, layer.name
        known.add(layer.name)


def test_the_weights_are_those_that_openvino_reads(shipped):
    found = structure(shipped)
    expected = artifact.read_weights(found.card)
    for layer in found.layers:
        if layer.kind == "convolution":
            kernels = expected.pop(f"{layer.name}/kernel").transpose(3, 2, 0, 1)
            assert np.array_equal(found.kernels(layer.name), kernels), layer.name
            last = layer.shape[0] - 1
            assert np.array_equal(found.kernel(layer.name, 0), kernels[0]), layer.name
            assert np.array_equal(found.kernel(layer.name, last), kernels[last]), layer.name
        elif layer.kind == "batch_normalisation":
            learned = found.normalisation(layer.name)
            assert learned.epsilon == pytest.approx(1e-5)
            for name, values in (
                ("gamma", learned.gamma),
                ("beta", learned.beta),
                ("moving_mean", learned.mean),
                ("moving_variance", learned.variance),
            ):
                assert np.array_equal(values, expected.pop(f"{layer.name}/{name}")), (layer.name, name)
    kernel, bias = found.dense()
    assert np.array_equal(kernel, expected.pop("head/dense/kernel").T)
    assert np.array_equal(bias, expected.pop("head/dense/bias"))
    assert not expected


def test_a_stride_of_two_pads_right_and_bottom_only(random_folder):
    found = structure("wideresnet")
    halving = found.layer("group2/block1/conv1")
    assert (halving.kernel, halving.stride, halving.padding) == (3, 2, (0, 0, 1, 1))
    plain = found.layer("group2/block1/conv2")
    assert (plain.kernel, plain.stride, plain.padding) == (3, 1, (1, 1, 1, 1))
    shortcut = found.layer("group2/block1/shortcut")
    assert (shortcut.kernel, shortcut.stride, shortcut.padding) == (1, 2, (0, 0, 0, 0))


def test_the_browser_gets_it_as_json(random_folder):
    found = json.loads(json.dumps(structure("wideresnet").to_dict()))
    assert (found["version"], found["size"], found["labels"]) == ("wideresnet-test", 32, 100)
    assert found["pre_activation"] is True
    add = next(layer for layer in found["layers"] if layer["name"] == "group2/block1/add")
    assert add["inputs"] == ["group2/block1/shortcut", "group2/block1/conv2"]
    assert add["shape"] == [32, 16, 16]


@pytest.mark.parametrize(
    ("ask", "error", "sentence"),
    [
        (lambda s: s.layer("block9/conv1"), KeyError, "vgg has no layer called 'block9/conv1'."),
        (lambda s: s.kernel("nowhere", 0), KeyError, "vgg has no layer called 'nowhere'."),
        (lambda s: s.kernel("block1/conv1", 64), IndexError, "block1/conv1 has channels 0 to 63, not 64."),
        (lambda s: s.kernel("block1/conv1", -1), IndexError, "block1/conv1 has channels 0 to 63, not -1."),
        (
            lambda s: s.kernel("block1/pool", 0),
            ValueError,
            "block1/pool is a max pooling, not a convolution.",
        ),
        (lambda s: s.kernels("head/dense"), ValueError, "head/dense is a dense layer, not a convolution."),
        (
            lambda s: s.normalisation("block1/relu1"),
            ValueError,
            "block1/relu1 is a ReLU, not a batch normalisation.",
        ),
    ],
    ids=["layer", "kernel", "channel", "below 0", "pool", "dense", "normalisation"],
)
def test_what_does_not_exist_is_refused_with_a_sentence(random_folder, ask, error, sentence):
    with pytest.raises(error) as caught:
        ask(structure("vgg"))
    assert caught.value.args[0] == sentence


def test_packed_weights_are_unpacked_once_for_all_processes(packed, cache, monkeypatch):
    kernels = structure("vgg").kernels("block4/conv2")
    expected = artifact.read_weights(packed)["block4/conv2/kernel"].transpose(3, 2, 0, 1)
    assert np.array_equal(kernels, expected)
    (file,) = cache.iterdir()
    content = packing.unpack((packed.folder / "network.bin.packed").read_bytes())
    assert file.read_bytes() == content.tobytes()

    def unpack_again(*given):
        raise AssertionError("the weights are there already")

    monkeypatch.setattr(packing, "blocks", unpack_again)
    assert np.array_equal(weights.mapped(packed), content)


def test_a_graph_is_read_from_the_unpacked_file_and_without_it_from_the_artifact(packed, cache, caplog):
    def kernel(graph) -> np.ndarray:
        return next(n for n in graph.get_ops() if n.get_friendly_name() == "weight:block4/conv2/kernel").data

    expected = kernel(artifact.read_graph(packed, artifact.EXACT))
    assert np.array_equal(kernel(weights.graph(packed)), expected)
    assert not caplog.records
    mapped = weights.mapped(packed)
    (file,) = cache.iterdir()
    file.unlink()
    with pytest.MonkeyPatch.context() as patch:
        # Another version took the file's place just now.
        patch.setattr(weights, "mapped", lambda card: mapped)
        assert np.array_equal(kernel(weights.graph(packed)), expected)
    assert "cannot be read as a graph" in caplog.text


def test_processes_that_unpack_at_the_same_time_do_not_disturb_each_other(packed, cache):
    given = {"env": {**os.environ, "ML_CACHE_DIR": str(cache)}, "cwd": ROOT, "text": True}
    started = [
        subprocess.Popen([sys.executable, "-c", FIRST_KERNEL], stdout=subprocess.PIPE, **given)
        for _ in range(3)
    ]
    printed = {process.communicate(timeout=120)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    found = structure("vgg")
    assert {float(line) for line in printed} == {float(found.kernel("block4/conv2", 3).sum())}
    assert [file.suffix for file in cache.iterdir()] == [".bin"]


def test_a_damaged_file_in_the_cache_is_made_again(packed, cache, caplog):
    before = np.array(weights.mapped(packed))
    (file,) = cache.iterdir()
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.unlink()
    file.write_bytes(content)
    assert np.array_equal(weights.mapped(packed), before)
    assert [r.message for r in caplog.records] == [f"{file} is damaged and will be made again."]
    assert file.read_bytes() == before.tobytes()


def test_a_cache_that_cannot_be_written_costs_memory_and_one_line(packed, tmp_path, monkeypatch, caplog):
    (tmp_path / "a_file").write_text("")
    monkeypatch.setenv("ML_CACHE_DIR", str(tmp_path / "a_file" / "cache"))
    expected = artifact.read_weights(packed)["block1/conv1/kernel"].transpose(3, 2, 0, 1)
    found = structure("vgg")
    assert np.array_equal(found.kernels("block1/conv1"), expected)
    assert np.array_equal(found.kernel("block1/conv1", 5), expected[5])
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith("vgg: its weights take memory, ")


def test_what_older_versions_and_killed_processes_left_is_removed(packed, cache):
    cache.mkdir()
    older, torn, fresh = cache / "vgg.0.1.bin", cache / ".vgg.torn", cache / ".vgg.writing"
    others = cache / "vgg-2.0.1.bin"
    for file in (older, torn, fresh, others):
        file.write_bytes(b"x")
    os.utime(torn, (time.time() - 2 * weights.STALE_SECONDS,) * 2)
    weights.mapped(packed)
    left = {file.name for file in cache.iterdir()}
    assert {fresh.name, others.name} < left
    assert len(left) == 3


def test_damaged_weights_are_named(packed, cache):
    path = packed.folder / "network.bin.packed"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(artifact.ArtifactError, match=r"vgg: .*network\.bin\.packed is damaged"):
        structure("vgg").dense()
    assert not cache.exists()


def test_a_damaged_graph_is_named_and_has_no_laboratory(packed, caplog):
    path = packed.folder / "network.xml"
    path.write_text(path.read_text().replace("same_upper", "same_lower"))
    with pytest.raises(artifact.ArtifactError, match=r"vgg: .*network\.xml is damaged"):
        structure("vgg")
    assert not explainable(packed)
    assert "network.xml is damaged" in caplog.text


def test_a_network_without_convolutions_has_no_laboratory(tmp_path, monkeypatch):
    make_artifact(tmp_path, "colours")
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    with pytest.raises(artifact.ArtifactError, match="colours: its graph has no named layers"):
        structure("colours")
    assert not explainable(artifact.load_card("colours"))


def test_every_shipped_network_has_a_laboratory(shipped):
    assert explainable(artifact.load_card(shipped))


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "network.xml"
    for text in ("", "<net>", "<net><layers><layer/></layers></net>"):
        path.write_text(text)
        with pytest.raises(graph_file.GraphError, match="its graph"):
            graph_file.read_layers(path)


def test_a_web_process_imports_no_runtime_for_layers_weights_and_cells(random_artifacts, tmp_path):
    code = f"import ml.explain.arithmetic, ml.explain.archive; {FIRST_KERNEL}"
    names = imported_after(code, ML_ARTIFACTS_DIR=str(random_artifacts), ML_CACHE_DIR=str(tmp_path))
    assert not names & {"openvino", "keras", "tensorflow", "django"}
