"""The networks' numbers as files, against the weights read from the shipped graphs by other code."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray

from ml import artifact, packing

pytestmark = pytest.mark.django_db

ROOT = "/learn/laboratory/networks/"
CARDS = artifact.cards()
TYPES = {"f16": "<f2", "f32": "<f4"}


def weight(name: str, constant: str) -> NDArray[Any]:
    """A constant of a shipped graph, read here without the product's reader."""
    folder = artifact.load_card(name).folder
    for layer in ET.parse(folder / "network.xml").getroot().iter("layer"):
        if layer.get("name") == f"weight:{constant}":
            data = layer.find("data")
            assert data is not None
            offset, size = int(data.attrib["offset"]), int(data.attrib["size"])
            shape = [int(side) for side in data.attrib["shape"].split(",")]
            plain = folder / "network.bin"
            raw = plain.read_bytes() if plain.exists() else unpacked(name)
            return np.frombuffer(raw[offset : offset + size], TYPES[data.attrib["element_type"]]).reshape(
                shape
            )
    raise AssertionError(constant)


def unpacked(name: str) -> bytes:
    return bytes(packing.unpack((artifact.load_card(name).folder / "network.bin.packed").read_bytes()))


def array(response: Any) -> NDArray[Any]:
    assert response.status_code == 200, response.content[:200]
    assert response["Content-Type"] == "application/octet-stream"
    return np.load(io.BytesIO(response.content), allow_pickle=False)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_structure_is_the_graphs(client: Client, card: Any) -> None:
    response = client.get(f"{ROOT}{card.name}/structure.json", {"v": card.version})
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    found = response.json()
    assert (found["name"], found["version"], found["labels"]) == (card.name, card.version, len(card.labels))
    convolutions = [row["name"] for row in found["layers"] if row["kind"] == "convolution"]
    graph = ET.parse(card.folder / "network.xml").getroot()
    assert convolutions == [
        one.get("name") for one in graph.iter("layer") if one.get("type") == "Convolution"
    ]
    assert found["layers"][0] | {"name": "pictures", "kind": "input", "inputs": []} == found["layers"][0]
    assert found["layers"][-1]["shape"] == [len(card.labels), 1, 1]


def test_a_kernel_is_the_one_of_the_graph(client: Client) -> None:
    expected = weight("vgg", "block2/conv1/kernel")
    found = array(client.get(f"{ROOT}vgg/kernels/block2.conv1/7.npy"))
    assert found.dtype == np.float32
    assert np.array_equal(found, expected[7])


def test_a_kernel_of_a_packed_network(client: Client) -> None:
    expected = weight("wideresnet", "stem/conv/kernel")
    assert np.array_equal(array(client.get(f"{ROOT}wideresnet/kernels/stem.conv/15.npy")), expected[15])


def test_a_normalisation_and_the_last_layer(client: Client) -> None:
    found = array(client.get(f"{ROOT}vgg/normalisations/block1.bn2.npy"))
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    assert np.array_equal(found, np.stack([weight("vgg", f"block1/bn2/{name}") for name in names]))
    last = array(client.get(f"{ROOT}vgg/dense.npy"))
    assert np.array_equal(last[:, :-1], weight("vgg", "head/dense/kernel"))
    assert np.array_equal(last[:, -1], weight("vgg", "head/dense/bias").reshape(-1))


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("none/structure.json", "no_network"),
        ("vgg.bak/structure.json", "no_network"),
        ("vgg/kernels/block9.conv1/0.npy", "no_layer"),
        ("vgg/kernels/block1.bn1/0.npy", "no_layer"),
        ("vgg/kernels/block1.conv1/64.npy", "no_channel"),
        ("vgg/normalisations/block1.conv1.npy", "no_layer"),
        ("none/dense.npy", "no_network"),
        ("vgg/dense.npy?v=vgg-00000000", "replaced"),
        ("vgg/structure.json?v=", "replaced"),
    ],
)
def test_what_does_not_exist_is_said_in_json(client: Client, address: str, code: str) -> None:
    response = client.get(ROOT + address)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]
    assert "immutable" not in response.get("Cache-Control", "")


def test_without_a_version_it_is_kept_for_a_minute_only(client: Client) -> None:
    assert client.get(f"{ROOT}vgg/dense.npy")["Cache-Control"] == "public, max-age=60"


def test_a_network_without_layers_to_look_into(client: Client, small_networks: list[str]) -> None:
    response = client.get(f"{ROOT}tiny/structure.json")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "no_network")
