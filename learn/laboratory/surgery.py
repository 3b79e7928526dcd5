"""Surgery: a kernel of the trained network edited, channels muted, and what it answers then.

The address holds ``network``, ``side`` (clean or covered), ``layer``, ``channel`` and ``in`` (the kernel that is looked
at), ``relu`` (the layer whose channels are offered to be muted), and the operation itself, ``edits`` and ``mutes``
(``learn.surgery_text``). Without scripts a form adds one edit or mute at a time, and ``ask`` says that it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn import asking_rate, explanations, stored, surgery_text
from learn.explanations import KindError, QuotaExceeded, SubjectError
from learn.figures.layer_names import spoken, titled
from learn.figures.softmax import decimal
from learn.laboratory import Figure, State
from learn.laboratory_pages import query_with
from learn.models import Explanation
from learn.stored import SIDES
from learn.subjects import Subject
from learn.surgery_text import Operation
from ml.artifact import Card
from ml.explain.surgery import LARGEST, MOST_EDITS, MOST_MUTES
from ml.predictor import softmax


@dataclass(frozen=True)
class Compared:
    """A class before and after, as probabilities and, for bars, as lengths of 0 to 100."""

    label: str
    before: float
    after: float

    @property
    def points(self) -> float:
        """In percentage points; what would be written as 0.0 has no sign."""
        apart = 100 * (self.after - self.before)
        return apart if abs(apart) >= 0.05 else 0.0


@dataclass
class Outcome:
    """What is known of the operation: ``rows`` when it is computed, else ``says`` why there are none."""

    rows: Sequence[Compared] = ()
    says: str = ""
    waits: bool = False


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    from ml.explain.structure import structure

    card = state.card
    known = structure(card.name)
    side = state.side(subject)
    chosen = _kernel(state, known)
    operation = surgery_text.read(state.query.get("edits", ""), state.query.get("mutes", ""), card, state.say)
    # A frame on another site is nobody's, and nobody asks there.
    framed = request.resolver_match is not None and request.resolver_match.url_name == "laboratory-embed"
    sent = not framed and _sent(state, operation, chosen)
    kernel = known.kernel(chosen["layer"], chosen["channel"])[chosen["in"]]
    for edit in operation.edits:
        if (edit["layer"], edit["out"], edit["in"]) == (chosen["layer"], chosen["channel"], chosen["in"]):
            kernel = np.asarray(edit["kernel"], np.float32).reshape(kernel.shape)
    logits = {one.name: stored.logits(subject, one) for one in subject.cards}
    return {
        "side": side,
        "chosen": chosen,
        "kernel": [[decimal(float(one), 4) for one in row] for row in kernel],
        "kernel_text": " ".join(f"{float(one):.6g}" for one in kernel.flat),
        "titles": {key: titled(chosen[key]) for key in ("layer", "relu")},
        "convolutions": _offered(known, "convolution"),
        "relus": _offered(known, "relu"),
        "operation": operation,
        "listed": _listed(operation, state),
        "outcome": _outcome(request, subject, card, side, operation, sent),
        "trained": _trained(logits[card.name], subject, card, side),
        "again": _again(state, operation),
        "kept_here": [(key, value) for key, value in state.query.items() if key in ("on", "bars", "network")]
        + [
            ("edits", surgery_text.write_edits(operation.edits)),
            ("mutes", surgery_text.write_mutes(operation.mutes)),
        ],
        "limits": {"edits": MOST_EDITS, "mutes": MOST_MUTES, "largest": LARGEST},
        "layer_names": {
            layer.name: spoken(layer.name) for one in subject.cards for layer in structure(one.name).layers
        },
        "data": {
            "networks": {
                one.name: {
                    "logits": logits[one.name],
                    "temperature": {s: _temperature(subject, one, s) for s in SIDES},
                }
                for one in subject.cards
            },
            "operation": {"edits": operation.edits, "mutes": operation.mutes},
            "limits": {"edits": MOST_EDITS, "mutes": MOST_MUTES, "largest": LARGEST},
        },
    }


# -- what the address asks for ------------------------------------------------------------------------------


def _kernel(state: State, known: Any) -> dict[str, Any]:
    """The kernel that is looked at, and the ReLU whose channels are; the nearest ones to what the address names."""
    layer = _layer(state, known, "layer", "convolution")
    inputs = known.layer(layer.inputs[0])
    relus = [one for one in known.layers if one.kind == "relu"]
    return {
        "layer": layer.name,
        "channel": _channel(state, "channel", layer),
        "in": _channel(state, "in", inputs),
        "relu": _layer(state, known, "relu", "relu", standard=relus[-1].name).name,
    }


def _offered(known: Any, kind: str) -> list[tuple[str, str]]:
    """The layers of a kind to choose from: their names and as a sentence names them."""
    return [(layer.name, spoken(layer.name)) for layer in known.layers if layer.kind == kind]


def _layer(state: State, known: Any, key: str, kind: str, standard: str = "") -> Any:
    offered = [layer for layer in known.layers if layer.kind == kind]
    first = next((layer for layer in offered if layer.name == standard), offered[0])
    name = state.text(key)
    if not name:
        return first
    found = next((layer for layer in offered if layer.name == name), None)
    if found is None:
        # The other figures look at layers of every kind, and the picture's way leads through all of them.
        if not any(layer.name == name for layer in known.layers):
            state.say(
                _("%(title)s has no layer “%(value)s”. %(layer)s is shown.")
                % {"title": state.card.title, "value": name[:60], "layer": titled(first.name)}
            )
        return first
    return found


def _channel(state: State, key: str, layer: Any) -> int:
    text = state.text(key)
    number = state.whole(key, 0)
    last = layer.shape[0] - 1
    if number is not None and 0 <= number <= last:
        return number
    nearest = 0 if number is None else min(max(number, 0), last)
    state.say(
        _(
            "%(layer)s has no channel “%(value)s”: they are numbered 0 to %(last)s. Channel %(nearest)s is shown."
        )
        % {
            "layer": titled(layer.name),
            "value": text[:20],
            "last": last,
            "nearest": nearest,
        }
    )
    return nearest


# -- without scripts ----------------------------------------------------------------------------------------


def _sent(state: State, operation: Operation, chosen: Mapping[str, Any]) -> bool:
    """Takes what the form without scripts sent into the operation; says whether it was sent."""
    if state.text("ask") != "1":
        return False
    written = listed(state.text("kernel"))
    if written:
        text = f"{chosen['layer'].replace('/', '.')}:{chosen['channel']}:{chosen['in']}:{','.join(written)}"
        both = surgery_text.write_edits(operation.edits) + ";" + text
        operation.edits = surgery_text.read(both, "", state.card, state.say).edits
    muted = listed(state.text("mute"))
    if muted:
        text = f"{chosen['relu'].replace('/', '.')}:{','.join(muted)}"
        both = surgery_text.write_mutes(operation.mutes) + ";" + text
        operation.mutes = surgery_text.read("", both, state.card, state.say).mutes
    return True


def listed(text: str) -> list[str]:
    """What somebody separated by commas or spaces."""
    return [one for one in re.split(r"[\s,;:]+", text) if one]


def _again(state: State, operation: Operation) -> str:
    """The address that shows what was sent, once it is computed, without taking it in once more."""
    return "?" + _query(state, operation.edits, operation.mutes)


def _query(state: State, edits: Sequence[Mapping[str, Any]], mutes: Mapping[str, Sequence[int]]) -> str:
    bare = {key: value for key, value in state.query.items() if key not in ("kernel", "mute")} | {"ask": "1"}
    changes = {"edits": surgery_text.write_edits(edits), "mutes": surgery_text.write_mutes(mutes)}
    return query_with(bare, **{key: value or None for key, value in changes.items()})


def _listed(operation: Operation, state: State) -> list[dict[str, str]]:
    """The changes in words, each with the address of the page without it."""

    def others(name: str) -> dict[str, list[int]]:
        return {one: channels for one, channels in operation.mutes.items() if one != name}

    edited = [
        {
            "text": edit_words(edit),
            "without": _query(state, [one for one in operation.edits if one is not edit], operation.mutes),
        }
        for edit in operation.edits
    ]
    muted = [
        {
            "text": _("%(layer)s: channels %(channels)s muted")
            % {"layer": titled(name), "channels": surgery_text.ranges(channels).replace(",", ", ")},
            "without": _query(state, operation.edits, others(name)),
        }
        for name, channels in operation.mutes.items()
    ]
    return edited + muted


def edit_words(edit: Mapping[str, Any]) -> str:
    return _("%(layer)s, from channel %(in)s to channel %(out)s: %(kernel)s") % {
        "layer": titled(edit["layer"]),
        "in": edit["in"],
        "out": edit["out"],
        "kernel": " ".join(decimal(one, 2) for one in edit["kernel"]),
    }


def _outcome(
    request: HttpRequest, subject: Subject, card: Card, side: str, operation: Operation, sent: bool
) -> Outcome:
    """What the operation led to. It is asked for only where the form was sent: a look at an address costs nothing."""
    if not operation:
        return Outcome()
    parameters = operation.parameters(side)
    try:
        found = explanations.stored(subject, explanations.question(subject, card.name, "surgery", parameters))
        if sent and (found is None or not found.is_final):
            if seconds := asking_rate.count(request):
                return Outcome(
                    says=_("That was too much at once. Try again in %(n)s seconds.") % {"n": seconds}
                )
            who = asking_rate.asker(request)
            found = explanations.ask(subject, card.name, "surgery", parameters, asker=who)
    except (KindError, SubjectError, QuotaExceeded) as error:
        return Outcome(says=str(error))
    if found is None:
        return Outcome(says=_("This was not computed yet: send the form."))
    if found.status == Explanation.Status.DONE:
        return Outcome(rows=compared(found.result, card))
    if found.is_final:
        return Outcome(says=found.error_sentence)
    if not explanations.worker_is_there():
        away = _("The laboratory’s worker is away, so this waits. The trained answer stands below.")
        return Outcome(says=away, waits=True)
    return Outcome(says=_("This is being computed. It takes about a second."), waits=True)


# -- the answers --------------------------------------------------------------------------------------------


def compared(result: Mapping[str, Any], card: Card) -> list[Compared]:
    """The five likeliest classes of before, and those of after that are not among them."""
    before, after = (
        _probabilities(result[key]["logits"], result["temperature"]) for key in ("before", "after")
    )
    named = dict.fromkeys(row["index"] for key in ("before", "after") for row in result[key]["top"])
    return [Compared(_(card.label(index)), before[index], after[index]) for index in named]


def _probabilities(logits: Sequence[float], temperature: float) -> list[float]:
    return [float(one) for one in softmax(np.asarray(logits, np.float32), temperature)]


def _temperature(subject: Subject, card: Card, side: str) -> float | None:
    pixels = (subject.clean if side == "clean" else subject.covered).get(card.name)
    return None if pixels is None else float(card.temperatures(pixels[None])[0])


def _trained(
    logits: Mapping[str, Sequence[float] | None] | None, subject: Subject, card: Card, side: str
) -> list[dict[str, Any]]:
    """The untouched network's five answers in float32, where an X-ray was made."""
    values = logits[side] if logits else None
    temperature = _temperature(subject, card, side)
    if not values or temperature is None:
        return []
    probabilities = _probabilities(values, temperature)
    order = sorted(range(len(probabilities)), key=lambda index: -probabilities[index])[:5]
    return [{"label": _(card.label(index)), "probability": probabilities[index]} for index in order]


figure = Figure(
    slug="surgery",
    title=gettext_lazy("Surgery"),
    summary=gettext_lazy(
        "Edit a kernel that took hours to learn, or silence channels, and see at once what the network says then."
    ),
    order=30,
    template="learn/laboratory/surgery.html",
    context=context,
)
