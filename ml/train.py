"""Train a network on CIFAR-100: ``python -m ml.train MODEL --data DIR --out DIR``.

Runs unchanged on TensorFlow, JAX and PyTorch (``KERAS_BACKEND``), on CPU and GPU. ``--out`` receives

    checkpoint.npz   everything that resuming needs, replaced every few minutes
    log.jsonl        one line an epoch: loss, accuracies, rate, size, seconds
    snapshots/       the weights after epochs 1, 2, 5, 10, 20 and at the end, float16
    weights.npz      the result: the average of the weights, batch-normalisation statistics estimated anew
    run.json         recipe, data, hardware, time, and the file that the run started from

A run that was stopped at any moment goes on from its checkpoint and repeats the same steps.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ml import augment, data, networks
from ml.artifact import checksum
from ml.recipe import Recipe, parse_phases
from ml.step import AveragedSGD, OneCycle, TrainingStep
from ml.storage import append_line, read_arrays, write_arrays, write_json

ORIGIN = "started-from.json"
SNAPSHOT_EPOCHS = (1, 2, 5, 10, 20)
CHECKPOINT_SECONDS = 240.0
STATISTICS_BATCHES = 80


class _Progress(keras.callbacks.Callback):
    """A bar on a terminal, nothing elsewhere: a log file gets its line at the end of the epoch."""

    def __init__(self, epoch: int, epochs: int, done: int, steps: int) -> None:
        super().__init__()
        self.label = f"epoch {epoch + 1}/{epochs}"
        self.done, self.steps, self.start = done, steps, time.monotonic()
        self.first = done

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.done += 1
        if not sys.stderr.isatty():
            return
        filled = 30 * self.done // self.steps
        pace = (time.monotonic() - self.start) / (self.done - self.first)
        left = pace * (self.steps - self.done)
        bar = "#" * filled + "-" * (30 - filled)
        sys.stderr.write(f"\r{self.label} [{bar}] {self.done}/{self.steps}, {left:.0f} s left ")
        sys.stderr.flush()


class Run:
    """One training run in one folder."""

    def __init__(
        self,
        recipe: Recipe,
        train: data.Split,
        held_out: data.Split,
        out: Path,
        teacher: NDArray[Any] | None = None,
    ) -> None:
        self.recipe, self.train, self.held_out, self.out = recipe, train, held_out, out
        self.teacher = teacher
        keras.mixed_precision.set_dtype_policy(recipe.precision)
        keras.utils.set_random_seed(recipe.seed)
        self.network = network_of(recipe)
        self.steps = recipe.steps_per_epoch(len(train))
        total = self.steps * recipe.epochs
        self.optimizer = AveragedSGD(
            OneCycle(recipe, total),
            momentum=recipe.momentum,
            nesterov=True,
            use_ema=True,
            ema_momentum=recipe.ema,
        )
        self.optimizer.build(self.network.trainable_variables)
        self.step: TrainingStep | None = None
        self.epoch, self.step_in_epoch, self.seconds = 0, 0, 0.0
        self.loss_sum, self.hit_sum = 0.0, 0.0
        self.seed_state: NDArray[Any] | None = None

    # -- checkpoint ----------------------------------------------------------------------------------

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.npz"

    def save(self) -> None:
        assert self.step is not None
        arrays = {f"network/{i}": ops.convert_to_numpy(v) for i, v in enumerate(self.network.variables)}
        arrays |= {f"optimizer/{i}": ops.convert_to_numpy(v) for i, v in enumerate(self.optimizer.variables)}
        arrays["seed"] = ops.convert_to_numpy(self.step.seed.state)
        arrays["place"] = np.array(
            [self.epoch, self.step_in_epoch, self.seconds, self.loss_sum, self.hit_sum], np.float64
        )
        write_arrays(self.checkpoint, arrays)

    def restore(self) -> None:
        saved = read_arrays(self.checkpoint)
        for part, variables in (("network", self.network.variables), ("optimizer", self.optimizer.variables)):
            for i, variable in enumerate(variables):
                variable.assign(saved[f"{part}/{i}"])
        self.seed_state = saved["seed"]
        epoch, step, self.seconds, self.loss_sum, self.hit_sum = saved["place"]
        self.epoch, self.step_in_epoch = int(epoch), int(step)

    # -- training ------------------------------------------------------------------------------------

    def _prepare(self, size: int) -> TrainingStep:
        """The step for pictures of ``size`` pixels, with the random state carried over."""
        state = ops.convert_to_numpy(self.step.seed.state) if self.step is not None else self.seed_state
        step = TrainingStep(
            self.network, data.resized(self.train.images, size), self.train.labels, self.recipe, self.teacher
        )
        if state is not None:
            step.seed.state.assign(state)
        step.compile(optimizer=self.optimizer, jit_compile=_jit())
        return step

    def run(self) -> None:
        """Trains to the end, from the checkpoint if there is one."""
        if self.checkpoint.is_file():
            self.restore()
            print(f"Resuming at epoch {self.epoch + 1}, step {self.step_in_epoch}.", flush=True)
        while self.epoch < self.recipe.epochs:
            size = self.recipe.size_at(self.epoch)
            if self.step is None or self.step.side != size:
                self.step = self._prepare(size)
            self._run_epoch(self.step)
        self._finish()

    def _run_epoch(self, step: TrainingStep) -> None:
        order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(len(self.train))
        step.cutmix.assign(self.recipe.cutmix_at(self.epoch))
        segment = self.steps if self.steps <= 16 else 16
        while self.step_in_epoch < self.steps:
            start = time.monotonic()
            count = min(segment, self.steps - self.step_in_epoch)
            first = self.step_in_epoch * self.recipe.batch
            index = order[first : first + count * self.recipe.batch].astype(np.int32)
            progress = _Progress(self.epoch, self.recipe.epochs, self.step_in_epoch, self.steps)
            history = step.fit(
                **_batches(index, self.recipe.batch), shuffle=False, verbose=0, callbacks=[progress]
            ).history
            took = time.monotonic() - start
            self.seconds += took
            self.step_in_epoch += count
            self.loss_sum += history["loss"][-1] * count
            self.hit_sum += history["accuracy"][-1] * count
            if not np.isfinite(self.loss_sum):
                raise TrainingError(
                    f"The loss became {self.loss_sum} in epoch {self.epoch + 1}: lower --peak-rate."
                )
            # Segments as long as the time between checkpoints, so that the host is rarely in the way.
            segment = max(16, min(self.steps, int(count * CHECKPOINT_SECONDS / max(took, 1e-3))))
            if self.step_in_epoch < self.steps:
                self.save()
        self._end_epoch(step)

    def _end_epoch(self, step: TrainingStep) -> None:
        size = self.recipe.size_at(self.epoch)
        val_loss, val_accuracy = evaluate(self.network, self.held_out, size)
        row = {
            "epoch": self.epoch + 1,
            "size": size,
            "rate": self.recipe.rate_at((self.epoch + 1) * self.steps, self.recipe.epochs * self.steps),
            "train_loss": self.loss_sum / self.steps,
            "train_accuracy": self.hit_sum / self.steps,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "seconds": round(self.seconds, 1),
        }
        self.epoch += 1
        if self.epoch in SNAPSHOT_EPOCHS:
            self._snapshot(f"epoch-{self.epoch:03d}")
        # The line goes out before the checkpoint; a line repeated by a kill in between is dropped on reading.
        append_line(self.out / "log.jsonl", row)
        self.step_in_epoch, self.loss_sum, self.hit_sum = 0, 0.0, 0.0
        self.save()
        print(json.dumps(row), flush=True)

    def _snapshot(self, name: str) -> None:
        values = {
            k: v.astype(np.float16) if v.ndim > 1 else v
            for k, v in networks.get_weights(self.network).items()
        }
        write_arrays(self.out / "snapshots" / f"{name}.npz", values)

    def _finish(self) -> None:
        """Puts the average of the weights in place and estimates the batch statistics that belong to it."""
        self.optimizer.put_average(self.network.trainable_variables)
        size = self.recipe.size_at(self.recipe.epochs - 1)
        estimate_statistics(self.network, self.train, size, self.recipe)
        loss, accuracy = evaluate(self.network, self.held_out, size)
        write_arrays(self.out / "weights.npz", networks.get_weights(self.network))
        self._snapshot("final")
        origin = self.out / ORIGIN
        write_json(
            self.out / "run.json",
            {
                "recipe": self.recipe.to_dict(),
                "backend": keras.backend.backend(),
                "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
                "pictures": len(self.train),
                "held_out": len(self.held_out),
                "val_loss": loss,
                "val_accuracy": accuracy,
                "training_seconds": round(self.seconds, 1),
                "started_from": json.loads(origin.read_text(encoding="utf-8")) if origin.is_file() else None,
            },
        )
        print(f"Held-out accuracy {accuracy:.4f} after {self.seconds / 60:.1f} minutes.", flush=True)


class TrainingError(Exception):
    """Training cannot go on; the message is one sentence."""


def network_of(recipe: Recipe) -> keras.Model:
    """The network that a run with this recipe trains, with fresh weights, for pictures of any size."""
    options: dict[str, Any] = {"size": None, "dropout": recipe.dropout}
    if recipe.width:
        options["width"] = recipe.width
    network = networks.build(recipe.model, **options)
    for layer in _layers(network, recipe.freeze):
        layer.trainable = False
    return network


def last_weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of the last step of a run, from its checkpoint, instead of their average in ``weights.npz``.

    Their batch-normalisation statistics are the moving ones. Raises OSError or TrainingError.
    """
    network = network_of(_stored_recipe(folder / "recipe.json"))
    saved = read_arrays(folder / "checkpoint.npz")
    for i, variable in enumerate(network.variables):
        variable.assign(saved[f"network/{i}"])
    return networks.get_weights(network)


def _layers(network: keras.Model, names: tuple[str, ...]) -> list[keras.layers.Layer]:
    known = {networks.layer_name(layer): layer for layer in network.layers}
    if missing := [name for name in names if name not in known]:
        raise ValueError(f"{network.name} has no layer {', '.join(missing)}")
    return [known[name] for name in names]


def _jit() -> bool:
    """XLA where it helps: always on JAX; on TensorFlow only with a GPU, its CPU convolutions being slower."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    return backend == "jax"


def _batches(index: NDArray[np.int32], size: int) -> dict[str, Any]:
    """``fit``'s arguments for ``index`` in batches of ``size``, on the backend in use.

    What Keras makes of an array for TensorFlow tunes itself: a thread that sleeps twice as long each time, up to a
    minute, and that ``fit`` waits for at its end, so that ten seconds of steps may take twenty.
    """
    if keras.backend.backend() != "tensorflow":
        return {"x": index, "batch_size": size}
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return {"x": tf.data.Dataset.from_tensor_slices(index).batch(size).with_options(options)}


def logits_of(
    network: keras.Model, images: NDArray[np.uint8], size: int, *, batch: int = 250
) -> NDArray[np.float32]:
    """(n, classes) of uint8 pictures (n, h, w, 3), seen at ``size`` pixels."""
    pictures = data.resized(images, size)
    parts = [pictures[first : first + batch] for first in range(0, len(pictures), batch)]
    return np.concatenate(
        [network.predict_on_batch(augment.normalise(part.astype(np.float32))) for part in parts]
    )


def evaluate(network: keras.Model, split: data.Split, size: int, *, batch: int = 250) -> tuple[float, float]:
    """(mean cross-entropy, accuracy) of ``network`` on ``split`` at ``size`` pixels."""
    logits = logits_of(network, split.images, size, batch=batch).astype(np.float64)
    shifted = logits - logits.max(-1, keepdims=True)
    log_likelihood = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    loss = -log_likelihood[np.arange(len(split)), split.labels].mean()
    return float(loss), float((logits.argmax(-1) == split.labels).mean())


def estimate_statistics(network: keras.Model, train: data.Split, size: int, recipe: Recipe) -> None:
    """Batch-normalisation means and variances anew, as the plain average over augmented training batches.

    The moving ones belong to the weights as they moved, not to their average (Izmailov et al., 2018, section 3).
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    rng = np.random.default_rng((recipe.seed, 1_000_003))
    order = rng.permutation(len(train))
    batches = max(1, min(STATISTICS_BATCHES, len(train) // recipe.batch))
    for i in range(batches):
        chosen = order[i * recipe.batch : (i + 1) * recipe.batch]
        pixels = data.resized(train.images[chosen], size)
        flip = rng.random(len(pixels)) < 0.5
        pixels[flip] = pixels[flip, :, ::-1]
        for norm in norms:
            norm.momentum = i / (i + 1)
        network(np.asarray(augment.normalise(pixels.astype(np.float32))), training=True)
    for norm in norms:
        norm.momentum = networks.BATCH_NORM_MOMENTUM


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    p = argparse.ArgumentParser(prog="python -m ml.train", description=__doc__.split("\n")[0])
    p.add_argument("model", choices=sorted(networks.ARCHITECTURES))
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument(
        "--out", required=True, type=Path, help="folder of this run; resumed if it holds a checkpoint"
    )
    p.add_argument("--init-from", type=Path, help="weights (.npz) to start from")
    p.add_argument("--epochs", type=int, default=40)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--peak-rate", type=float, default=0.1)
    p.add_argument("--warm-up", type=float, default=0.25)
    p.add_argument("--weight-decay", type=float, default=5e-4)
    p.add_argument("--label-smoothing", type=float, default=0.1)
    p.add_argument("--cutmix", type=float, default=0.5)
    p.add_argument("--cutmix-until", type=float, default=0.9)
    p.add_argument("--ema", type=float, default=0.998)
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--width", type=int, help="width factor of the Wide ResNet (10 unless said)")
    p.add_argument("--jitter", type=float, default=0.0, help="share of the pictures that is scaled")
    p.add_argument("--zoom", type=float, default=1.3)
    p.add_argument("--stretch", type=float, default=1.2)
    p.add_argument("--blur", type=float, default=0.0, help="share of the pictures that is softened")
    p.add_argument("--cover", type=float, default=0.0, help="share of the pictures that gets a black bar")
    p.add_argument("--teacher", type=Path, help="a teacher's answers, written by ml.teach, to distil from")
    p.add_argument("--distill", type=float, help="weight of the teacher's answers (0.7 with a teacher)")
    p.add_argument("--distill-temperature", type=float, default=2.0)
    p.add_argument("--phases", default="32:1", help="SIZE:UNTIL,... such as 16:0.3,24:0.65,32:1")
    p.add_argument("--precision", default="mixed_bfloat16", choices=["float32", "mixed_bfloat16"])
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--freeze", type=_names, default=(), help="LAYER,... that keep their first values")
    p.add_argument("--limit", type=int, help="train on this many pictures only, for trying things out")
    return p


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def recipe_from(args: argparse.Namespace) -> Recipe:
    """The recipe that the options describe. Raises ValueError."""
    skipped = {"data", "out", "init_from", "phases", "teacher", "distill"}
    values = {k: v for k, v in vars(args).items() if k not in skipped}
    if args.teacher:
        values["teacher"] = checksum(args.teacher)[:16]
    distill = args.distill if args.distill is not None else (0.7 if args.teacher else 0.0)
    return Recipe(phases=parse_phases(args.phases), distill=distill, **values)


def _teacher(path: Path, train: data.Split) -> NDArray[Any]:
    """The answers of ``ml.teach``, which must be about the same pictures in the same order."""
    answers = read_arrays(path)
    if "logits" not in answers or not np.array_equal(answers.get("labels", []), train.labels):
        raise TrainingError(f"{path} holds no answers to these training pictures: make it with ml.teach.")
    return answers["logits"]


def _stored_recipe(path: Path) -> Recipe:
    try:
        return Recipe.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise TrainingError(
            f"{path} is not a recipe ({error}): choose another --out or remove it."
        ) from error


def start(args: argparse.Namespace) -> None:
    """Trains as the options say, or goes on. Raises DataError, TrainingError, ValueError or OSError."""
    recipe = recipe_from(args)
    train, held_out = data.load_for_training(args.data)
    teacher = _teacher(args.teacher, train) if args.teacher else None
    if recipe.limit:
        chosen = np.random.default_rng(recipe.seed).permutation(len(train))[: recipe.limit]
        train, held_out = train.take(chosen), held_out.take(chosen[:200] % len(held_out))
        teacher = teacher[chosen] if teacher is not None else None
    args.out.mkdir(parents=True, exist_ok=True)
    stored = args.out / "recipe.json"
    if stored.is_file() and _stored_recipe(stored) != recipe:
        raise TrainingError(f"{args.out} holds a run with another recipe: choose another --out or remove it.")
    write_json(stored, recipe.to_dict())
    run = Run(recipe, train, held_out, args.out, teacher)
    if args.init_from and not run.checkpoint.is_file():
        networks.set_weights(run.network, dict(read_arrays(args.init_from)))
        write_json(args.out / ORIGIN, {"file": args.init_from.name, "sha256": checksum(args.init_from)})
    run.run()


def main(argv: list[str] | None = None) -> int:
    """The command: 0 when trained, 2 for options or data that cannot work, 1 for the disk, 130 when stopped."""
    args = parser().parse_args(argv)
    try:
        start(args)
    except (data.DataError, TrainingError, ValueError) as error:
        print(f"ml.train: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ml.train: {error.strerror or error} ({error.filename or args.out}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nml.train: stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
