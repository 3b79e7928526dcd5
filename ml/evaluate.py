"""How good a shipped network is as it is served: ``python -m ml.evaluate MODEL --data DIR --json``.

``evaluation`` gathers everything the site draws about a network's honesty: accuracy, reliability, every class,
every confusion, and the same on pictures with black bars. ``ml.export`` writes it as ``evaluation.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import calibrate, config, data
from ml.artifact import ArtifactError, black_share
from ml.engines import EngineError
from ml.predictor import Predictor, load_predictor, softmax
from ml.storage import write_bytes

SURE = 0.6
"""Agreement is also counted among pictures where the reference is at least this sure."""

MOST_BARS = 3
LEAST_COVERED, MOST_COVERED = 0.05, 0.40
LONGEST_BAR = 4.0
"""A bar is at most this many times as long as it is wide (before it is cut to the picture)."""

SMALL_BARS = 0.20
"""Covered pictures are also measured apart: those with less than this share of black, and the others."""

COVER_SEED = 2026
"""The bars of every published figure. One fixed draw, so that two networks see the same pictures."""

PAIRS = 40
"""So many of the most confused pairs are listed; the whole matrix is there beside them."""


def covered(images: NDArray[np.uint8], seed: int = COVER_SEED) -> NDArray[np.uint8]:
    """Copies of ``images``, uint8 (n, height, width, 3), with random black bars of value 0, as students draw them.

    Each picture gets 1 to 3 rectangles, all numbers equally likely. Together they are drawn to cover a share
    between 5% and 40% of it (uniform), split among them at random, with sides in a ratio of up to 4:1 either way
    and any place that lies inside; where they overlap, less is covered. The site paints bars on the whole picture and
    shrinks it then, so a pixel that a bar's edge crosses is darkened by the part that is covered, and those inside
    are 0. The n-th picture's bars depend on ``seed`` and n alone. Related: random erasing (Zhong et al., 2020,
    section 3), of which this differs by several bars and by black instead of noise.
    """
    out = np.empty_like(images)
    shade = bars(images.shape[:3], seed)
    for start in range(0, len(images), 1000):
        part = slice(start, start + 1000)
        out[part] = np.rint(images[part] * (1 - shade[part, ..., None]))
    return out


def bars(shape: tuple[int, ...], seed: int = COVER_SEED) -> NDArray[np.float32]:
    """The covered part of each pixel in ``covered``, 0..1: float32 (n, height, width) for that ``shape``.

    Where the edges of two bars meet in a pixel, the parts they cover are taken as independent.
    """
    n, height, width = shape
    # A row of draws for each picture, so that it has the same bars however many others there are.
    draws = np.random.default_rng(seed).random((n, 2 + 4 * MOST_BARS))
    count = 1 + (draws[:, 0] * MOST_BARS).astype(int)
    total = LEAST_COVERED + (MOST_COVERED - LEAST_COVERED) * draws[:, 1]
    share, ratio, left, top = draws[:, 2:].reshape(n, 4, MOST_BARS).swapaxes(0, 1)
    # At least a third of the largest part for each: no bar of a single pixel beside two large ones.
    share = (share + 0.5) * (np.arange(MOST_BARS) < count[:, None])
    area = total[:, None] * share / share.sum(-1, keepdims=True)
    wide = np.clip(np.sqrt(area * LONGEST_BAR ** (2 * ratio - 1)), area, 1)
    high = np.divide(area, wide, out=np.zeros_like(area), where=wide > 0)
    left_out = np.ones((n, height, width), np.float32)
    for bar in range(MOST_BARS):
        across = _overlap(left[:, bar] * (1 - wide[:, bar]), wide[:, bar], width)
        down = _overlap(top[:, bar] * (1 - high[:, bar]), high[:, bar], height)
        left_out *= 1 - down[:, :, None] * across[:, None, :]
    return 1 - left_out


def _overlap(start: NDArray[np.float64], length: NDArray[np.float64], pixels: int) -> NDArray[np.float32]:
    """How much of each of ``pixels`` in a row lies in start..start + length, fractions of the row: (n, pixels)."""
    edges = np.arange(pixels)
    first, last = (start * pixels)[:, None], ((start + length) * pixels)[:, None]
    # Rounded, so that a pixel wholly inside is exactly black.
    inside = np.minimum(edges + 1, last) - np.maximum(edges, first)
    return np.clip(inside, 0, 1).round(6).astype(np.float32)


def evaluate(
    predictor: Predictor, split: data.Split, logits: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """top1, top5, ece, nll, n, engine, precision and the reliability bins of ``predictor`` on ``split``.

    ``logits`` (n, classes), where they are known already, are not computed again.
    """
    if logits is None:
        logits = predictor.logits(split.images)
    result = calibrate.metrics(logits, split.labels, predictor.card.temperatures(split.images))
    return {**result, "engine": predictor.engine.name, "precision": predictor.engine.precision}


def evaluation(
    predictor: Predictor,
    split: data.Split,
    *,
    logits: NDArray[np.float32] | None = None,
    seed: int = COVER_SEED,
) -> dict[str, Any]:
    """Everything that ``evaluation.json`` of an artifact holds; shares are fractions, 0..1.

    - n, top1, top5, ece, nll, engine, precision, reliability: as ``evaluate`` returns them
    - spread: 95% intervals {"top1", "ece"}: [low, high] (``calibrate.spread``)
    - per_class: {"n", "right", "accuracy"} of each class, in label order
    - confusion: rows of counts; row = true class, column = first answer
    - order: the classes so that those taken for one another stand together (``similar_order``)
    - confused_pairs: {"a", "b", "a_as_b", "b_as_a"}, class indices and counts, most frequent first
    - covered: the first two groups again for the same pictures with bars (``covered`` with ``seed``), and share
      (mean share of black), and small and large {"n", "top1", "ece"}: below SMALL_BARS of black, and the rest

    ``logits`` of the clean pictures (n, classes), where they are known already, are not computed again.
    """
    if logits is None:
        logits = predictor.logits(split.images)
    classes = len(predictor.card.labels)
    answers = np.asarray(logits).argmax(-1)
    matrix = confusion(answers, split.labels, classes)
    result = evaluate(predictor, split, logits)
    result["spread"] = calibrate.spread(logits, split.labels, predictor.card.temperatures(split.images))
    result["per_class"] = per_class(matrix)
    result["order"] = similar_order(matrix)
    result["confused_pairs"] = confused_pairs(matrix)
    result["covered"] = _on_covered(predictor, split, seed)
    result["confusion"] = matrix.tolist()
    return rounded(result)


def _on_covered(predictor: Predictor, split: data.Split, seed: int) -> dict[str, Any]:
    images = covered(split.images, seed)
    share = bars(split.images.shape[:3], seed).mean((1, 2))
    logits, temperature = predictor.logits(images), predictor.card.temperatures(images)
    result = calibrate.metrics(logits, split.labels, temperature)
    result["spread"] = calibrate.spread(logits, split.labels, temperature)
    result["seed"], result["share"] = seed, float(share.mean())
    for name, chosen in (("small", share < SMALL_BARS), ("large", share >= SMALL_BARS)):
        part = (
            calibrate.metrics(logits[chosen], split.labels[chosen], temperature[chosen])
            if chosen.any()
            else {}
        )
        result[name] = {key: part[key] for key in ("n", "top1", "ece") if key in part}
    return result


def black_slope(predictor: Predictor, held_out: data.Split, *, seed: int = COVER_SEED + 1) -> float:
    """``Card.black_slope`` for a network, from training pictures held out (not test pictures), covered by ``seed``.

    The card's temperature must have been fitted before.
    """
    images = covered(held_out.images, seed)
    return calibrate.fit_black_slope(
        predictor.logits(images), held_out.labels, black_share(images), predictor.card.temperature
    )


def confusion(answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts (classes, classes): how often a picture of the row's class was called the column's."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, answers), 1)
    return matrix


def per_class(matrix: NDArray[np.int64]) -> list[dict[str, Any]]:
    """n, right and accuracy of each row of a confusion matrix; the accuracy of a class without pictures is None."""
    return [
        {"n": int(row.sum()), "right": int(row[i]), "accuracy": row[i] / row.sum() if row.sum() else None}
        for i, row in enumerate(matrix)
    ]


def confused_pairs(matrix: NDArray[np.int64], most: int = PAIRS) -> list[dict[str, int]]:
    """The pairs of classes most often taken for one another, counted in both directions; none without a count."""
    both = np.triu(matrix + matrix.T, 1)
    order = np.argsort(-both, axis=None, kind="stable")[:most]
    pairs = []
    for a, b in zip(*np.unravel_index(order, both.shape), strict=True):
        # The class that is lost to the other more often comes first: "seal was called otter" before the reverse.
        first, second = (a, b) if matrix[a, b] >= matrix[b, a] else (b, a)
        if both[a, b]:
            pairs.append(
                {
                    "a": int(first),
                    "b": int(second),
                    "a_as_b": int(matrix[first, second]),
                    "b_as_a": int(matrix[second, first]),
                }
            )
    return pairs


def similar_order(matrix: NDArray[np.int64]) -> list[int]:
    """The classes of a confusion matrix in an order in which those often taken for one another are neighbours.

    Agglomerative clustering with average linkage (Sokal and Michener, 1958) of the shares confused in either
    direction; of the four ways to join two rows of classes the one whose ends are most alike is taken.
    """
    n = len(matrix)
    shares = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    alike = shares + shares.T
    rows: dict[int, list[int]] = {i: [i] for i in range(n)}
    link = alike.astype(np.float64)
    np.fill_diagonal(link, -1)
    while len(rows) > 1:
        i, j = sorted(int(k) for k in np.unravel_index(link.argmax(), link.shape))
        first, second = rows[i], rows.pop(j)
        ways = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
        left, right = max(ways, key=lambda way: alike[way[0][-1], way[1][0]])
        mean = (len(first) * link[i] + len(second) * link[j]) / (len(first) + len(second))
        rows[i] = left + right
        link[i], link[:, i] = mean, mean
        link[j], link[:, j], link[i, i] = -1, -1, -1
        gone = np.setdiff1d(np.arange(n), list(rows))
        link[i, gone], link[gone, i] = -1, -1
    return next(iter(rows.values()), [])


def write(path: Path, found: dict[str, Any]) -> None:
    """Writes what ``evaluation`` returned as compact JSON, whole or not at all. Raises OSError."""
    write_bytes(path, json.dumps(found, separators=(",", ":")).encode() + b"\n")


def rounded(value: Any, digits: int = 5) -> Any:
    """``value`` (of dicts, lists and numbers) with its floats rounded: a picture in 10,000 is 1e-4."""
    if isinstance(value, dict):
        return {key: rounded(entry, digits) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry, digits) for entry in value]
    return round(float(value), digits) if isinstance(value, float | np.floating) else value


def agreement(answers: NDArray[Any], reference: NDArray[Any], temperature: float) -> dict[str, float]:
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
        logits = predictor.logits(split.images)
        result = evaluation(predictor, split, logits=logits)
        if predictor.engine.precision != "float32":
            exact = load_predictor(args.model, engine="openvino", threads=args.threads, precision="float32")
            result |= agreement(logits, exact.logits(split.images), predictor.card.temperature)
    except (ArtifactError, EngineError, data.DataError, ValueError) as error:
        print(f"ml.evaluate: {error}", file=sys.stderr)
        return 2
    result["model"], result["version"] = args.model, predictor.card.version
    result["covered_top1"], result["covered_ece"] = result["covered"]["top1"], result["covered"]["ece"]
    if args.json:
        print(json.dumps(result))
    else:
        print(
            f"{predictor.card.title}: top-1 {result['top1']:.2%}, top-5 {result['top5']:.2%}, "
            f"ECE {result['ece']:.4f}, NLL {result['nll']:.4f} on {result['n']} test pictures "
            f"({result['engine']}, {result['precision']}); with black bars on {result['covered']['share']:.0%} "
            f"of each: top-1 {result['covered_top1']:.2%}, ECE {result['covered_ece']:.4f}."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
