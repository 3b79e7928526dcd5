"""A narrow Wide ResNet made wider without forgetting anything, and the way back.

    python -m ml.grow --weights FILE --width 10 --out FILE     weights for ml.train --init-from
    python -m ml.grow --run DIR --width 10 --out DIR           a finished run, for ml.export
    python -m ml.grow --model NAME --back-to 4 --out FILE      the narrow network that a shipped one was grown from

Net2WiderNet (Chen, Goodfellow and Shlens, 2016, section 2.2): channels are copied, and the weights that read a copied
channel are shared out among its copies, so that the wide network computes what the narrow one did. All blocks
of a group add into one residual stream and therefore use one map of copies.

The way back is exact as long as the wide network was not trained: copies are then still copies. A narrow network is
trained six times faster, so a better one is made by going back, training on, and growing again.

Copies that are shared out evenly get equal gradients for ever. Here every reading weight is shared out unevenly,
by random parts that sum to one: the function is still unchanged, and the copies grow apart from the first step.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.storage import read_arrays, write_arrays, write_json

SAME = 2e-3
"""Up to which values of copies are the same one: they were shipped as float16, each with a rounding of its own."""

Weights = dict[str, NDArray[np.float32]]
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
UNEVENNESS = 0.5
"""Standard deviation of a copy's part, as a share of the even part."""


def copies(channels: int, wide: int) -> NDArray[np.int64]:
    """Which of ``channels`` each of ``wide`` channels copies: all in turn, so that the copies are even.

    Raises ValueError when ``wide`` is smaller.
    """
    if wide < channels:
        raise ValueError(f"a layer of {channels} channels cannot be narrowed to {wide}")
    return np.arange(wide) % channels


def _shared_out(
    kernel: NDArray[Any], origin: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A kernel (..., inputs, outputs) for copied inputs: for every output, the parts of an input's copies sum to 1."""
    count = np.bincount(origin)
    wide = np.asarray(kernel, np.float64)[..., origin, :]
    noise = rng.normal(0.0, UNEVENNESS, wide.shape)
    # Noise that sums to zero over the copies of each input leaves the sum of the parts at one.
    total = np.stack([noise[..., origin == i, :].sum(-2) for i in range(len(count))], axis=-2)
    noise -= (total / count[:, None])[..., origin, :]
    noise[..., count[origin] == 1, :] = 0.0
    return (wide * (1.0 + noise) / count[origin][:, None]).astype(np.float32)


def blocks_of(names: Weights) -> list[str]:
    """``group1/block1`` and so on, in order. Raises ValueError when these are not a Wide ResNet's weights."""
    found = sorted({m[0] for n in names if (m := re.match(r"group\d+/block\d+", n))})
    if not found or "stem/conv/kernel" not in names or "head/dense/kernel" not in names:
        raise ValueError("these are not the weights of a Wide ResNet")
    return found


def grow(weights: Weights, width: int, *, base: tuple[int, ...] = (16, 32, 64), seed: int = 0) -> Weights:
    """The weights of a Wide ResNet of factor ``width`` that computes what ``weights`` compute.

    ``weights`` and the result are as ``ml.networks.get_weights`` names and shapes them; ``base`` are the groups'
    channels at factor 1. Raises ValueError for other weights or a smaller factor.
    """
    blocks = blocks_of(weights)
    rng = np.random.default_rng(seed)
    wide: Weights = {"stem/conv/kernel": np.asarray(weights["stem/conv/kernel"], np.float32)}
    stream = np.arange(wide["stem/conv/kernel"].shape[-1])

    def norm(name: str, origin: NDArray[np.int64]) -> None:
        for part in NORM:
            wide[f"{name}/{part}"] = np.asarray(weights[f"{name}/{part}"], np.float32)[origin]

    def convolution(name: str, inputs: NDArray[np.int64], outputs: NDArray[np.int64]) -> None:
        kernel = weights[f"{name}/kernel"][..., outputs]
        wide[f"{name}/kernel"] = _shared_out(kernel, inputs, rng)

    for block in blocks:
        channels = weights[f"{block}/conv1/kernel"].shape[-1]
        group = int(block.removeprefix("group").split("/")[0])
        inner = copies(channels, base[group - 1] * width)
        outer = copies(channels, base[group - 1] * width)
        norm(f"{block}/bn1", stream)
        convolution(f"{block}/conv1", stream, inner)
        norm(f"{block}/bn2", inner)
        convolution(f"{block}/conv2", inner, outer)
        if f"{block}/shortcut/kernel" in weights:
            convolution(f"{block}/shortcut", stream, outer)
            stream = outer
        elif not np.array_equal(stream, outer):
            raise ValueError(f"{block} adds to a stream of another width")
    norm("head/bn", stream)
    wide["head/dense/kernel"] = _shared_out(weights["head/dense/kernel"], stream, rng)
    wide["head/dense/bias"] = np.asarray(weights["head/dense/bias"], np.float32)
    return wide


def narrow(wide: Weights, width: int, *, base: tuple[int, ...] = (16, 32, 64)) -> Weights:
    """The weights that ``grow`` made ``wide`` of, at factor ``width``.

    Both are as ``ml.networks.get_weights`` names and shapes them. Raises ValueError for other weights, and where the
    copies differ: such a network was trained after it had grown, or was grown from another factor.
    """
    found: Weights = {"stem/conv/kernel": np.asarray(wide["stem/conv/kernel"], np.float32)}
    blocks = blocks_of(wide)

    def one_of_each(name: str, channels: int) -> None:
        """The first copy of each channel that a layer hands on; the others must be the same."""
        values = found[name]
        copied = values[
            ..., copies(channels, values.shape[-1]) if values.shape[-1] > channels else slice(None)
        ]
        if not np.allclose(copied, values, rtol=0, atol=SAME):
            raise ValueError(f"the copies in {name} differ, so nothing narrower computes the same")
        found[name] = values[..., :channels]

    def together(name: str, channels: int) -> None:
        """Weights that read copies of one channel are one weight again: their sum."""
        values = np.asarray(wide[name], np.float64)
        parts = [values[..., start : start + channels, :] for start in range(0, values.shape[-2], channels)]
        total = np.zeros((*values.shape[:-2], channels, values.shape[-1]))
        for part in parts:
            total[..., : part.shape[-2], :] += part
        found[name] = total.astype(np.float32)

    def norm(name: str, channels: int) -> None:
        for part in NORM:
            found[f"{name}/{part}"] = np.asarray(wide[f"{name}/{part}"], np.float32)
            one_of_each(f"{name}/{part}", channels)

    stream = found["stem/conv/kernel"].shape[-1]
    for block in blocks:
        channels = base[int(block.removeprefix("group").split("/")[0]) - 1] * width
        norm(f"{block}/bn1", stream)
        names = {f"{block}/conv1/kernel": stream, f"{block}/conv2/kernel": channels}
        if f"{block}/shortcut/kernel" in wide:
            names[f"{block}/shortcut/kernel"] = stream
        for name, inputs in names.items():
            together(name, inputs)
            one_of_each(name, channels)
        norm(f"{block}/bn2", channels)
        stream = channels
    norm("head/bn", stream)
    together("head/dense/kernel", stream)
    found["head/dense/bias"] = np.asarray(wide["head/dense/bias"], np.float32)
    return found


def grow_run(run: Path, width: int, out: Path, *, seed: int = 0) -> tuple[int, int]:
    """A finished run's folder as the folder of the widened network, which was not trained any further.

    Returns the numbers of values before and after. Raises OSError or ValueError.
    """
    summary = json.loads((run / "run.json").read_text(encoding="utf-8"))
    given = read_arrays(run / "weights.npz")
    wide = grow(given, width, seed=seed)
    write_arrays(out / "weights.npz", dict(wide))
    shutil.copyfile(run / "log.jsonl", out / "log.jsonl")
    grown = {"recipe": {**summary["recipe"], "width": width}, "grown_from": summary["recipe"]["width"]}
    write_json(out / "run.json", {**summary, **grown})
    return size_of(given), size_of(wide)


def size_of(weights: Weights) -> int:
    """How many values these weights are."""
    return sum(values.size for values in weights.values())


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the numbers of parameters, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.grow", description=__doc__.split("\n")[0])
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, help="a narrower Wide ResNet's weights (.npz)")
    source.add_argument("--run", type=Path, help="folder of a narrower Wide ResNet's finished run")
    source.add_argument("--model", help="a shipped network, to go back from")
    p.add_argument("--back-to", type=int, help="with --model, the width factor that it was grown from")
    p.add_argument("--width", type=int, default=10, help="width factor to grow to")
    p.add_argument("--out", required=True, type=Path, help="file, or with --run folder, to write")
    p.add_argument("--seed", type=int, default=0)
    args = p.parse_args(argv)
    try:
        if (args.model is None) != (args.back_to is None):
            raise ValueError("--model and --back-to belong together")
        if args.model:
            wide = artifact.read_weights(artifact.load_card(args.model))
            found = narrow(wide, args.back_to)
            write_arrays(args.out, dict(found))
            before, after = size_of(wide), size_of(found)
        elif args.run:
            before, after = grow_run(args.run, args.width, args.out, seed=args.seed)
        else:
            given = read_arrays(args.weights)
            wide = grow(given, args.width, seed=args.seed)
            write_arrays(args.out, dict(wide))
            before, after = size_of(given), size_of(wide)
    except (ValueError, KeyError, OSError, artifact.ArtifactError) as error:
        print(f"ml.grow: {error}", file=sys.stderr)
        return 2
    print(f"{before:,} values became {after:,}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
