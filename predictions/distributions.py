"""The probabilities of all classes for one run, of which its row names five."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import models

if TYPE_CHECKING:
    from predictions.models import Prediction


class Distribution(models.Model):
    """The probabilities of all classes for one run, beside the five that its row names.

    A table of its own, because only a comparison reads it and the history is read often.
    """

    run = models.OneToOneField(
        "predictions.Prediction", models.CASCADE, primary_key=True, related_name="distribution"
    )
    # float32, little-endian, in the order of the network's labels.
    probabilities = models.BinaryField()

    @classmethod
    def of(cls, run: Prediction, probabilities: Any) -> Distribution:
        return cls(run=run, probabilities=np.asarray(probabilities, "<f4").tobytes())

    @property
    def values(self) -> list[float]:
        """The probability of every class, by its index."""
        return [float(value) for value in np.frombuffer(bytes(self.probabilities), "<f4")]

    def __str__(self) -> str:
        return str(self.run_id)
