"""From a training run to a shipped artifact: ``python -m ml.export MODEL --run DIR --data DIR``.

Writes the exact graph, quantises it to int8 (NNCF, calibrated on training pictures), fits the temperature on the
fixed 2,000 held-out training pictures with the logits of the engine that serves, measures both on the test set,
and writes the card last, so that a half-written artifact is never offered.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from ml import artifact, calibrate, config, data, graph, networks
from ml.evaluate import agreement, evaluate
from ml.labels import CIFAR100
from ml.predictor import OpenVinoEngine, Predictor
from ml.preprocessing import Preprocessing, normalise
from ml.storage import read_arrays, write_json

TITLES = {"vgg": "VGG", "wideresnet": "Wide ResNet"}
CALIBRATION_PICTURES = 1000


def export(name: str, run: Path, data_dir: Path, out: Path) -> artifact.Card:
    """Makes the artifact in ``out`` from the training run in ``run`` and returns its card."""
    summary = json.loads((run / "run.json").read_text(encoding="utf-8"))
    recipe = summary["recipe"]
    options: dict[str, Any] = {"width": recipe["width"]} if recipe.get("width") else {}
    how = Preprocessing(size=32)
    train, held_out = data.load_for_training(data_dir)
    test = data.load(data_dir, "test")

    keras.mixed_precision.set_dtype_policy("float32")
    network = networks.build(name, size=how.size, **options)
    networks.set_weights(network, read_arrays(run / "weights.npz"))
    out.mkdir(parents=True, exist_ok=True)
    (out / config.CARD).unlink(missing_ok=True)
    exact = graph.to_openvino(network, how.size)
    _save(exact, out / f"{artifact.EXACT}.xml")
    _save(quantise(exact, train, how), out / f"{artifact.QUANTISED}.xml")
    shutil.copyfile(run / "log.jsonl", out / artifact.LOG)

    names = [f"{g}.{end}" for g in (artifact.EXACT, artifact.QUANTISED) for end in ("xml", "bin")]
    files = {file: artifact.checksum(out / file) for file in (*names, artifact.LOG)}
    values: dict[str, Any] = {
        "name": name,
        "title": TITLES.get(name, name),
        "version": f"{name}-{files[f'{artifact.QUANTISED}.bin'][:8]}",
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
        "training": {key: summary[key] for key in summary},
        "files": files,
    }
    served = _predictor(values, out, "int8")
    values["temperature"] = round(
        calibrate.fit_temperature(served.logits(held_out.images), held_out.labels), 4
    )
    served, reference = _predictor(values, out, "int8"), _predictor(values, out, "float32")
    values["metrics"] = evaluate(served, test)
    values["reference_metrics"] = evaluate(reference, test)
    values["metrics"] |= agreement(
        served.logits(test.images), reference.logits(test.images), values["temperature"]
    )
    values["metrics"]["hardware"] = config.processor()
    card = artifact.Card.from_dict(values, out)
    write_json(out / config.CARD, card.to_dict())
    return card


def quantise(model: Any, train: data.Split, how: Preprocessing) -> Any:
    """Post-training quantisation to int8 (NNCF), calibrated on training pictures, ten of each class."""
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet
    from openvino._offline_transformations import apply_moc_transformations

    folded = model.clone()
    # Batch normalisation goes into the kernels first, so that quantisation sees the weights that are computed with.
    apply_moc_transformations(folded, cf=False)
    _, chosen = data.split_off(train, CALIBRATION_PICTURES // len(np.unique(train.labels)), seed=1)
    pictures = normalise(chosen.images, how)
    order = np.random.default_rng(0).permutation(len(pictures))
    batches = [pictures[order[i : i + 1]] for i in range(len(order))]
    return nncf.quantize(
        folded,
        nncf.Dataset(batches),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(batches),
        fast_bias_correction=False,
        # The whole range that was seen. The default, a mean of the pictures' extremes, cuts the strongest activations
        # off: its logits are three times as far from the exact ones, and drawings at once get another sure answer.
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )


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
    p.add_argument("--out", type=Path, help="folder of the artifact (the shipped one unless said)")
    args = p.parse_args(argv)
    try:
        card = export(args.model, args.run, args.data, args.out or config.artifacts_dir() / args.model)
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
