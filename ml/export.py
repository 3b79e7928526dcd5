"""From a training run to a shipped artifact: ``python -m ml.export MODEL --run DIR --data DIR``.

Writes the exact graph, quantises it to int8 (``ml.quantise``), fits temperature and the score for pictures outside
the classes on the fixed 2,000 held-out training pictures with the answers of the graph that serves, measures both
graphs on the test set, packs the snapshots, and writes the card last, so that a half-written artifact is never
offered.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from ml import artifact, calibrate, config, data, features, graph, networks, outside, packing, snapshots
from ml.engines import OpenVinoEngine
from ml.evaluate import agreement, black_slope, evaluate, evaluation, write
from ml.labels import CIFAR100
from ml.predictor import Predictor
from ml.preprocessing import Preprocessing
from ml.quantise import is_worth_it, quantise
from ml.storage import read_arrays, read_lines, write_arrays, write_bytes, write_json

TITLES = {"vgg": "VGG", "wideresnet": "Wide ResNet"}
GRAPHS = {"int8": artifact.QUANTISED, "float32": artifact.EXACT}
SHAPE = "placed"
SNAPSHOT_PARAMETERS = 10_000_000


class Splits(NamedTuple):
    """CIFAR-100 as training uses it, and its test set."""

    train: data.Split
    held_out: data.Split
    test: data.Split


def export(
    name: str,
    run: Path,
    data_dir: Path,
    out: Path,
    before: Sequence[Path] = (),
    epochs: Sequence[int] | None = None,
) -> artifact.Card:
    """Makes the artifact in ``out`` from the training run in ``run`` and returns its card.

    before: the ``run.json`` of each run that this one started from, the first one first; they go into the card.
    epochs: whose snapshots are shipped; all that the run kept when None.
    """
    summary = json.loads((run / "run.json").read_text(encoding="utf-8"))
    summary["before"] = [json.loads(path.read_text(encoding="utf-8")) for path in before]
    recipe = summary["recipe"]
    options: dict[str, Any] = {"width": recipe["width"]} if recipe.get("width") else {}
    how = Preprocessing(size=data.SIDE, shape=SHAPE)
    splits = Splits(*data.load_for_training(data_dir), data.load(data_dir, "test"))

    keras.mixed_precision.set_dtype_policy("float32")
    network = networks.build(name, size=how.size, **options)
    networks.set_weights(network, read_arrays(run / "weights.npz"))
    _clear(out)
    exact = graph.to_openvino(network, how.size)
    _save(features.attached(exact, name), out / f"{artifact.EXACT}.xml")
    shutil.copyfile(run / "log.jsonl", out / artifact.LOG)
    values: dict[str, Any] = {
        "name": name,
        "title": TITLES.get(name, name),
        "version": "not yet known",
        "architecture": name,
        "options": options,
        "labels": CIFAR100,
        "preprocessing": how.to_dict(),
        "temperature": 1.0,
        "parameters": int(network.count_params()),
        "multiply_adds": networks.multiply_adds(network),
        "layers": networks.layer_table(network),
        "metrics": {},
        "reference_metrics": {},
        "training": summary,
        "files": {},
    }
    _add_files(values, out, artifact.LOG, f"{artifact.EXACT}.xml", f"{artifact.EXACT}.bin")
    served = _quantised(values, exact, splits, how, out)
    values["version"] = f"{name}-{values['files'][f'{GRAPHS[served]}.bin'][:8]}"
    _calibrate(values, splits, served, out)
    _measure(values, splits, served, out)
    _add_snapshots(values, run, splits.held_out, out, epochs)
    pack_exact(values["files"], out)
    card = artifact.Card.from_dict(values, out)
    write_json(out / config.CARD, card.to_dict())
    return card


def _clear(out: Path) -> None:
    """Takes away what an earlier export left, the card first."""
    out.mkdir(parents=True, exist_ok=True)
    (out / config.CARD).unlink(missing_ok=True)
    shutil.rmtree(out / snapshots.FOLDER, ignore_errors=True)
    for file in out.iterdir():
        if file.is_file():
            file.unlink()


def _add_files(values: dict[str, Any], out: Path, *names: str) -> None:
    values["files"] |= {name: artifact.checksum(out / name) for name in names}


def pack_exact(files: dict[str, str], out: Path) -> None:
    """Makes the exact graph's weights smaller, last of all: only the laboratory and the reference engine read them."""
    plain = out / f"{artifact.EXACT}.bin"
    packed = plain.with_name(plain.name + artifact.PACKED)
    write_bytes(packed, packing.pack(plain.read_bytes()))
    plain.unlink()
    del files[plain.name]
    files[packed.name] = artifact.checksum(packed)


def _quantised(values: dict[str, Any], exact: Any, splits: Splits, how: Preprocessing, out: Path) -> str:
    """Adds the int8 graph if it is good enough, and says which precision answers."""
    int8 = features.attached(quantise(exact, splits.train, how), values["architecture"])
    _save(int8, out / f"{artifact.QUANTISED}.xml")
    names = [f"{artifact.QUANTISED}.{end}" for end in ("xml", "bin")]
    _add_files(values, out, *names)
    kept = splits.held_out
    answers = {p: _predictor(values, out, p).logits(kept.images) for p in GRAPHS}
    right = {p: float((logits.argmax(-1) == kept.labels).mean()) for p, logits in answers.items()}
    same = agreement(answers["int8"], answers["float32"], 1.0)["agreement"]
    values["quantisation"] = {"held_out_top1": right, "held_out_agreement": same}
    if is_worth_it(right["float32"] - right["int8"], same):
        return "int8"
    for name in names:
        (out / name).unlink()
        del values["files"][name]
    return "float32"


def _calibrate(values: dict[str, Any], splits: Splits, served: str, out: Path) -> None:
    """Temperature, its slope for covered pictures and the score for what is outside the classes."""
    predictor, kept = _predictor(values, out, served), splits.held_out
    # Pictures that a run before this one was trained on are answered too well to fit a temperature on.
    if all(row.get("held_out") for row in values["training"]["before"]):
        fitted = calibrate.fit_temperature(predictor.logits(kept.images), kept.labels)
        values["temperature"] = round(fitted, 4)
    values["black_slope"] = round(black_slope(_predictor(values, out, served), kept), 4)
    found, arrays = outside.fit(_predictor(values, out, served), splits.train, kept)
    values["outside"] = found
    if arrays:
        write_arrays(out / outside.FILE, arrays)
        _add_files(values, out, outside.FILE)


def _measure(values: dict[str, Any], splits: Splits, served: str, out: Path) -> None:
    """The figures on the test set, as served and in float32."""
    predictor, reference = _predictor(values, out, served), _predictor(values, out, "float32")
    test = splits.test
    logits, exact = predictor.logits(test.images), reference.logits(test.images)
    found = evaluation(predictor, test, logits=logits)
    values["metrics"] = evaluate(predictor, test, logits) | agreement(logits, exact, values["temperature"])
    values["metrics"] |= {"covered_top1": found["covered"]["top1"], "covered_ece": found["covered"]["ece"]}
    values["metrics"] |= {"spread": found["spread"], "hardware": config.processor()}
    values["reference_metrics"] = evaluate(reference, test, exact)
    values["outside"] = {**values["outside"], "test": outside.measure(predictor, test.images)}
    write(out / artifact.EVALUATION, found)
    _add_files(values, out, artifact.EVALUATION)


def _add_snapshots(
    values: dict[str, Any], run: Path, held_out: data.Split, out: Path, epochs: Sequence[int] | None
) -> None:
    """The weights along the run, packed, each with its accuracy on the held-out pictures at the size it learnt at.

    Only of networks small enough to have several: of a large one the repository could not hold them.
    """
    rows = {row["epoch"]: row for row in read_lines(run / "log.jsonl")}
    values["snapshots"] = []
    if values["parameters"] > SNAPSHOT_PARAMETERS:
        return
    paths = sorted((run / "snapshots").glob("*.npz"))
    for path in [p for p in paths if p.stem != "final"] + [p for p in paths if p.stem == "final"]:
        epoch = max(rows) if path.stem == "final" else int(path.stem.removeprefix("epoch-"))
        if epochs is not None and epoch not in epochs:
            continue
        file = f"{snapshots.FOLDER}/{path.name}"
        snapshots.write(out / file, dict(read_arrays(path)))
        _add_files(values, out, file)
        values["snapshots"].append({"epoch": epoch, "size": rows[epoch]["size"], "file": file})
    card = artifact.Card.from_dict(values, out)
    for row in values["snapshots"]:
        predictor = snapshots.load_snapshot(card, row["epoch"])
        pixels = data.resized(held_out.images, row["size"])
        row["accuracy"] = float((predictor.logits(pixels).argmax(-1) == held_out.labels).mean())


def _save(model: Any, path: Path) -> None:
    import openvino

    openvino.save_model(model, path, compress_to_fp16=False)


def _predictor(values: dict[str, Any], out: Path, precision: str) -> Predictor:
    card = artifact.Card.from_dict(values, out)
    return Predictor(card, OpenVinoEngine(card, precision=precision, threads=None))


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the artifact's figures, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.export", description=__doc__.split("\n")[0])
    p.add_argument("model", choices=sorted(networks.ARCHITECTURES))
    p.add_argument("--run", required=True, type=Path, help="folder that ml.train wrote")
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument(
        "--before", type=Path, action="append", default=[], help="run.json of an earlier run of these weights"
    )
    p.add_argument(
        "--snapshot", type=int, action="append", help="epoch whose snapshot is shipped (all unless said)"
    )
    p.add_argument("--out", type=Path, help="folder of the artifact (the shipped one unless said)")
    args = p.parse_args(argv)
    try:
        card = export(
            args.model,
            args.run,
            args.data,
            args.out or config.artifacts_dir() / args.model,
            args.before,
            args.snapshot,
        )
    except (data.DataError, artifact.ArtifactError, ValueError, OSError) as error:
        print(f"ml.export: {error}", file=sys.stderr)
        return 2
    print(
        f"{card.version}: top-1 {card.metrics['top1']:.2%} (float32 {card.reference_metrics['top1']:.2%}), "
        f"ECE {card.metrics['ece']:.4f}, temperature {card.temperature}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
