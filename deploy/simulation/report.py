"""The tables of README.md beside this file, from what was recorded (``results.json``)."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown import table
from deploy.simulation.runs import SHARE, TIMES_IDEAL, WITHIN

KINDS = {"pictures": "students' pictures", "figures": "figures", "bulk": "pictures of programs"}

WAITING = "Waiting times: p50 / p95 / p99, from sending to the answer. Means of all runs; in brackets least and most."

Recorded = dict[str, Any]


def content(recorded: Recorded) -> str:
    """What stands between the markers of the README."""
    parts = [
        service(recorded),
        chosen(recorded),
        WAITING,
        waits(recorded),
        "Instances:",
        instances(recorded),
        "What else was tried, with service times as measured:",
        others(recorded),
    ]
    return "\n\n".join(parts)


def service(recorded: Recorded) -> str:
    taken = recorded["service"]
    networks = ", ".join(
        f"{name} {1000 * one['row']:.1f} ms a row and {1000 * one['base']:.0f} ms a claim"
        for name, one in taken["networks"].items()
    )
    figures = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in taken["figures"].items())
    return (
        f"Service times, from `benchmarks/results` ({taken['hardware']}): {networks}; figures of both networks: "
        f"{figures}; web: a picture {1000 * taken['picture']:.1f} ms of one core, "
        f"a page {1000 * taken['page']:.1f} ms, a small request {1000 * taken['request']:.1f} ms."
    )


def chosen(recorded: Recorded) -> str:
    worker, web = recorded["chosen"]["worker"], recorded["chosen"]["web"]
    head = "| | minimum | maximum | target | warm-up |"
    targets = (
        f"{worker['target_backlog_seconds']} s of work that waits for each",
        f"{web['requests_per_target_per_minute']:,} requests a minute each",
    )
    lines = [
        f"| {name} | {one['minimum']} | {one['maximum']} | {target} | {one['warmup_seconds']} s |"
        for name, one, target in zip(("workers", "web"), (worker, web), targets, strict=True)
    ]
    reached = recorded["reached"]
    sentence = (
        f"Reached: {_share(reached['pictures_within'])} of the lecture's pictures are answered within {WITHIN:g} s "
        f"in the worst of {reached['lecture_runs']} runs (to reach: {SHARE:.0%}), and the exam week takes "
        f"{reached['times_ideal']:.2f} times the ideal instance-minutes in the worst of {reached['week_runs']} "
        f"(to reach: at most {TIMES_IDEAL})."
    )
    return f"Chosen:\n\n{table(head, lines)}\n\n{sentence}"


def waits(recorded: Recorded) -> str:
    head = (
        f"| scenario | service times | rule | {KINDS['pictures']} | within {WITHIN:g} s | {KINDS['figures']} "
        f"| {KINDS['bulk']} |"
    )
    lines = [
        f"| {row['scenario']} | x {row['factor']:g} | {row['rule']} | {_times(row['pictures'])} "
        f"| {_within(row['pictures'])} | {_times(row['figures'])} | {_times(row['bulk'])} |"
        for row in recorded["rows"]
    ]
    return table(head, lines)


def instances(recorded: Recorded) -> str:
    head = (
        "| scenario | service times | rule | runs | worker instance-minutes | ideal | times the ideal | most at once "
        "| web instance-minutes | most at once |"
    )
    lines = [
        f"| {row['scenario']} | x {row['factor']:g} | {row['rule']} | {row['seeds']} "
        f"| {row['worker_minutes']['mean']:,.0f} | {row['ideal_minutes']['mean']:,.0f} | {_ratio(row['times_ideal'])} "
        f"| {row['most_workers']['high']:.0f} | {row['web_minutes']['mean']:,.0f} | {row['most_web']['high']:.0f} |"
        for row in recorded["rows"]
    ]
    return table(head, lines)


def others(recorded: Recorded) -> str:
    head = (
        f"| scenario | what is different | {KINDS['pictures']} | {KINDS['figures']} | worker instance-minutes "
        "| times the ideal |"
    )
    lines = [
        f"| {row['scenario']} | {row['what']} | {_times(row['pictures'])} | {_times(row['figures'])} "
        f"| {row['worker_minutes']['mean']:,.0f} | {_ratio(row['times_ideal'])} |"
        for row in recorded["others"]
    ]
    return "\n\n".join([table(head, lines), night(recorded)])


def night(recorded: Recorded) -> str:
    """What scaling to zero at night saves, and whom it costs what."""
    by_day, by_night = (
        next(row for row in recorded["others"] if row["key"] == key) for key in ("week", "night")
    )
    saved = by_day["worker_minutes"]["mean"] - by_night["worker_minutes"]["mean"]
    waited = by_night["without_worker"]
    share = saved / by_day["worker_minutes"]["mean"]
    sentence = (
        f"Scaled to zero at night, the exam week takes {saved:,.0f} instance-minutes less ({share:.0%}). "
    )
    if waited is None:
        return sentence + "Nobody sent a picture while no worker was there."
    return sentence + (
        f"Who sends a picture while no worker is there, {waited['count']['mean']:.0f} a week, waits {_times(waited)}: "
        "until the next metric is published and seen, and then for the boot. The first student after the scheduled "
        f"action of the morning waits {_times(by_night['first_of_morning'])}."
    )


def _times(kind: dict[str, Any] | None) -> str:
    return "" if kind is None else " / ".join(_seconds(kind[name]["mean"]) for name in ("p50", "p95", "p99"))


def _seconds(seconds: float) -> str:
    """As exact as it needs to be."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _within(kind: dict[str, Any] | None) -> str:
    if kind is None:
        return ""
    within = kind["within"]
    return f"{_share(within['mean'])} ({_share(within['low'])} to {_share(within['high'])})"


def _share(share: float) -> str:
    """Never rounded up to a whole that it is not."""
    return "100%" if share == 1 else f"{int(share * 1000) / 10:.1f}%"


def _ratio(ratio: dict[str, float]) -> str:
    return f"{ratio['mean']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
