"""What a run comes to, and what several of them do: waiting times by kind, instance-minutes, the ideal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deploy.simulation.arrivals import Scenario
from deploy.simulation.measured import Service
from deploy.simulation.scaling import ideal
from deploy.simulation.site import Policies, Seen, simulate

WITHIN = 5.0
"""Seconds within which 95% of the students' pictures are to be answered in a lecture."""
SHARE = 0.95
TIMES_IDEAL = 1.4
WEB_LEAST = 2
"""Web instances in two Availability Zones, whatever there is to do."""

Summary = dict[str, Any]


def quantiles(seconds: Sequence[float], weights: Sequence[int] | None = None) -> dict[str, float] | None:
    """Median, 95% and 99% of waiting times; None where nobody waited."""
    if not len(seconds):
        return None
    times = np.asarray(seconds, float)
    order = np.argsort(times)
    counts = np.ones(len(times)) if weights is None else np.asarray(weights, float)
    places = np.cumsum(counts[order]) / counts.sum()
    found = {
        f"p{share}": float(times[order][np.searchsorted(places, share / 100 - 1e-12)])
        for share in (50, 95, 99)
    }
    return {"count": int(counts.sum()), **found, "most": float(times.max())}


def summary(seen: Seen) -> Summary:
    """One run."""
    best, web_best = sum(ideal(seen.work[:-1].tolist())), sum(ideal(seen.web_work[:-1].tolist(), WEB_LEAST))
    pictures = quantiles(seen.pictures)
    if pictures:
        pictures["within"] = float(np.mean(np.asarray(seen.pictures) <= WITHIN))
    return {
        "pictures": pictures,
        "figures": quantiles(seen.figures),
        "bulk": quantiles([wait for wait, _count in seen.bulk], [count for _wait, count in seen.bulk]),
        "web": quantiles(seen.web),
        "without_worker": quantiles(seen.without_worker),
        "first_of_morning": quantiles(seen.first_of_morning),
        "worker_minutes": seen.worker_minutes,
        "ideal_minutes": best,
        "times_ideal": seen.worker_minutes / best,
        "most_workers": max(seen.workers),
        "web_minutes": seen.web_minutes,
        "web_ideal_minutes": web_best,
        "web_times_ideal": seen.web_minutes / web_best,
        "most_web": max(seen.servers),
        "handed_back": seen.handed_back,
    }


def over_seeds(scenario: Scenario, service: Service, policies: Policies, seeds: Iterable[int]) -> Summary:
    """The mean of several runs; of what is to be reached also the worst, and of every number the spread."""
    runs = [summary(simulate(scenario, service, policies, seed)) for seed in seeds]
    return {"seeds": len(runs), **mean(runs)}


def mean(runs: Sequence[Summary]) -> Summary:
    """Numbers become {mean, low, high}; what was not there in every run is None."""
    found: Summary = {}
    for key in runs[0]:
        values = [run[key] for run in runs]
        if any(value is None for value in values):
            found[key] = None
        elif isinstance(values[0], dict):
            found[key] = mean(values)
        else:
            numbers = [float(value) for value in values]
            found[key] = {
                "mean": round(sum(numbers) / len(numbers), 4),
                "low": round(min(numbers), 4),
                "high": round(max(numbers), 4),
            }
    return found


def reaches(lecture: Summary, week: Summary) -> tuple[bool, bool]:
    """Whether what is to be reached is, in the worst of all runs."""
    return (
        bool(lecture["pictures"]["within"]["low"] >= SHARE),
        bool(week["times_ideal"]["high"] <= TIMES_IDEAL),
    )
