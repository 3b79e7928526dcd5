"""Who comes when: a lecture, an exam week, a day of ten million pictures, a burst of 10,000.

What is assumed is written here, with its reason, and nothing of it was fitted to what comes out. The number of
students, figures and pictures of the lecture, the ten million and the 10,000 were given. The day's course is the
sinusoidal rate of the literature on time-varying demand (Green, Kolesar and Whitt 2007): busiest at four in the
afternoon, quietest at four in the morning, where a tenth of the mean comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deploy.simulation import measured

HOUR, DAY = 3600.0, 86400.0
LECTURE_STUDENTS = 300
LECTURE_SECONDS = 120.0
POST = 200
"""Pictures of one POST from a program, the most that the site takes."""

STUDENTS = 1000
PICTURES_A_DAY = 6.0
FIGURES_A_DAY = 3.0
WEEKEND = 0.5
BUSIEST = 16.0
SWING = 0.9
LECTURES = (8.25, 10.25, 14.25, 16.25)
"""When they begin, on each of five days: two double hours before noon, two after."""
COURSEWORK = (20.0, 10)
"""At this hour so many students send a POST each, over an hour."""

TEN_MILLION = 10_000_000
BURST = 10_000
BURST_SECONDS = 10.0
BURST_AT = 600.0

Kind = Literal["picture", "figure", "bulk"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that somebody asks for. A picture goes to both networks, clean and covered: four predictions."""

    at: float
    kind: Kind
    student: int = 0
    figure: str = ""
    pictures: int = 1
    first: bool = False
    """Whether it begins a visit, with the page and its files."""


@dataclass(frozen=True)
class Scenario:
    """A kind of day. ``make`` gives all arrivals in order; ``seconds`` is how long instances are counted."""

    name: str
    seconds: float
    make: Callable[[np.random.Generator], list[Arrival]]
    begins: float = 0.0
    """Seconds after midnight, for what depends on the hour."""


def thinking() -> float:
    """Mean seconds between two figures of a student, as the laboratory's benchmark has it."""
    return float(measured.one("laboratory", part="at once", what="failures")["thinking_s"])


def rate(hour: float) -> float:
    """The share of a day's mean rate."""
    return float(1 + SWING * np.cos(2 * np.pi * (hour - BUSIEST) / 24))


def lecture(draw: np.random.Generator, at: float = 0.0, first_student: int = 0) -> Iterator[Arrival]:
    """Everybody sends a picture within two minutes and opens five figures then, whether or not the last one came."""
    pause = thinking()
    for number in range(LECTURE_STUDENTS):
        student = first_student + number
        now = at + draw.uniform(0, LECTURE_SECONDS)
        yield Arrival(now, "picture", student, first=True)
        for figure in draw.permutation(list(measured.FIGURES)):
            now += draw.exponential(pause)
            yield Arrival(now, "figure", student, str(figure))


def through_the_day(draw: np.random.Generator, total: float, begin: float, seconds: float) -> np.ndarray:
    """When things come that come independently, ``total`` on a whole day, within a part of it."""
    peak = total / DAY * (1 + SWING)
    times = np.sort(begin + draw.uniform(0, seconds, draw.poisson(peak * seconds)))
    kept: np.ndarray = times[draw.uniform(0, 1 + SWING, len(times)) < 1 + SWING * _course(times)]
    return kept


def _course(times: np.ndarray) -> np.ndarray:
    return np.asarray(np.cos(2 * np.pi * (times / HOUR - BUSIEST) / 24))


def students(
    draw: np.random.Generator, begin: float, seconds: float, share: float = 1.0
) -> Iterator[Arrival]:
    """Those who work by themselves, out of a thousand."""
    for at in through_the_day(draw, STUDENTS * PICTURES_A_DAY * share, begin, seconds):
        yield Arrival(float(at), "picture", int(draw.integers(STUDENTS)), first=True)
    names = list(measured.FIGURES)
    for at in through_the_day(draw, STUDENTS * FIGURES_A_DAY * share, begin, seconds):
        yield Arrival(float(at), "figure", int(draw.integers(STUDENTS)), str(draw.choice(names)), first=True)


def exam_week(draw: np.random.Generator, days: int = 7) -> list[Arrival]:
    """Monday to Sunday."""
    found: list[Arrival] = []
    for day in range(days):
        begin = day * DAY
        working = day % 7 < 5
        found += students(draw, begin, DAY, 1.0 if working else WEEKEND)
        if not working:
            continue
        for number, hour in enumerate(LECTURES):
            found += lecture(draw, begin + hour * HOUR, STUDENTS + number * LECTURE_STUDENTS)
        hour, senders = COURSEWORK
        found += [
            Arrival(begin + (hour + draw.uniform()) * HOUR, "bulk", pictures=POST) for _ in range(senders)
        ]
    return _ordered(found)


def one_lecture(draw: np.random.Generator) -> list[Arrival]:
    return _ordered(list(lecture(draw)))


def ten_million(draw: np.random.Generator, hours: float = 24.0) -> list[Arrival]:
    """From programs, in the largest POSTs that the site takes, beside the students of a working day."""
    found = list(students(draw, 0.0, hours * HOUR))
    found += [
        Arrival(float(at), "bulk", pictures=POST)
        for at in through_the_day(draw, TEN_MILLION / POST, 0.0, hours * HOUR)
    ]
    return _ordered(found)


def burst(draw: np.random.Generator) -> list[Arrival]:
    """All within ten seconds, on a working day's afternoon."""
    begin = BUSIEST * HOUR
    found = [
        Arrival(one.at - begin, one.kind, one.student, one.figure, one.pictures, one.first)
        for one in students(draw, begin, 2 * HOUR)
    ]
    found += [
        Arrival(BURST_AT + draw.uniform(0, BURST_SECONDS), "bulk", pictures=POST)
        for _ in range(BURST // POST)
    ]
    return _ordered(found)


def _ordered(found: list[Arrival]) -> list[Arrival]:
    return sorted(found, key=lambda one: one.at)


def week_of(days: int) -> Scenario:
    """The first days of the exam week."""
    return Scenario(f"first {days} days of the exam week", days * DAY, lambda draw: exam_week(draw, days))


LECTURE = Scenario("lecture", 2 * HOUR, one_lecture, 8.25 * HOUR)
WEEK = Scenario("exam week", 7 * DAY, exam_week)
DAY_OF_TEN_MILLION = Scenario("ten million pictures in a day", DAY, ten_million)
BURST_OF_10_000 = Scenario("burst of 10,000 pictures", 2 * HOUR, burst, 16 * HOUR)
SCENARIOS = (LECTURE, WEEK, DAY_OF_TEN_MILLION, BURST_OF_10_000)
