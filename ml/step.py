"""One training step: learning rate, optimizer, and augmentation, network and loss traced together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ml import augment
from ml.recipe import Recipe


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """``Recipe.rate_at`` as a traced schedule: a table, looked up by the optimizer's own step count."""

    def __init__(self, recipe: Recipe, total: int) -> None:
        self.table = np.array([recipe.rate_at(step, total) for step in range(total + 1)], np.float32)

    def __call__(self, step: Any) -> Any:
        last = len(self.table) - 1
        return ops.take(ops.convert_to_tensor(self.table), ops.minimum(ops.cast(step, "int32"), last))

    def get_config(self) -> dict[str, Any]:
        return {"table": self.table.tolist()}


class AveragedSGD(keras.optimizers.SGD):
    """SGD with a moving average of the weights beside them, which begins at the weights after the first step."""

    def finalize_variable_values(self, var_list: Any) -> None:
        # Every ``fit`` ends with this call, and a run is many: the weights would be thrown back each time.
        pass

    def put_average(self, variables: Any) -> None:
        """Assigns the average to ``variables``."""
        super().finalize_variable_values(variables)


class TrainingStep(keras.Model):
    """Indices in, loss out: augmentation, network and loss as one traced step around ``network``."""

    def __init__(
        self,
        network: keras.Model,
        pixels: NDArray[np.uint8],
        labels: NDArray[Any],
        recipe: Recipe,
        teacher: NDArray[Any] | None = None,
    ) -> None:
        # Its own variables (data, targets, share of CutMix) must not be cast down by a mixed policy.
        super().__init__(name="training_step", dtype="float32")
        self.network = network
        self.recipe = recipe
        self.side = pixels.shape[1]
        self.classes = int(network.output.shape[-1])
        self.pixels = self.add_weight(
            shape=(pixels.size // 3, 3), dtype="uint8", initializer="zeros", trainable=False, name="pixels"
        )
        self.pixels.assign(pixels.reshape(-1, 3))
        self.targets = self.add_weight(
            shape=labels.shape, dtype="int32", initializer="zeros", trainable=False, name="targets"
        )
        self.targets.assign(labels)
        self.teacher = None
        if teacher is not None:
            self.teacher = self.add_weight(
                shape=teacher.shape, dtype="float32", initializer="zeros", trainable=False, name="teacher"
            )
            self.teacher.assign(_softened(teacher, recipe.distill_temperature))
        self.cutmix = self.add_weight(
            shape=(), dtype="float32", initializer="zeros", trainable=False, name="cutmix"
        )
        self.seed = keras.random.SeedGenerator(recipe.seed)
        self.hits = keras.metrics.Mean(name="accuracy")
        self.built = True

    @property
    def kernels(self) -> list[Any]:
        # Not an attribute: Keras would track the list and change the order of the trainable variables.
        return [layer.kernel for layer in self.network.layers if isinstance(layer, keras.layers.Conv2D)]

    def call(self, index: Any, training: bool = False) -> tuple[Any, Any]:
        index = ops.cast(index, "int32")
        pictures = self._pictures(index)
        targets = ops.one_hot(ops.take(self.targets, index), self.classes, dtype="float32")
        if self.teacher is not None:
            # Beside the labels, so that CutMix mixes both by the same share.
            targets = ops.concatenate([targets, ops.take(self.teacher, index, axis=0)], axis=-1)
        pictures, targets = augment.cutmix(pictures, targets, self.seed, self.cutmix)
        return self.network(augment.normalise(pictures), training=training), targets

    def _pictures(self, index: Any) -> Any:
        recipe, shift = self.recipe, self.side // 8
        if recipe.jitter:
            pictures = augment.scale_and_crop(
                self.pixels,
                index,
                self.side,
                self.seed,
                shift=shift,
                jitter=recipe.jitter,
                zoom=recipe.zoom,
                stretch=recipe.stretch,
            )
        else:
            pictures = augment.crop_and_flip(self.pixels, index, self.side, self.seed, shift=shift)
        if recipe.blur:
            pictures = augment.blur(pictures, self.seed, recipe.blur)
        return augment.cover(pictures, self.seed, recipe.cover) if recipe.cover else pictures

    def compute_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True
    ) -> Any:
        logits, targets = y_pred
        smooth, distill = self.recipe.label_smoothing, self.recipe.distill
        softened = targets[:, : self.classes] * (1.0 - smooth) + smooth / self.classes
        loss = ops.mean(keras.losses.categorical_crossentropy(softened, logits, from_logits=True))
        if self.teacher is not None:
            # Hinton et al., 2015, section 2: gradients of soft targets shrink with the temperature's square.
            heat = self.recipe.distill_temperature
            soft = keras.losses.categorical_crossentropy(
                targets[:, self.classes :], logits / heat, from_logits=True
            )
            loss = (1.0 - distill) * loss + distill * heat**2 * ops.mean(soft)
        penalty = sum(ops.sum(ops.square(kernel)) for kernel in self.kernels)
        return loss + 0.5 * self.recipe.weight_decay * penalty

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        logits, targets = y_pred
        right = ops.equal(ops.argmax(logits, -1), ops.argmax(targets[:, : self.classes], -1))
        self.hits.update_state(ops.cast(right, "float32"))
        return self.get_metrics_result()


def _softened(logits: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """Softmax over the last axis of ``logits / temperature``."""
    scaled = np.asarray(logits, np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(-1, keepdims=True), np.float32)
