"""Two Wide ResNets side by side in one of twice their width, and apart again.

    python -m ml.beside --first FILE --second RUN --out DIR     a finished run of the double network, for ml.grow --run
    python -m ml.beside --apart FILE --half 1 --out FILE        one of the two again, to train it on

Every layer of the double network holds the channels of both, and no weight leads from one to the other, so its kernels
are zero but for two blocks on their diagonal. The dense layer reads both with half their weights: the logits are the
mean of theirs, which is an ensemble of two (Hansen and Salamon, 1990) in one pass of one network. Two networks
trained to different ends err in different places, and their mean is right more often than either.

A Wide ResNet's first convolution has 16 channels whatever its width, so the two must have it in common, with the
normalisation of the first block that reads it: ``ml.train --freeze stem/conv,group1/block1/bn1 --init-from FIRST``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.grow import NORM, Weights, blocks_of, size_of
from ml.storage import read_arrays, read_lines, write_arrays, write_json

STEM = "stem/conv/kernel"
SHARED = (STEM, *(f"group1/block1/bn1/{part}" for part in NORM))
"""What both networks must have in common: it works on the 16 channels that no width makes more."""


def beside(first: Weights, second: Weights) -> Weights:
    """The weights of the network of twice the width whose logits are the mean of those of ``first`` and ``second``.

    All three are as ``ml.networks.get_weights`` names and shapes them. Raises ValueError for networks of different
    shapes, for other weights than a Wide ResNet's, and where what they must share differs.
    """
    blocks_of(first)
    if {k: v.shape for k, v in first.items()} != {k: v.shape for k, v in second.items()}:
        raise ValueError("the two networks are not of one shape")
    if apart := [name for name in SHARED if not np.array_equal(first[name], second[name])]:
        raise ValueError(f"the two networks do not share {', '.join(apart)}: train the second with --freeze")
    both: Weights = {}
    for name, one in first.items():
        other = second[name]
        if name in SHARED:
            both[name] = np.asarray(one, np.float32)
        elif name == "head/dense/bias":
            both[name] = np.asarray((one + other) / 2, np.float32)
        elif name == "head/dense/kernel":
            both[name] = np.concatenate([one / 2, other / 2]).astype(np.float32)
        elif one.ndim == 1 or _reads_stem(name):
            both[name] = np.concatenate([one, other], axis=-1).astype(np.float32)
        else:
            both[name] = _diagonal(one, other)
    return both


def half(both: Weights, which: int) -> Weights:
    """The first (1) or the second (2) of the networks that ``beside`` put together. Raises ValueError.

    The dense layer's bias is a mean that cannot be taken apart: each gets the mean, which moves the logits of one
    against those of the other and is learned again in a few steps.
    """
    blocks_of(both)
    if which not in (1, 2):
        raise ValueError("there is a half 1 and a half 2")

    def part(size: int) -> slice:
        return slice(size // 2 * (which - 1), size // 2 * which)

    found: Weights = {}
    for name, values in both.items():
        if name in SHARED or name == "head/dense/bias":
            found[name] = values
        elif name == "head/dense/kernel":
            found[name] = 2 * values[part(len(values))]
        elif values.ndim == 1 or _reads_stem(name):
            found[name] = values[..., part(values.shape[-1])]
        else:
            inputs, outputs = values.shape[-2:]
            own = values[..., part(inputs), :][..., part(outputs)]
            if np.count_nonzero(own) != np.count_nonzero(values[..., part(outputs)]):
                raise ValueError(f"{name} leads from one half to the other: these are not two networks")
            found[name] = own
    return {name: np.asarray(values, np.float32) for name, values in found.items()}


def _reads_stem(name: str) -> bool:
    return name in ("group1/block1/conv1/kernel", "group1/block1/shortcut/kernel")


def _diagonal(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float32]:
    """Two kernels (..., inputs, outputs) as one that keeps them apart."""
    inputs, outputs = one.shape[-2:]
    both = np.zeros((*one.shape[:-2], 2 * inputs, 2 * outputs), np.float32)
    both[..., :inputs, :outputs] = one
    both[..., inputs:, outputs:] = other
    return both


def beside_run(first: Path, second: Path, out: Path, log: Path | None = None, *, last: bool = False) -> int:
    """Writes the folder of the double network, whose recipe is that of the second's run.

    ``log`` is the log of the first one's training, which the second one's began from: its lines come first. With
    ``last`` the second one's weights are those of its last step and not their average.
    Returns the number of values. Raises OSError or ValueError.
    """
    summary = json.loads((second / "run.json").read_text(encoding="utf-8"))
    both = beside(read_arrays(first), _last(second) if last else read_arrays(second / "weights.npz"))
    write_arrays(out / "weights.npz", dict(both))
    rows = _on_from(read_lines(log) if log else [], read_lines(second / "log.jsonl"))
    (out / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    width = summary["recipe"]["width"]
    doubled = {"recipe": {**summary["recipe"], "width": 2 * width}, "beside": width, "last": last}
    write_json(out / "run.json", {**summary, **doubled})
    return size_of(both)


def _last(run: Path) -> Weights:
    # Keras takes seconds to import and is of use here only.
    from ml.train import last_weights

    return last_weights(run)


def _on_from(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two logs as one, whose epochs and seconds go on counting."""
    if not before:
        return after
    epochs, seconds = before[-1]["epoch"], before[-1]["seconds"]
    return before + [
        {**row, "epoch": epochs + row["epoch"], "seconds": round(seconds + row["seconds"], 1)}
        for row in after
    ]


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the number of parameters, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.beside", description=__doc__.split("\n")[0])
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--first", type=Path, help="weights (.npz) of the first network")
    source.add_argument("--apart", type=Path, help="weights (.npz) of a double network")
    p.add_argument("--second", type=Path, help="with --first, folder of the second network's finished run")
    p.add_argument("--first-log", type=Path, help="log.jsonl of the first network's training")
    p.add_argument("--last", action="store_true", help="the second one's last weights, not their average")
    p.add_argument("--half", type=int, help="with --apart, which of the two: 1 or 2")
    p.add_argument("--out", required=True, type=Path, help="folder, or with --apart file, to write")
    args = p.parse_args(argv)
    try:
        if (args.first is None) != (args.second is None) or (args.apart is None) != (args.half is None):
            raise ValueError("--first and --second belong together, and so do --apart and --half")
        if args.first:
            size = beside_run(args.first, args.second, args.out, args.first_log, last=args.last)
        else:
            found = half(read_arrays(args.apart), args.half)
            write_arrays(args.out, dict(found))
            size = size_of(found)
    except (ValueError, KeyError, OSError) as error:
        print(f"ml.beside: {error}", file=sys.stderr)
        return 2
    print(f"{size:,} values.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
