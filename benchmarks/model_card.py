"""The generated half of ml/README.md: what one network's card, evaluation and measurements say."""

from __future__ import annotations

import json
from typing import Any

from learn.figures import cutmix_runs
from ml import artifact
from ml.artifact import Card

EXTREMES = 5


def percent(value: float) -> str:
    return f"{value:.2%}"


def accuracy_table(cards: list[Card]) -> str:
    lines = [
        (
            "| network | computed in | top-1 | top-5 | calibration error | with bars | same top-1 as float32 "
            "(where surer than 0.6) |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        served, exact = card.metrics, card.reference_metrics
        covered = f"{served['covered_ece']:.4f}" if "covered_ece" in served else ""
        lines.append(
            f"| {card.title} ({card.version}) | {served['precision']}, served | {percent(served['top1'])} "
            f"| {percent(served['top5'])} | {served['ece']:.4f} | {covered} "
            f"| {percent(served['agreement'])} ({percent(served['agreement_sure'])}) |"
        )
        lines.append(
            f"| | float32 | {percent(exact['top1'])} | {percent(exact['top5'])} | {exact['ece']:.4f} | | |"
        )
    return "\n".join(lines)


def network(name: str) -> str:
    """What stands between a network's marks in ml/README.md."""
    card = artifact.load_card(name)
    parts = [_training(card), accuracy_table([card]), _figures(card)]
    if found := card.evaluation():
        parts.append(_extremes(card, found))
    if card.outside and "test" in card.outside:
        parts.append(_outside(card.outside))
    if card.snapshots:
        parts.append(_snapshots(card))
    return "\n\n".join(parts)


def _training(card: Card) -> str:
    training = card.training
    steps = [
        f"Before: {row['description']}; {row['training_seconds'] / 60:.0f} minutes on {row['hardware']}."
        if "description" in row
        else f"Before: {_run(row)}"
        for row in training.get("before", [])
    ]
    return "\n\n".join(
        [
            *steps,
            *_grown(training),
            (
                f"One run: {_run(training)} Held-out accuracy at the end {percent(training['val_accuracy'])}; "
                f"temperature {card.temperature}, more by {card.black_slope:.0%} of it for an all black picture. "
                + _spread()
            ),
        ]
    )


def _spread() -> str:
    """How far short runs lie apart that differ in nothing but their seed; nobody has made a long one twice."""
    try:
        found = json.loads(cutmix_runs.FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "The spread between runs is not known."
    accuracies: dict[float, list[float]] = {}
    for run in found["runs"]:
        accuracies.setdefault(run["value"], []).append(run["whole"]["top1"])
    alike = max(accuracies.values(), key=len)
    epochs = len(found["runs"][0]["log"])
    return (
        f"It was made once; {len(alike)} runs of a VGG over {epochs} epochs that differ in their seed alone lie "
        f"{100 * (max(alike) - min(alike)):.2f} points of top-1 apart (`ml.compare_runs`)."
    )


def _grown(training: dict[str, Any]) -> list[str]:
    if "grown_from" not in training:
        return []
    if narrow := training.get("beside"):
        text = (
            f"Two networks of width factor {narrow}: the one described first and, beside it, the one it became by the "
            "run described last, which kept the first convolution. Put side by side without a weight between them, "
            f"so that the logits are the mean of both (docs/decisions/0025), then widened from factor {2 * narrow} "
            f"to {training['recipe']['width']} without changing what they compute (docs/decisions/0012), and not "
            "trained any further."
        )
    else:
        text = (
            f"All of it as a network of width factor {training['grown_from']}, then widened to factor "
            f"{training['recipe']['width']} without changing what it computes (docs/decisions/0012), and not trained "
            "any further."
        )
    return [text]


def _run(row: dict[str, Any]) -> str:
    recipe = row["recipe"]
    return (
        f"{recipe['epochs']} epochs of {row['pictures']:,} pictures, {row['training_seconds'] / 60:.0f} minutes on "
        f"{row['hardware']} ({row['backend']}), beside other work."
    )


def _figures(card: Card) -> str:
    served = card.metrics
    text = f"Negative log-likelihood {served['nll']:.4f} as served, on {served['n']:,} test pictures."
    if "spread" in served:
        low, high = served["spread"]["top1"]
        text += f" 95% interval of top-1 by resampling the test set: {percent(low)} to {percent(high)}."
    if "covered_top1" in served:
        text += f" With one to three random bars top-1 is {percent(served['covered_top1'])}."
    return text


def _extremes(card: Card, found: dict[str, Any]) -> str:
    order = sorted(range(len(card.labels)), key=lambda i: (-found["per_class"][i]["accuracy"], i))

    def named(chosen: list[int]) -> str:
        return ", ".join(f"{card.label(i)} {found['per_class'][i]['accuracy']:.0%}" for i in chosen)

    pairs = ", ".join(
        f"{card.label(p['a'])} and {card.label(p['b'])} ({p['a_as_b'] + p['b_as_a']})"
        for p in found["confused_pairs"][:EXTREMES]
    )
    return (
        f"Best classes: {named(order[:EXTREMES])}. Worst: {named(order[::-1][:EXTREMES])}. "
        f"Taken for one another most often: {pairs}."
    )


def _outside(outside: dict[str, Any]) -> str:
    measured = outside["test"]
    lines = ["| generated pictures | AUROC | above the threshold |", "|---|---|---|"]
    lines += [
        f"| {kind} | {row['auroc']:.4f} | {row['caught']:.1%} |" for kind, row in measured["sets"].items()
    ]
    head = (
        f"Unlike the hundred classes (`{outside['method']}`; {measured['passed']:.1%} of the test pictures pass the "
        "threshold):"
    )
    return head + "\n\n" + "\n".join(lines)


def _snapshots(card: Card) -> str:
    head = "| after epoch | " + " | ".join(str(row["epoch"]) for row in card.snapshots) + " |"
    rule = "|---" * (len(card.snapshots) + 1) + "|"
    size = "| pixels | " + " | ".join(str(row["size"]) for row in card.snapshots) + " |"
    right = "| held-out accuracy | " + " | ".join(percent(row["accuracy"]) for row in card.snapshots) + " |"
    return "\n".join(["Snapshots (`ml.snapshots`), weights of 63 levels:", "", head, rule, size, right])
