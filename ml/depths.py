"""What depth does to plain and to residual networks: both trained small, with the gradients of every layer.

    python -m ml.depths --data DIR --out FILE [--depths 8 20 32 56] [--epochs 8] [--pictures 12000] [--size 16]

The networks are those of K. He and others, "Deep residual learning for image recognition" (2016), section 4.2: a 3 x 3
convolution, three stages of 2 n convolutions with 16, 32 and 64 channels, average pooling, one dense layer, 6 n + 2
layers with weights; batch normalisation and ReLU after each convolution. The residual one adds to every second
convolution what went into the pair (shortcuts of type A: no weights). Nothing else differs. Training pictures are
mirrored half of the time and otherwise shown as they are, because the question is what training can reach.

FILE is written after every network, and what it holds already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from ml import data, train
from ml.augment import normalise
from ml.config import processor
from ml.evaluate import rounded
from ml.networks import layer_name
from ml.storage import write_json

KINDS = ("plain", "residual")
CHANNELS = (16, 32, 64)
HELD_OUT_SIZE = 2000
GRADIENT_PICTURES = 256


@dataclass(frozen=True)
class Study:
    """What every network of one study has in common."""

    epochs: int = 8
    pictures: int = 12_000
    size: int = 16
    batch: int = 128
    peak_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    seed: int = 0


def build(kind: str, depth: int, *, size: int | None = 32, classes: int = 100) -> keras.Model:
    """A plain or residual network of ``depth`` layers with weights, float32 pictures (n, size, size, 3) to logits.

    Raises ValueError for another kind and for a depth that is not 6 n + 2 with n >= 1.
    """
    blocks, rest = divmod(depth - 2, 6)
    if kind not in KINDS:
        raise ValueError(f"a network is {' or '.join(KINDS)}, not {kind!r}")
    if rest or blocks < 1:
        raise ValueError(f"depth must be 6 n + 2 with n >= 1, not {depth}")
    pictures = layers.Input((size, size, 3), name="pictures")
    x = _convolution(pictures, CHANNELS[0], 1, "stem_conv")
    for stage, channels in enumerate(CHANNELS, 1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            name = f"stage{stage}_block{block}"
            before = x
            x = _convolution(x, channels, stride, f"{name}_conv1")
            x = _convolution(x, channels, 1, f"{name}_conv2", relu=kind == "plain")
            if kind == "residual":
                x = layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, _fitted(before, x)]))
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    return keras.Model(pictures, layers.Dense(classes, name="head_dense")(x), name=f"{kind}{depth}")


def _convolution(x: Any, channels: int, stride: int, name: str, *, relu: bool = True) -> Any:
    x = layers.Conv2D(
        channels,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name.replace("conv", "bn"))(x)
    return layers.ReLU(name=name.replace("conv", "relu"))(x) if relu else x


def _fitted(before: Any, after: Any) -> Any:
    """A shortcut of type A: every other place where the map shrinks, zeros in the channels that are new."""
    if before.shape[-1] == after.shape[-1]:
        return before
    return ops.pad(before[:, ::2, ::2, :], [[0, 0], [0, 0], [0, 0], [0, after.shape[-1] - before.shape[-1]]])


def gradients(
    network: keras.Model, pictures: NDArray[np.float32], labels: NDArray[Any]
) -> list[dict[str, Any]]:
    """For every convolution, in order: its name and the norm of the loss's gradient by its kernel, relative to the
    kernel's own norm.

    ``pictures``: normalised, (n, size, size, 3). The loss is the mean cross-entropy of the batch as training sees it,
    with the batch's own statistics. One step of plain gradient descent at rate 1 is made and taken back, so it works on
    every backend of Keras; the network and its statistics are as before. It has to be compiled again afterwards.
    """
    before = network.get_weights()
    kernels = [layer for layer in network.layers if isinstance(layer, layers.Conv2D)]
    old = [np.array(layer.get_weights()[0]) for layer in kernels]
    network.compile(
        keras.optimizers.SGD(1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    network.train_on_batch(pictures, labels)
    steps = [then - layer.get_weights()[0] for layer, then in zip(kernels, old, strict=True)]
    network.set_weights(before)
    return [
        {"name": layer_name(layer), "relative": float(f"{np.linalg.norm(step) / np.linalg.norm(then):.4g}")}
        for layer, step, then in zip(kernels, steps, old, strict=True)
    ]


def run(kind: str, depth: int, how: Study, train_set: data.Split, held_out: data.Split) -> dict[str, Any]:
    """One network, trained: {"kind", "depth", "parameters", "seconds", "log", "gradients"}.

    log: a row an epoch, from 0, which is before any step, with the loss and accuracy over the training pictures as they
    are (nothing mirrored, the moving statistics) and the accuracy on the held-out ones. gradients: as ``gradients``
    gives them, before training and at its end, on the first 256 training pictures.
    """
    keras.utils.set_random_seed(how.seed)
    size = how.size
    network = build(kind, depth, size=size, classes=int(train_set.labels.max()) + 1)
    pixels = normalise(data.resized(train_set.images, size).astype(np.float32))
    labels = train_set.labels.astype(np.int32)
    some = slice(0, GRADIENT_PICTURES)
    log, found = [], {"start": gradients(network, pixels[some], labels[some])}
    steps = -(-len(labels) // how.batch)
    begun = time.monotonic()
    network.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(how.peak_rate, steps * how.epochs),
            momentum=how.momentum,
            weight_decay=how.weight_decay,
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    rng = np.random.default_rng(how.seed)
    for epoch in range(how.epochs + 1):
        if epoch:
            mirrored = np.where(rng.random((len(pixels), 1, 1, 1)) < 0.5, pixels[:, :, ::-1], pixels)
            network.fit(mirrored, labels, batch_size=how.batch, epochs=1, shuffle=True, verbose=0)
        loss, accuracy = train.evaluate(network, train_set, size)
        log.append(
            {
                "epoch": epoch,
                "loss": loss,
                "accuracy": accuracy,
                "held_out": train.evaluate(network, held_out, size)[1],
            }
        )
    seconds = time.monotonic() - begun
    found["end"] = gradients(network, pixels[some], labels[some])
    return {
        "kind": kind,
        "depth": depth,
        "parameters": network.count_params(),
        "seconds": round(seconds, 1),
        "log": log,
        "gradients": found,
    }


def study(
    depths: Sequence[int], how: Study, train_set: data.Split, held_out: data.Split, out: Path
) -> dict[str, Any]:
    """Runs what ``out`` does not hold yet, both kinds of each depth, and writes it after each.

    Raises ValueError where ``out`` holds runs of another study.
    """
    found: dict[str, Any] = {"study": asdict(how), "hardware": processor(), "runs": []}
    if out.exists():
        found = json.loads(out.read_text(encoding="utf-8"))
        if found["study"] != asdict(how):
            raise ValueError(f"{out} holds another study: move it away, or give the same options")
    done = {(row["kind"], row["depth"]) for row in found["runs"]}
    for depth in depths:
        for kind in KINDS:
            if (kind, depth) in done:
                continue
            row = run(kind, depth, how, train_set, held_out)
            row["log"] = rounded(row["log"])
            found["runs"].append(row)
            write_json(out, found)
            last = row["log"][-1]
            print(
                f"{kind} {depth}: loss {last['loss']:.3f}, training {last['accuracy']:.1%}, held out "
                f"{last['held_out']:.1%}, {row['seconds']:.0f} s",
                flush=True,
            )
    return found


def main(argv: list[str] | None = None) -> int:
    """The command: 0, or 2 and a sentence."""
    standard = Study()
    p = argparse.ArgumentParser(prog="python -m ml.depths", description=__doc__.split("\n")[0])
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--depths", type=int, nargs="+", default=[8, 20, 32, 56])
    p.add_argument("--epochs", type=int, default=standard.epochs)
    p.add_argument("--pictures", type=int, default=standard.pictures)
    p.add_argument("--size", type=int, default=standard.size)
    args = p.parse_args(argv)
    how = Study(epochs=args.epochs, pictures=args.pictures, size=args.size)
    try:
        whole, held_out = data.load_for_training(args.data)
        chosen = np.random.default_rng(how.seed).permutation(len(whole))[: how.pictures]
        study(
            args.depths, how, whole.take(np.sort(chosen)), held_out.take(np.arange(HELD_OUT_SIZE)), args.out
        )
    except (ValueError, OSError, data.DataError) as error:
        print(f"ml.depths: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
