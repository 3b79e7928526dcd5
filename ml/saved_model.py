"""An artifact as a TensorFlow SavedModel for TensorFlow Serving: ``python -m ml.saved_model MODEL --out DIR``.

Writes ``DIR/MODEL/<number>/``, where the number is one above the highest that is there, because the server offers
the highest; a folder that already offers this artifact's version as its highest is left as it is. Kernels are those
of the exact graph and lie in the graph as constants, which lets TensorFlow prepare them once. Two signatures:

    serving_default      pictures: uint8 (n, size, size, 3), RGB, 0..255; normalised inside. For any client.
    <artifact version>   pictures: string (n), each the bytes of one normalised float32 picture, row by row, little
                         endian. For the workers of this project, who normalise by their own card: the name makes a
                         server with another version refuse instead of answering wrongly.

Both give ``logits`` float32 (n, classes) and ``features`` float32 (n, k), see ``ml.engines.Outputs``. Labels and
temperature are the card's, of which ``assets.extra/card.json`` is a copy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from ml import artifact, config, engines
from ml.artifact import Card
from ml.storage import write_json

DEFAULT = "serving_default"
CARD_COPY = Path("assets.extra") / config.CARD


def export(card: Card, out: Path) -> Path:
    """Writes the SavedModel of ``card`` below ``out`` and returns its folder, ``out/<name>/<number>``.

    Raises ArtifactError for missing or damaged files, ValueError for an architecture that ``ml.networks`` does not
    define and OSError where the folder cannot be written.
    """
    root = out / card.name
    root.mkdir(parents=True, exist_ok=True)
    highest = max(numbers(root), default=0)
    if highest and version_in(root / str(highest)) == card.version:
        return root / str(highest)
    # A server that watches the folder must not see half of it, and takes only numbers for versions.
    unfinished = Path(tempfile.mkdtemp(dir=root, prefix=".unfinished-"))
    try:
        unfinished.chmod(0o755)
        _save(card, unfinished)
        write_json(unfinished / CARD_COPY, card.to_dict())
        return unfinished.rename(root / str(highest + 1))
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def numbers(root: Path) -> list[int]:
    """The version numbers in a network's folder, in rising order."""
    return sorted(int(path.name) for path in root.iterdir() if path.name.isdecimal() and path.is_dir())


def version_in(folder: Path) -> str | None:
    """The artifact's version of which ``folder`` is the SavedModel, or None when nothing says so."""
    try:
        return str(json.loads((folder / CARD_COPY).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(card: Card, folder: Path) -> None:
    import tensorflow as tf

    network = engines.keras_network(card)
    size = card.size
    weights = [
        [variable.numpy() for variable in group]
        for group in (network.trainable_variables, network.non_trainable_variables)
    ]
    mean, std = (
        np.asarray(values, np.float32) for values in (card.preprocessing.mean, card.preprocessing.std)
    )

    def traced(function: Callable[[Any], Any], kind: Any, *shape: int | None) -> Any:
        signature = [tf.TensorSpec(shape, kind, name="pictures")]
        return tf.function(function, input_signature=signature).get_concrete_function()

    def answer(pictures: Any) -> dict[str, Any]:
        # Turned into tensors in here, where they become constants of the graph.
        constants = [[tf.constant(values) for values in group] for group in weights]
        (logits, features), _ = network.stateless_call(*constants, pictures, training=False)
        return {engines.LOGITS: logits, engines.FEATURES: features}

    # A function of its own, which both signatures call: the constants are stored once.
    inner = traced(answer, tf.float32, None, size, size, 3)

    def from_pixels(pictures: Any) -> dict[str, Any]:
        return inner(tf.cast(pictures, tf.float32) * (1 / (np.float32(255) * std)) - mean / std)

    def from_bytes(pictures: Any) -> dict[str, Any]:
        values = tf.io.decode_raw(pictures, tf.float32, little_endian=True)
        return inner(tf.reshape(values, (-1, size, size, 3)))

    signatures = {
        DEFAULT: traced(from_pixels, tf.uint8, None, size, size, 3),
        card.version: traced(from_bytes, tf.string, None),
    }
    try:
        tf.saved_model.save(tf.Module(), str(folder), signatures=signatures)
    except tf.errors.OpError as error:
        raise OSError(f"the SavedModel cannot be written: {error.message}") from error


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and where the SavedModel lies, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.saved_model", description=__doc__.split("\n")[0])
    p.add_argument(
        "model", help="a network with an artifact: " + (", ".join(config.artifact_names()) or "none")
    )
    p.add_argument("--out", required=True, type=Path, help="folder that TensorFlow Serving is given")
    args = p.parse_args(argv)
    try:
        card = artifact.load_card(args.model)
        folder = export(card, args.out)
    except (artifact.ArtifactError, ValueError, OSError) as error:
        print(f"ml.saved_model: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder} offers {card.version} ({size / 1e6:.0f} MB).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
