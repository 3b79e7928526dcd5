"""What a trained network says of every training picture.

    python -m ml.teach MODEL --weights FILE --data DIR --out FILE

The answers are the soft targets of a distillation (``ml.train --teacher``). They are computed once, in OpenVINO, as
the mean logits of a few views of each picture (as it is and mirrored, in place and shifted), because a teacher
that answers inside every training step would cost as much as the student.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray

from ml import data, graph, networks
from ml.preprocessing import Preprocessing, normalise
from ml.storage import read_arrays, write_arrays

BATCH = 64
SHIFTS = ((0, 0), (2, -2))


def views(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """uint8 (n, h, w, 3) -> the views whose logits are averaged, each of the same shape; borders are reflected."""
    seen = []
    height, width = images.shape[1:3]
    for down, right in SHIFTS:
        pad = max(abs(down), abs(right))
        padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
        moved = padded[:, pad + down : pad + down + height, pad + right : pad + right + width]
        seen += [moved, moved[:, :, ::-1]]
    return seen


def soft_targets(network: Any, images: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Mean logits over ``views``, float16 (n, classes), of a Keras network on uint8 (n, size, size, 3)."""
    import openvino

    size = images.shape[1]
    # bfloat16 is enough here: soft targets are smooth, and it is twice as quick.
    compiled = openvino.Core().compile_model(
        graph.to_openvino(network, size), "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}
    )
    how = Preprocessing(size)
    total: NDArray[np.float64] | None = None
    seen = views(images)
    for number, view in enumerate(seen, 1):
        rows = [
            np.array(compiled([normalise(np.ascontiguousarray(view[i : i + BATCH]), how)])[0])
            for i in range(0, len(view), BATCH)
        ]
        logits = np.concatenate(rows).astype(np.float64)
        total = logits if total is None else total + logits
        print(f"view {number} of {len(seen)} done", file=sys.stderr, flush=True)
    assert total is not None
    return (total / len(seen)).astype(np.float16)


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the teacher's accuracy on what it was asked, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.teach", description=__doc__.split("\n")[0])
    p.add_argument("model", choices=sorted(networks.ARCHITECTURES))
    p.add_argument("--weights", required=True, type=Path, help="the teacher's weights (.npz)")
    p.add_argument("--width", type=int, help="width factor of the Wide ResNet (10 unless said)")
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument("--out", required=True, type=Path, help="file to write (.npz)")
    args = p.parse_args(argv)
    try:
        options: dict[str, Any] = {"width": args.width} if args.width else {}
        network = networks.build(args.model, size=data.SIDE, **options)
        networks.set_weights(network, dict(read_arrays(args.weights)))
        train, held_out = data.load_for_training(args.data)
        logits = soft_targets(network, train.images)
        kept = soft_targets(network, held_out.images)
        write_arrays(args.out, {"logits": logits, "labels": train.labels.astype(np.int16)})
    except (data.DataError, ValueError, OSError) as error:
        print(f"ml.teach: {error}", file=sys.stderr)
        return 2
    right = (logits.argmax(-1) == train.labels).mean()
    right_kept = (kept.argmax(-1) == held_out.labels).mean()
    print(
        f"{len(logits)} training pictures, {right:.2%} named as labelled; {right_kept:.2%} of the {len(kept)} held out."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
