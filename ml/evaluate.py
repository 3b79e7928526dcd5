"""Accuracy of a shipped network as it is served: ``python -m ml.evaluate MODEL --data DIR --json``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ml import calibrate, config, data
from ml.artifact import ArtifactError
from ml.predictor import Predictor, load_predictor, softmax

SURE = 0.6
"""Agreement is also counted among pictures where the reference is at least this sure."""


def evaluate(predictor: Predictor, split: data.Split) -> dict[str, Any]:
    """top1, top5, ece, nll, n, engine, precision and the reliability bins of ``predictor`` on ``split``."""
    logits = predictor.logits(split.images)
    result = calibrate.metrics(logits, split.labels, predictor.card.temperature)
    return {**result, "engine": predictor.engine.name, "precision": predictor.engine.precision}


def agreement(answers: np.ndarray, reference: np.ndarray, temperature: float) -> dict[str, float]:
    """Share of equal top-1 classes of two sets of logits (n, classes): overall, and where the reference is sure."""
    same = answers.argmax(-1) == reference.argmax(-1)
    sure = softmax(reference, temperature).max(-1) > SURE
    return {
        "agreement": float(same.mean()),
        "agreement_sure": float(same[sure].mean()) if sure.any() else 1.0,
        "sure": float(sure.mean()),
    }


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the figures, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.evaluate", description=__doc__)
    p.add_argument(
        "model", help="a network with an artifact: " + (", ".join(config.artifact_names()) or "none yet")
    )
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument("--engine", choices=config.ENGINES)
    p.add_argument("--precision", choices=("int8", "float32"))
    p.add_argument("--threads", type=int)
    p.add_argument("--json", action="store_true", help="print JSON instead of a sentence")
    args = p.parse_args(argv)
    try:
        predictor = load_predictor(
            args.model, engine=args.engine, threads=args.threads, precision=args.precision
        )
        split = data.load(args.data, "test")
        result = evaluate(predictor, split)
        if predictor.engine.precision != "float32":
            exact = load_predictor(args.model, engine="openvino", threads=args.threads, precision="float32")
            result |= agreement(
                predictor.logits(split.images), exact.logits(split.images), predictor.card.temperature
            )
    except (ArtifactError, data.DataError, ValueError) as error:
        print(f"ml.evaluate: {error}", file=sys.stderr)
        return 2
    result["model"], result["version"] = args.model, predictor.card.version
    if args.json:
        print(json.dumps(result))
    else:
        print(
            f"{predictor.card.title}: top-1 {result['top1']:.2%}, top-5 {result['top5']:.2%}, "
            f"ECE {result['ece']:.4f}, NLL {result['nll']:.4f} on {result['n']} test pictures "
            f"({result['engine']}, {result['precision']})."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
