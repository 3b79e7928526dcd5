"""How sure the network stays of one class while more and more of the picture is covered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learn.answering import answering
from learn.kinds import Kind, Result, Work
from learn.parameters import class_index, only
from ml.artifact import Card


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    only(parameters, "class")
    return {"class": class_index(parameters, card)}


def compute(work: Work) -> Result:
    from ml.explain import maps
    from ml.explain.dose import dose_response, evidence_of
    from ml.explain.trace import tracer

    exact = tracer(work.card.name)
    activation = maps.class_activation(exact.structure, exact.trace(work.clean[None])[0])
    index, evidence = work.parameters["class"], evidence_of(activation)
    found = dose_response(answering(work.card), work.clean, index, evidence=evidence)
    return Result(found.to_dict())


# Revision 2: the class activation map decides what is important, no longer each square covered alone.
kind = Kind("dose", clean, compute, for_samples=({"class": None},), looks_at_bars=False, revision=2)
