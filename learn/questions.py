"""A question to the laboratory in its one form, so that the same question is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from learn import kinds
from learn.kinds import Kind, KindError
from ml.artifact import Card

MAX_PARAMETERS = 16_384

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Question:
    """One kind of figure of one network on one picture. ``covered`` is None for kinds that do not look at bars.

    ``clean`` holds all sample pictures, one after the other, for a kind that looks at them together.
    """

    kind: Kind
    card: Card
    parameters: dict[str, Any]
    clean: Pixels = field(repr=False)
    covered: Pixels | None = field(repr=False)

    @cached_property
    def key(self) -> str:
        """The same for everybody who asks the same of the same pixels, the same version and way of computing."""
        asked = {
            "kind": self.kind.name,
            "revision": self.kind.revision,
            "network": self.card.name,
            "artifact": self.card.version,
            "parameters": self.parameters,
        }
        digest = hashlib.sha256(canonical(asked).encode())
        for seen in (self.clean, self.covered):
            digest.update(b"-" if seen is None else seen.tobytes())
        return digest.hexdigest()


def put(
    kind: str, card: Card, parameters: Mapping[str, Any], clean: Pixels, covered: Pixels | None
) -> Question:
    """The question with its parameters checked. Raises KindError with a sentence for what cannot be asked."""
    chosen = kinds.find(kind)
    if not isinstance(parameters, Mapping):
        raise KindError(_("The parameters must be a JSON object."), "parameters")
    if (chosen.pictures == "samples") != (clean.ndim == 4):
        raise KindError(
            _("“%(name)s” is not about one picture: the site makes it.") % {"name": chosen.name}, "kind"
        )
    cleaned = chosen.clean(parameters, card)
    if len(canonical(cleaned)) > MAX_PARAMETERS:
        raise KindError(_("These are too many changes at once. Take some of them back."), "parameters")
    return Question(chosen, card, cleaned, clean, covered if chosen.looks_at_bars else None)


def canonical(value: Any) -> str:
    """JSON in one form. Raises ValueError for NaN and infinities, which JSON does not have."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
