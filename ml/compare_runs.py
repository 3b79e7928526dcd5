"""What one choice of a recipe changes, from finished short runs that are alike but for it.

    python -m ml.compare_runs --choice cutmix RUN RUN RUN --data DIR --out FILE

Each run is measured on the test set at the size it was trained on last, whole and with the black bars of every
published figure (``ml.evaluate.covered``), in float32, with no temperature: what a network says of itself before it is
calibrated belongs to what the choice changed. Runs with the same choice differ by their seed; how far these lie apart
says how much of a difference is chance.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray

from ml import calibrate, data, networks, train
from ml.evaluate import covered, rounded
from ml.predictor import softmax
from ml.recipe import Recipe
from ml.storage import read_arrays, read_lines, write_json


def compare(folders: list[Path], choice: str, test: data.Split) -> dict[str, Any]:
    """How the runs in ``folders`` differ: a dictionary that JSON can hold.

    - choice, recipe (what the runs have in common), pictures, hardware, backend, n (test pictures)
    - runs: {"value", "seed", "seconds", "log", "whole", "covered"} of each, in the order given

    whole and covered are {"top1", "ece", "nll", "confidence"}, fractions of 1: top-1 accuracy, expected calibration
    error (15 bins), mean negative log-likelihood and mean confidence on ``test``. Raises ValueError for runs that
    differ in more than ``choice`` and the seed, OSError for a folder without a run.
    """
    summaries = [json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in folders]
    common = [_without(summary["recipe"], choice) for summary in summaries]
    for folder, recipe in zip(folders, common, strict=True):
        if recipe != common[0]:
            differ = sorted(key for key in recipe if recipe[key] != common[0].get(key))
            raise ValueError(f"{folder} differs in more than {choice}: {', '.join(differ)}")
    runs, barred = [], covered(test.images)
    for folder, summary in zip(folders, summaries, strict=True):
        how = Recipe.from_dict(summary["recipe"])
        network = train.network_of(how)
        networks.set_weights(network, dict(read_arrays(folder / "weights.npz")))
        size = how.size_at(how.epochs - 1)
        runs.append(
            {
                "value": summary["recipe"][choice],
                "seed": how.seed,
                "seconds": summary["training_seconds"],
                "log": read_lines(folder / "log.jsonl"),
                "whole": _measured(train.logits_of(network, test.images, size), test.labels),
                "covered": _measured(train.logits_of(network, barred, size), test.labels),
            }
        )
    first = summaries[0]
    found = {
        "choice": choice,
        "recipe": common[0],
        "pictures": first["pictures"],
        "hardware": first["hardware"],
        "backend": first["backend"],
        "n": len(test),
        "runs": runs,
    }
    return dict(rounded(found))


def _without(recipe: dict[str, Any], choice: str) -> dict[str, Any]:
    if choice not in recipe:
        raise ValueError(f"a recipe has no {choice}")
    return {key: value for key, value in recipe.items() if key not in (choice, "seed")}


def _measured(logits: NDArray[np.float32], labels: NDArray[Any]) -> dict[str, float]:
    result = calibrate.metrics(logits, labels, 1.0)
    confidence = float(softmax(logits, 1.0).max(-1).mean())
    return {key: result[key] for key in ("top1", "ece", "nll")} | {"confidence": confidence}


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and a line a run, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.compare_runs", description=__doc__.split("\n")[0])
    p.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    p.add_argument("--choice", required=True, help="the field of the recipe that may differ, such as cutmix")
    p.add_argument("--data", required=True, type=Path)
    p.add_argument("--out", required=True, type=Path)
    args = p.parse_args(argv)
    try:
        found = compare(args.runs, args.choice, data.load(args.data, "test"))
        write_json(args.out, found)
    except (ValueError, KeyError, OSError, data.DataError) as error:
        print(f"ml.compare_runs: {error}", file=sys.stderr)
        return 2
    for run in found["runs"]:
        whole, barred = run["whole"], run["covered"]
        print(
            f"{args.choice} {run['value']}, seed {run['seed']}: top-1 {whole['top1']:.2%}, with bars "
            f"{barred['top1']:.2%}; calibration error {whole['ece']:.4f}, with bars {barred['ece']:.4f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
