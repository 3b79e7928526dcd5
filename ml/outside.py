"""Is this picture one of the classes at all? ``python -m ml.outside MODEL --data DIR`` measures how well that is told.

A score, larger for pictures less like what the network was trained on, and a threshold above which the site says so.
``fit`` compares the methods below on pictures that belong to no class (``ml.outliers``, development family), keeps the
best, and sets the threshold on held-out training pictures; neither the test set nor the test family has a say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml import canvases, config, data, outlier_sets, outliers
from ml.artifact import ArtifactError, Card
from ml.engines import EngineError
from ml.outside_score import FILE, METHODS, PARTS, Arrays, Part, Sample, Score, Scores, sample_of
from ml.preprocessing import to_input

if TYPE_CHECKING:
    from ml.predictor import Predictor

__all__ = ["FILE", "auroc", "fit", "measure"]

ACCEPTED = 0.98
"""Share of held-out training pictures that the threshold lets pass."""
PLAIN, PHOTOGRAPHS = 6000, 2000
"""Training pictures that the distances are fitted to: as they are, and as they would come out of a photograph."""
HELD_PHOTOGRAPHS = 500
"""Held-out pictures out of photographs, which a method must let pass as well to be chosen."""
DEVELOPMENT, TEST = 300, 500
"""Generated pictures of each kind: for choosing, and for the figures."""
TOGETHER = "together"


def auroc(inside: NDArray[Any], outside: NDArray[Any]) -> float:
    """The chance that a score of ``outside`` is above one of ``inside``, ties counting half (Mann and Whitney)."""
    _, index, counts = np.unique(np.concatenate([inside, outside]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[index]
    above = ranks[len(inside) :].sum() - len(outside) * (len(outside) + 1) / 2
    return float(above / (len(inside) * len(outside)))


def fit(predictor: Predictor, train: data.Split, held_out: data.Split) -> tuple[dict[str, Any], Arrays]:
    """(what the card keeps, arrays for FILE): the best method and its threshold, for the graph that ``predictor`` runs.

    train: the pictures that the network learned. held_out: pictures that it never saw, of the same classes. The
    card's part: method, threshold (a score above it fires), accepted, and for every method its AUROC on the
    development family by kind, against held-out pictures and photographs of some of them. Takes as long as some
    12,000 answers.
    """
    card, deep = predictor.card, _deep_features(predictor)
    order = np.random.default_rng(0).permutation(len(train))
    plain, framed = train.take(order[:PLAIN]), train.take(order[-PHOTOGRAPHS:])
    pictures = np.concatenate([plain.images, _photographed(card, framed)])
    known = sample_of(predictor.outputs(pictures), deep, np.concatenate([plain.labels, framed.labels]))
    kept = sample_of(predictor.outputs(held_out.images), deep)
    some = held_out.take(np.random.default_rng(0).permutation(len(held_out))[:HELD_PHOTOGRAPHS])
    photographs = sample_of(predictor.outputs(_photographed(card, some)), deep)
    strange = {
        kind: sample_of(
            predictor.outputs(outliers.inputs(kind, "development", DEVELOPMENT, card.preprocessing)), deep
        )
        for kind in outliers.KINDS
    }
    return choose(known, kept, photographs, strange, deep)


def choose(
    known: Sample, kept: Sample, photographs: Sample, strange: dict[str, Sample], deep: int
) -> tuple[dict[str, Any], Arrays]:
    """``fit`` for what the network has said already.

    known: fitted to. kept: held out. photographs: held out, as photographs. strange: by kind. Methods that need
    features are left out where there are none.
    """
    fitted = {
        name: _fit_part(name, part, known, kept) for name, part in PARTS.items() if _usable(part, known)
    }
    compared: dict[str, dict[str, float]] = {}
    for method, parts in METHODS.items():
        if not all(name in fitted for name in parts):
            continue
        score = Score(method, deep, {key: value for name in parts for key, value in fitted[name].items()})
        odd = {kind: score.of(sample) for kind, sample in strange.items()}
        compared[method] = _by_kind(np.concatenate([score.of(kept), score.of(photographs)]), odd)
    best = max(compared, key=lambda method: compared[method][TOGETHER])
    arrays = {key: value for name in METHODS[best] for key, value in fitted[name].items()}
    score = Score(best, deep, arrays)
    threshold = float(np.quantile(score.of(kept), ACCEPTED))
    found = {
        "method": best,
        "threshold": round(threshold, 4),
        "accepted": ACCEPTED,
        "accepted_photographs": round(float((score.of(photographs) <= threshold).mean()), 4),
        "compared": compared,
    }
    return found, {**arrays, "deep": np.asarray(deep)}


def _deep_features(predictor: Predictor) -> int:
    """How many features the last dense layer reads; 0 when the card does not list its layers."""
    pools = [row["shape"][-1] for row in predictor.card.layers if row["kind"] == "GlobalAveragePooling2D"]
    return int(pools[-1]) if pools else 0


def _photographed(card: Card, split: data.Split) -> NDArray[np.uint8]:
    """What reaches the network of photographs of these pictures: uint8 (n, size, size, 3).

    A photograph is looked at as the card's preprocessing would, or in a box about its object, by turns: what both
    leave of it is blurred a little and has surroundings, which alone must not count as strange.
    """
    views = [
        to_input(one.image, card.preprocessing, one.box if i % 2 else None)
        for i, one in enumerate(canvases.photographs(split, card.labels, seed=1))
    ]
    return np.stack(views)


def _usable(part: Part, sample: Sample) -> bool:
    return not part.needs or getattr(sample, part.needs).shape[1] > 0


def _fit_part(name: str, part: Part, known: Sample, kept: Sample) -> Arrays:
    arrays = part.fit(known)
    usual = part.score(arrays, kept)
    return {
        f"{name}/usual": np.array([usual.mean(), max(usual.std(), 1e-9)]),
        **{f"{name}/{key}": value for key, value in arrays.items()},
    }


def _by_kind(usual: Scores, odd: dict[str, Scores]) -> dict[str, float]:
    figures = {kind: round(auroc(usual, scores), 4) for kind, scores in odd.items()}
    return {**figures, TOGETHER: round(auroc(usual, np.concatenate(list(odd.values()))), 4)}


def measure(
    predictor: Predictor,
    inside: NDArray[np.uint8],
    sets: dict[str, NDArray[np.uint8]] | None = None,
) -> dict[str, Any]:
    """How well the shipped score tells ``inside`` (pictures of the classes, never used before) from other pictures.

    The others: the test family of ``ml.outliers`` by kind and together, and ``sets`` by name, each uint8 (n, size,
    size, 3). ``n`` and ``passed`` (the share of ``inside`` at or below the threshold), and for each set ``n``,
    ``auroc``, ``caught`` (the share above the threshold) and ``fpr95`` (the share that passes where 95% of ``inside``
    do). Raises ValueError when the artifact has no such score or the engine gives no features.
    """
    card = predictor.card
    if card.outside is None:
        raise ValueError(f"{card.title} was exported without a score for pictures outside its classes")
    limit = float(card.outside["threshold"])
    usual = _scores(predictor, inside)
    odd = {
        kind: _scores(predictor, outliers.inputs(kind, "test", TEST, card.preprocessing))
        for kind in outliers.KINDS
    }
    odd[TOGETHER] = np.concatenate(list(odd.values()))
    odd |= {name: _scores(predictor, pictures) for name, pictures in (sets or {}).items()}
    lenient = float(np.quantile(usual, 0.95))
    rows = {
        name: {
            "n": len(scores),
            "auroc": round(auroc(usual, scores), 4),
            "caught": round(float((scores > limit).mean()), 4),
            "fpr95": round(float((scores <= lenient).mean()), 4),
        }
        for name, scores in odd.items()
    }
    return {"n": len(usual), "passed": round(float((usual <= limit).mean()), 4), "sets": rows}


def _scores(predictor: Predictor, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    scores = predictor.answers(pictures).outside
    if scores is None:
        raise ValueError("this engine gives no features, which the score needs")
    return scores


HELP = """\
Generated pictures (textures, noise, text, drawings) are always measured, against CIFAR-100's test pictures.
With --outliers each folder, .npz or .mat file named is one more set, shrunk as the site shrinks. For the protocol
of OpenOOD (Yang et al., 2022, https://github.com/Jingkang50/OpenOOD) download its images_classic and name:
  near:  cifar10/test  tin/test (TinyImageNet)
  far:   mnist/test  svhn/test (or SVHN's own test_32x32.mat)  texture  places365
Folders are searched with everything below them. Leave out pictures that show one of the 100 classes, as OpenOOD's
lists do.
"""


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the figures, or 2 and a sentence."""
    from ml.predictor import load_predictor

    p = argparse.ArgumentParser(
        prog="python -m ml.outside",
        description="How well a shipped network tells pictures that belong to none of its classes.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "model", help="a network with an artifact: " + (", ".join(config.artifact_names()) or "none yet")
    )
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument("--outliers", nargs="+", default=[], type=Path, metavar="DIR", help="more sets, see below")
    p.add_argument("--limit", type=int, default=10_000, help="use at most so many pictures of each set")
    p.add_argument("--engine", choices=config.ENGINES)
    p.add_argument("--threads", type=int)
    p.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = p.parse_args(argv)
    try:
        predictor = load_predictor(args.model, engine=args.engine, threads=args.threads)
        test = data.load(args.data, "test").images[:: max(1, 10_000 // max(1, args.limit))]
        sets = outlier_sets.read_all(args.outliers, predictor.card.preprocessing, args.limit)
        found = measure(predictor, test, sets)
    except (ArtifactError, EngineError, data.DataError, ValueError, OSError) as error:
        print(f"ml.outside: {error}", file=sys.stderr)
        return 2
    card = predictor.card
    assert card.outside is not None
    found |= {
        "model": args.model,
        "version": card.version,
        "engine": predictor.engine.name,
        "precision": predictor.engine.precision,
        "method": card.outside["method"],
        "threshold": card.outside["threshold"],
    }
    print(json.dumps(found) if args.json else _table(card.title, found))
    return 0


def _table(title: str, found: dict[str, Any]) -> str:
    lines = [
        f"{title}, {found['method']}: {found['passed']:.1%} of {found['n']} test pictures pass.",
        f"{'set':<20}{'pictures':>9}{'AUROC':>9}{'caught':>9}{'FPR95':>9}",
    ]
    for name, row in found["sets"].items():
        lines.append(
            f"{name[:19]:<20}{row['n']:>9}{row['auroc']:>9.4f}{row['caught']:>9.1%}{row['fpr95']:>9.1%}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
