"""For tests of classes of one's own: a small network that hands out features, pictures, and a set with its owner."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from learn import own_classes, own_training
from learn.models import OwnClasses, OwnExample
from ml import artifact
from ml.preprocessing import Preprocessing
from ml.storage import write_json

LIST = "/learn/own-classes/"
ADD, TRY = f"{LIST}pictures/", f"{LIST}try/"
JSON = {"accept": "application/json"}
RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)
GRID = 2  # its features are the mean colours of a quarter each


def make_seeing(
    root: Path,
    name: str = "seeing",
    *,
    size: int = 8,
    version: str = "1",
    top1: float = 0.8,
    shrinks: str = "area",
) -> None:
    """A network whose last layer reads the mean colours of the quarters of a picture: 12 features, the last of 14."""
    import openvino
    from openvino import opset15 as op

    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    pictures = op.parameter([-1, size, size, 3], np.float32, name="pictures")
    half = size // GRID
    split = op.reshape(pictures, np.array([-1, GRID, half, GRID, half, 3]), special_zero=False)
    quarters = op.reduce_mean(split, np.array([2, 4]), keep_dims=False)
    deep = op.reshape(quarters, np.array([-1, 3 * GRID * GRID]), special_zero=False)
    middle = op.constant(np.zeros((1, 2), np.float32))
    rows = op.broadcast(
        middle, op.concat([op.gather(op.shape_of(deep), np.array([0]), 0), op.constant(np.array([2]))], 0)
    )
    logits = op.matmul(deep, op.constant(np.ones((12, 2), np.float32)), False, False)
    answer, together = op.result(logits), op.result(op.concat([rows, deep], 1))
    answer.get_output_tensor(0).set_names({"logits"})
    together.get_output_tensor(0).set_names({"features"})
    model = openvino.Model([answer, together], [pictures], name)
    openvino.save_model(model, folder / "network.xml", compress_to_fp16=False)
    metrics: dict[str, Any] = {
        "top1": top1,
        "top5": 0.9,
        "ece": 0.01,
        "nll": 1.0,
        "n": 10,
        "engine": "openvino",
    }
    card = artifact.Card(
        name=name,
        title=name.title(),
        version=f"{name}-{version}",
        architecture=name,
        options={},
        labels=("light", "dark"),
        preprocessing=Preprocessing(size=size, filter=shrinks, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        temperature=1.0,
        parameters=26,
        multiply_adds=100,
        layers=[{"name": "head/dense", "kind": "Dense", "shape": [2], "parameters": 26}],
        metrics=metrics,
        reference_metrics=metrics,
        training={},
        files={file: artifact.checksum(folder / file) for file in ("network.xml", "network.bin")},
    )
    write_json(folder / "card.json", card.to_dict())


def picture(
    colour: tuple[int, int, int] = RED, seed: int = 0, name: str = "", size: tuple[int, int] = (24, 24)
) -> SimpleUploadedFile:
    """A file of about that colour; another seed is another picture."""
    noise = np.random.default_rng([seed, *colour]).integers(-15, 16, (*size[::-1], 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return SimpleUploadedFile(name or f"{colour[0]}-{seed}.png", buffer.getvalue(), "image/png")


def broken(name: str = "notes.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"no picture at all", "image/png")


def own_set(
    owner: Any, names: Sequence[str] = ("mug", "keys"), each: int = 3, title: str = "Desk"
) -> OwnClasses:
    """A set with ``each`` pictures of a colour for every class."""
    owned = own_classes.create(owner, title, names)
    for name, colour in zip(names, (RED, BLUE, GREEN), strict=False):
        if each:
            found = own_classes.add_pictures(owned, name, [picture(colour, i) for i in range(each)])
            assert found == (each, [])
    return owned


def trained(owner: Any, **options: Any) -> OwnClasses:
    """The same, trained."""
    owned = own_set(owner, **options)
    own_classes.train(owned)
    own_training.drain()
    owned.refresh_from_db()
    assert owned.status == "done", owned.error_sentence
    return owned


def finished_set(owner: Any) -> OwnClasses:
    """The owner's set, or one as it is when it was trained and shared, with a picture; no network is needed for it."""
    found = OwnClasses.objects.filter(owner=owner).first()
    if found is None:
        result = {
            "classes": ["cup", "key"],
            "counts": [1, 1],
            "folds": 0,
            "confusion": None,
            "of": "",
            "network": {"title": "Tiny"},
            "preprocessing": {},
            "trained": "2026-01-01T00:00:00+00:00",
        }
        found = OwnClasses.objects.create(
            owner=owner,
            title="Desk",
            classes=["cup", "key"],
            status="done",
            finished=timezone.now(),
            result=result,
            head=bytes(4 * 2 * 3),
            token="x" * 43,
        )
        OwnExample.objects.create(owned=found, index=0, pixels=bytes(3), filename="a.png", digest="0")
    return found


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client
