"""Chooses the parameters of both policies.

Workers: of all targets and warm-ups for which a lecture's pictures and the exam week's instance-minutes reach what is
to be reached in every run, the one with which a lecture's figures wait least. The week has to reach it with the longer
boot of this project's bundle as well. Web: of all numbers of requests, the one with which requests wait least in a
lecture on the slowest instances; among those about as good, the one that costs least on fast ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from deploy.simulation import arrivals
from deploy.simulation.arrivals import Scenario
from deploy.simulation.measured import Service
from deploy.simulation.runs import TIMES_IDEAL, WEB_LEAST, Summary, over_seeds, reaches
from deploy.simulation.scaling import BOOT, BUNDLE_BOOT, MINUTE, TargetTracking, ideal
from deploy.simulation.site import Policies, simulate

MAXIMUM = 15
TARGETS = (20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 105.0, 120.0, 150.0, 180.0, 240.0, 300.0)
WARMUPS = (3.0, 18.0, 48.0, 108.0, 168.0, 228.0)
"""Seconds more than a boot, of which the warm-ups are made, rounded up to quarters of a minute. None is shorter than a
boot: an instance would be counted as working when it does not."""
QUARTER = 15.0
MINIMA = (1, 2, 3)
REQUESTS = (3000.0, 6000.0, 9000.0, 12000.0, 18000.0, 24000.0, 36000.0)
WEB_MAXIMA = (4, 6, 8)
ALIKE = 0.1
"""Seconds of waiting in the web that nobody notices."""
LECTURE_SEEDS = tuple(range(10))
WEEK_SEEDS = tuple(range(3))
FACTORS = (1.0, 2.0, 4.0)

Say = Callable[[str], None]


class NothingFoundError(Exception):
    """No parameters reach what is to be reached; the message says how far the best of them are from it."""


def choose_workers(
    service: Service, say: Say, week: Scenario = arrivals.WEEK, boot: float = BOOT
) -> tuple[TargetTracking, Summary]:
    """The policy of the workers, and how far the search went."""
    best = _ideal(service, week)
    tried: list[tuple[float, TargetTracking, Summary]] = []
    for least, target, warmup in itertools.product(MINIMA, TARGETS, warmups(boot)):
        if least * week.seconds / MINUTE > TIMES_IDEAL * best:
            # It costs too much even when nobody comes.
            continue
        policy = TargetTracking(target, warmup, least, MAXIMUM)
        found = over_seeds(arrivals.LECTURE, service, Policies(policy, None, boot), LECTURE_SEEDS)
        tried.append((found["figures"]["p95"]["mean"], policy, found))
    if not tried:
        raise NothingFoundError(
            f"Already the fewest instances cost more than {TIMES_IDEAL} x ideal when nobody comes: allow fewer."
        )
    tried.sort(key=lambda one: (one[0], one[1].target, one[1].warmup))
    nearest = (float("inf"), "")
    for looked, (waits, policy, lecture) in enumerate(tried, 1):
        times = 0.0
        for longer, seed in itertools.product(sorted({boot, max(boot, BUNDLE_BOOT)}), WEEK_SEEDS):
            found = over_seeds(week, service, Policies(policy, None, longer), [seed])
            times = max(times, found["times_ideal"]["high"])
            if times > TIMES_IDEAL:
                break
        nearest = min(nearest, (times, f"target {policy.target:g} s, warm-up {policy.warmup:g} s"))
        say(
            f"  target {policy.target:g} s, warm-up {policy.warmup:g} s: figures {waits:.0f} s, {times:.3f} x ideal"
        )
        if all(reaches(lecture, {"times_ideal": {"high": times}})):
            return policy, {"tried": len(tried), "weeks": looked}
    raise NothingFoundError(
        f"No parameters reach {TIMES_IDEAL} x ideal; nearest is {nearest[0]:.3f} with {nearest[1]}."
    )


def warmups(boot: float) -> list[float]:
    """Warm-ups for instances that boot for so long."""
    return sorted({QUARTER * math.ceil((boot + more) / QUARTER) for more in WARMUPS})


def _ideal(service: Service, week: Scenario) -> float:
    """Ideal instance-minutes of the week, the least of all seeds. They depend on who comes alone."""
    policy = Policies(TargetTracking(300.0, 90.0), None)
    return min(
        float(sum(ideal(simulate(week, service, policy, seed).work[:-1].tolist()))) for seed in WEEK_SEEDS
    )


def choose_web(
    service: Service,
    worker: TargetTracking,
    say: Say,
    week: Scenario = arrivals.WEEK,
    factors: Iterable[float] = FACTORS,
    boot: float = BOOT,
) -> TargetTracking:
    """The policy of the web."""
    found: list[tuple[float, float, TargetTracking]] = []
    slower = [service.slower(factor) for factor in factors]
    for requests, most in itertools.product(REQUESTS, WEB_MAXIMA):
        policy = TargetTracking(requests, worker.warmup, WEB_LEAST, most)
        runs = [
            over_seeds(arrivals.LECTURE, one, Policies(worker, policy, boot), LECTURE_SEEDS[:5])
            for one in slower
        ]
        waits = max(run["web"]["p95"]["mean"] for run in runs)
        cost = runs[0]["web_minutes"]["mean"]
        found.append((waits, cost, policy))
        say(f"  {requests:g} requests, at most {most}: {waits:.2f} s at worst, {cost:.0f} instance-minutes")
    best = min(waits for waits, _cost, _policy in found)
    found.sort(key=lambda one: (one[0] > best + ALIKE, one[1], one[2].maximum, -one[2].target))
    for _waits, _cost, policy in found:
        times = over_seeds(week, service, Policies(worker, policy, boot), [0])["web_times_ideal"]["high"]
        say(f"  {policy.target:g} requests, at most {policy.maximum}: {times:.3f} x ideal in the exam week")
        if times <= TIMES_IDEAL:
            return policy
    raise NothingFoundError(f"No number of requests keeps the web within {TIMES_IDEAL} x ideal.")


def parameters(worker: TargetTracking, web: TargetTracking) -> dict[str, dict[str, Any]]:
    """As the option files name them."""
    return {
        "worker": {
            "minimum": worker.minimum,
            "maximum": worker.maximum,
            "target_backlog_seconds": int(worker.target),
            "warmup_seconds": int(worker.warmup),
        },
        "web": {
            "minimum": web.minimum,
            "maximum": web.maximum,
            "requests_per_target_per_minute": int(web.target),
            "warmup_seconds": int(web.warmup),
        },
    }


def policies(chosen: dict[str, dict[str, Any]]) -> Policies:
    """The other way round."""
    worker, web = chosen["worker"], chosen["web"]
    tracking = TargetTracking(
        float(worker["target_backlog_seconds"]),
        float(worker["warmup_seconds"]),
        worker["minimum"],
        worker["maximum"],
    )
    return Policies(
        tracking,
        replace(
            tracking,
            target=float(web["requests_per_target_per_minute"]),
            warmup=float(web["warmup_seconds"]),
            minimum=web["minimum"],
            maximum=web["maximum"],
        ),
    )
