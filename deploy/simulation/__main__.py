"""Chooses the parameters, runs every scenario, writes what README.md shows: ``python -m deploy.simulation``.

It takes some minutes of one core. ``chosen.json`` has the parameters of the option files, ``results.json`` all numbers.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import put
from deploy.simulation import arrivals, drawing, measured, report, search
from deploy.simulation.arrivals import Scenario
from deploy.simulation.measured import Service
from deploy.simulation.runs import Summary, over_seeds
from deploy.simulation.scaling import (
    BOOT,
    BOOTS,
    BUNDLE_BOOT,
    MINUTE,
    Night,
    OneEach,
    TargetTracking,
    Timetable,
    ideal,
)
from deploy.simulation.site import Policies, simulate
from ml.storage import write_json

HERE = Path(__file__).parent
CHOSEN, RESULTS, README = HERE / "chosen.json", HERE / "results.json", HERE / "README.md"
MARK = "simulation"

FACTORS = search.FACTORS
SEEDS = {arrivals.LECTURE: 10, arrivals.WEEK: 3, arrivals.DAY_OF_TEN_MILLION: 2, arrivals.BURST_OF_10_000: 10}
RIVAL_SEEDS = {**SEEDS, arrivals.WEEK: 1, arrivals.DAY_OF_TEN_MILLION: 1}
OURS, RIVAL = "target tracking", "one instance a message"
LECTURE_HOURS = arrivals.LECTURES
IN_TIME = 8
"""Instances that are there when a lecture begins, where the timetable is known."""
READERS = 8
"""Web instances for a day of ten million pictures on slow instances."""
DRAWN_HOURS = (7.0, 13.0)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def choose(service: Service, boot: float = BOOT) -> dict[str, Any]:
    """The parameters, and how far the search went."""
    say("workers, by what a lecture's figures wait:")
    worker, effort = search.choose_workers(service, say, boot=boot)
    say("web, by what requests wait in a lecture on slow instances:")
    web = search.choose_web(service, worker, say, boot=boot)
    chosen = search.parameters(worker, web)
    return {**chosen, "search": effort}


def table_rows(service: Service, policies: Policies) -> list[Summary]:
    """Every scenario with every service time by both rules."""
    rival = dataclasses.replace(policies, worker=OneEach())
    rows: list[Summary] = []
    for scenario in arrivals.SCENARIOS:
        for factor in FACTORS:
            for rule, how, seeds in ((OURS, policies, SEEDS), (RIVAL, rival, RIVAL_SEEDS)):
                found = timed(scenario, service, how, seeds[scenario], factor, rule)
                rows.append({"scenario": scenario.name, "factor": factor, "rule": rule, **found})
    return rows


def timed(
    scenario: Scenario, service: Service, policies: Policies, seeds: int, factor: float, what: str
) -> Summary:
    begun = time.monotonic()
    found = over_seeds(scenario, service.slower(factor), policies, range(seeds))
    say(f"  {scenario.name}, x {factor:g}, {what}: {seeds} runs in {time.monotonic() - begun:.0f} s")
    return found


def others(service: Service, policies: Policies) -> list[Summary]:
    """What else an operator could do or meet."""
    change = dataclasses.replace
    worker, web = policies.worker, policies.web
    assert isinstance(worker, TargetTracking)
    assert web is not None
    lecture, week, day = arrivals.LECTURE, arrivals.WEEK, arrivals.DAY_OF_TEN_MILLION
    timetable = change(policies, timetable=Timetable(LECTURE_HOURS, IN_TIME))
    ready = f"{IN_TIME} instances around the beginning of each lecture, scheduled"
    cases: list[tuple[str, Scenario, str, Policies, float]] = [
        ("week", week, "as chosen", policies, 1.0),
        ("night", week, "no instance at night, from 23 to 6 o'clock", change(policies, night=Night()), 1.0),
        *(
            (
                "timetable",
                week,
                ready + (f", service times x {factor:g}" if factor > 1 else ""),
                timetable,
                factor,
            )
            for factor in FACTORS
        ),
        ("at once", week, "scale-in in one step", change(policies, worker=change(worker, in_step=15)), 1.0),
        ("delay", lecture, "metrics seen at once", change(policies, worker=change(worker, delay=0.0)), 1.0),
    ]
    for boot in BOOTS:
        if boot != BOOT:
            longer = change(policies, boot=boot)
            cases += [
                ("boot", lecture, f"boot {boot:g} s", longer, 1.0),
                ("boot", week, f"boot {boot:g} s", longer, 1.0),
            ]
        if boot > BUNDLE_BOOT:
            warmup = worker.warmup + MINUTE * math.ceil((boot - BOOT) / MINUTE)
            patient = change(policies, boot=boot, worker=change(worker, warmup=warmup))
            cases.append(("patient", week, f"boot {boot:g} s, warm-up {warmup:g} s", patient, 1.0))
    readers = change(policies, web=change(web, minimum=READERS, maximum=READERS))
    cases.append(("readers", day, f"{READERS} web instances, service times x 4", readers, 4.0))
    return [
        {
            "key": key,
            "scenario": scenario.name,
            "what": what,
            **timed(scenario, service, how, SEEDS[scenario], factor, what),
        }
        for key, scenario, what, how, factor in cases
    ]


def draw(service: Service, policies: Policies) -> None:
    rival = dataclasses.replace(policies, worker=OneEach())
    ours, theirs = (simulate(arrivals.LECTURE, service, how, 0) for how in (policies, rival))
    drawing.FIGURES.mkdir(exist_ok=True)
    (drawing.FIGURES / "waiting.svg").write_text(drawing.waiting(ours, theirs), encoding="utf-8")
    ours, theirs = (simulate(arrivals.week_of(1), service, how, 0) for how in (policies, rival))
    drawn = drawing.instances(ours, theirs, ideal(ours.work.tolist()), DRAWN_HOURS)
    (drawing.FIGURES / "instances.svg").write_text(drawn, encoding="utf-8")


def record(service: Service, chosen: dict[str, Any]) -> None:
    """Runs everything with these parameters and writes it down."""
    policies = search.policies(chosen)
    rows = table_rows(service, policies)
    lecture, week = (
        next(
            row for row in rows if (row["scenario"], row["factor"], row["rule"]) == (scenario.name, 1.0, OURS)
        )
        for scenario in (arrivals.LECTURE, arrivals.WEEK)
    )
    reached = {
        "pictures_within": lecture["pictures"]["within"]["low"],
        "lecture_runs": lecture["seeds"],
        "times_ideal": week["times_ideal"]["high"],
        "week_runs": week["seeds"],
        "figures_p95_seconds": lecture["figures"]["p95"]["mean"],
    }
    write_json(CHOSEN, {**chosen, "reached": reached})
    recorded = {
        "service": dataclasses.asdict(service),
        "chosen": chosen,
        "reached": reached,
        "rows": rows,
        "others": others(service, policies),
    }
    write_json(RESULTS, recorded)
    draw(service, policies)


def readme() -> str:
    """README.md as it should be, by what was recorded."""
    recorded = json.loads(RESULTS.read_text(encoding="utf-8"))
    return put(README.read_text(encoding="utf-8"), MARK, report.content(recorded))


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.simulation", description=__doc__)
    parser.add_argument(
        "--chosen", action="store_true", help="run with the parameters of chosen.json instead of choosing"
    )
    parser.add_argument(
        "--boot",
        type=float,
        metavar="SECONDS",
        help="only say what would be chosen if an instance booted for so long (nothing is written)",
    )
    parser.add_argument("--tables", action="store_true", help="only write README.md anew, from results.json")
    args = parser.parse_args(given)
    if args.boot is not None and not 0 < args.boot <= 900:
        parser.error("an instance boots for more than 0 and at most 900 seconds")
    if not args.tables:
        try:
            service = measured.service()
            if args.boot is not None:
                say(json.dumps(choose(service, args.boot), indent=1))
                return 0
            if args.chosen:
                chosen = json.loads(CHOSEN.read_text(encoding="utf-8"))
                chosen.pop("reached", None)
            else:
                chosen = choose(service)
            record(service, chosen)
        except (ValueError, search.NothingFoundError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
    README.write_text(readme(), encoding="utf-8")
    say(report.content(json.loads(RESULTS.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
