"""What a training run is: every choice that decides its result, stored beside it so that resuming is safe."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

SHARES = (
    "warm_up",
    "momentum",
    "label_smoothing",
    "cutmix",
    "cutmix_until",
    "ema",
    "dropout",
    "jitter",
    "blur",
    "cover",
    "distill",
)
"""The fields of a recipe that lie between 0 and 1."""


@dataclass(frozen=True)
class Phase:
    """Pictures of ``size`` pixels until the share ``until`` of all epochs has passed."""

    size: int
    until: float


@dataclass(frozen=True)
class Recipe:
    """SGD with Nesterov momentum under one one-cycle rate (Smith and Topin, 2018).

    weight_decay is the L2 penalty's factor and acts on convolution kernels only. cutmix is the share of batches
    that are mixed, until the share ``cutmix_until`` of the epochs. zoom and stretch are the largest factors by
    which ``jitter``, a share of the pictures, is enlarged or reduced and squeezed; blur and cover are the shares
    of the pictures that are softened and that get a black bar. distill is the weight of a teacher's answers
    against that of the labels (Hinton et al., 2015), ``teacher`` the checksum of the file that holds them. ema is
    the decay a step of the average of the weights that is shipped. phases resize the pictures progressively. freeze
    names layers that keep the values they start with, so that ``ml.beside`` can share them.
    """

    model: str
    epochs: int
    batch: int = 128
    peak_rate: float = 0.1
    warm_up: float = 0.25
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    cutmix: float = 0.5
    cutmix_until: float = 0.9
    ema: float = 0.998
    dropout: float = 0.1
    width: int | None = None
    seed: int = 0
    precision: str = "mixed_bfloat16"
    phases: tuple[Phase, ...] = (Phase(32, 1.0),)
    limit: int | None = None
    jitter: float = 0.0
    zoom: float = 1.3
    stretch: float = 1.2
    blur: float = 0.0
    cover: float = 0.0
    distill: float = 0.0
    distill_temperature: float = 2.0
    teacher: str = ""
    freeze: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "width", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("seed", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0")
        if not 0 < self.peak_rate < 10:
            raise ValueError("peak_rate must be above 0 and below 10")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")
        for name in ("zoom", "stretch"):
            if not 1 <= getattr(self, name) <= 2:
                raise ValueError(f"{name} must be between 1 and 2")
        self._check_distillation()
        shares = [0.0, *(p.until for p in self.phases)]
        if not self.phases or not shares[-1] >= 1 or shares != sorted(shares):
            raise ValueError("phases must rise and the last must end at 1")

    def _check_distillation(self) -> None:
        if not 0.1 <= self.distill_temperature <= 20:
            raise ValueError("distill_temperature must be between 0.1 and 20")
        if (self.distill > 0) != bool(self.teacher):
            raise ValueError("distill above 0 and a teacher belong together")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        values = dict(data)
        values["phases"] = tuple(Phase(**p) for p in values["phases"])
        values["freeze"] = tuple(values.get("freeze", ()))
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        values["phases"] = [asdict(p) for p in self.phases]
        values["freeze"] = list(self.freeze)
        return values

    def size_at(self, epoch: int) -> int:
        """Side of the pictures in epoch ``epoch``, counted from 0."""
        share = epoch / self.epochs
        return next(p.size for p in self.phases if share < p.until or p is self.phases[-1])

    def cutmix_at(self, epoch: int) -> float:
        """Share of the batches that CutMix mixes in epoch ``epoch``."""
        return self.cutmix if epoch < self.epochs * self.cutmix_until else 0.0

    def steps_per_epoch(self, pictures: int) -> int:
        return max(1, pictures // self.batch)

    def rate_at(self, step: int, total: int) -> float:
        """The learning rate of a step: cosine up to the peak, then cosine down to a thousandth of it."""
        warm = max(1.0, self.warm_up * total)
        if step < warm:
            low = self.peak_rate / 25
            return low + (self.peak_rate - low) * (1 - math.cos(math.pi * step / warm)) / 2
        low = self.peak_rate / 1000
        share = min(1.0, (step - warm) / max(1.0, total - warm))
        return low + (self.peak_rate - low) * (1 + math.cos(math.pi * share)) / 2


def parse_phases(text: str) -> tuple[Phase, ...]:
    """``16:0.3,24:0.65,32:1`` -> phases. Raises ValueError with a sentence."""
    try:
        parts = [part.split(":") for part in text.split(",")]
        phases = tuple(Phase(int(size), float(until)) for size, until in parts)
    except ValueError:
        raise ValueError(f"{text!r} is not a list of SIZE:UNTIL, such as 16:0.3,24:0.65,32:1") from None
    if any(p.size < 8 for p in phases):
        raise ValueError("the networks need pictures of at least 8 pixels")
    return phases
