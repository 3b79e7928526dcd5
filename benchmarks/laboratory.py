"""The laboratory as its pages use it: one student alone, then many at once while others send pictures.

The site runs with its worker that answers and its worker for figures as `make run` starts them, and with the shipped
networks. A figure's time is from its first POST to its last file, asked for and waited for in the rhythm of
static/js/laboratory/jobs.js; nobody has seen its pictures before. Everything takes some ten minutes.
"""

from __future__ import annotations

import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks import processes, workshop
from benchmarks.laboratory_people import (
    NETWORKS,
    Ask,
    FigureError,
    Person,
    Surgeon,
    both,
    people,
)
from benchmarks.probe import resident_mb
from benchmarks.workshop import Sent, quantile

ROUNDS = 12
LAYER_PICTURES = 2
EDITS = 25

STUDENTS = 30
SECONDS = 120.0
# Mean seconds between two figures of a student, exponentially distributed.
THINKING = 20.0
# Of the figures that students open, those that they have opened before.
AGAIN = 0.5
# Edits one after the other when somebody opens the surgery.
EDITS_A_VISIT = 3
PICTURES_A_STUDENT = 6
EVERY = 5.0
LIMITS = {"figure": 5.0, "prediction": 2.0}
NEW = ("xray", "occlusion", "dose", "surgery")
AT_ONCE = ("prediction", "figure", "again", *NEW)

MAKE_RUN, SERVERS = SET_UPS = ("SQLite and files, as under `make run`", "PostgreSQL and Redis")

STORED = """
from django.db.models import Max
from learn.models import Explanation
rows = Explanation.objects.filter(status="done").exclude(bytes=0).values_list("network", "kind")
for network, kind, size in rows.annotate(size=Max("bytes")).order_by("network", "-size"):
    print("file", network, kind, size)
"""


# --- one alone ---------------------------------------------------------------------------------------------


def spread(part: str, what: str, times: Sequence[float], limit: float | None = None) -> dict[str, Any]:
    ordered = sorted(times)
    row: dict[str, Any] = {"part": part, "what": what, "to_reach_s": limit, "count": len(ordered)}
    if ordered:
        row |= {"p50_s": quantile(ordered, 0.5), "p95_s": quantile(ordered, 0.95), "slowest_s": ordered[-1]}
    return row


def warm(person: Person, pictures: Sequence[str]) -> float:
    """Has both processes load both networks for every kind; seconds of the first X-ray after the worker's start."""
    first = person.shown(both(pictures[0], "xray"))
    for kind in ("xray", "occlusion", "dose", "class_map", "layer_map", "trust", "surgery"):
        person.shown([ask for picture in pictures[1:] for ask in both(picture, kind)])
    return first


def alone(person: Person, pictures: list[str]) -> list[dict[str, Any]]:
    """``pictures``: ROUNDS of them and three more, for what is loaded once."""
    fresh, known = pictures[:ROUNDS], pictures[ROUNDS:]
    surgeon = Surgeon(0)
    first = warm(person, known)

    def each(what: str, limit: float | None, asked: Sequence[Sequence[Ask]]) -> dict[str, Any]:
        return spread("alone", what, [person.shown(asks) for asks in asked], limit)

    rows = [
        spread("alone", "X-ray, the first after the worker's start", [first]),
        each("X-ray with bars, both networks", 3.0, [both(one, "xray") for one in fresh]),
        each(
            "occlusion, 8 x 8 squares, both networks", None, [both(one, "occlusion", grid=8) for one in fresh]
        ),
        each("dose and response, both networks", 5.0, [both(one, "dose") for one in fresh]),
        each("class activation map, both networks", None, [both(one, "class_map") for one in fresh]),
        each("the two tests of that map, both networks", None, [both(one, "trust") for one in fresh]),
    ]
    rows += [layer_maps(person, network, fresh[:LAYER_PICTURES]) for network in NETWORKS]
    places = list(itertools.islice(itertools.cycle(fresh), EDITS))
    rows.append(each("surgery, a kernel of the VGG", 1.5, [[surgeon.edit(one)] for one in places]))
    rows.append(
        each("surgery, channels of the Wide ResNet muted", 1.5, [[surgeon.mute(one)] for one in places])
    )
    rows.append(each("X-ray that is stored, both networks", None, [both(one, "xray") for one in fresh]))
    return rows


def layer_maps(person: Person, network: str, pictures: Sequence[str]) -> dict[str, Any]:
    """A map at every layer where one is offered, and where it took longest."""
    from ml.explain.structure import structure
    from ml.explain.tails import cut_layers

    times = {
        (layer, one): person.shown([Ask(one, network, "layer_map", {"layer": layer})])
        for layer in cut_layers(structure(network))
        for one in pictures
    }
    slowest, _picture = max(times, key=lambda key: times[key])
    row = spread("alone", f"map at a layer, every layer of {network}", list(times.values()))
    return {**row, "slowest": slowest}


# --- many at once ------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What happened while students were at work, from all threads."""

    times: dict[str, list[float]] = field(default_factory=dict)
    opened: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, seconds: Sequence[float], opened: bool = True) -> None:
        with self.lock:
            self.times.setdefault(kind, []).extend(seconds)
            self.opened[kind] += opened

    def fail(self, reason: str) -> None:
        with self.lock:
            self.failures.append(reason)


class Learner:
    """A student who opens figures on own pictures, and half of the time one that is known already."""

    def __init__(self, person: Person, number: int, pictures: Sequence[str]) -> None:
        self.person = person
        self.draw = random.Random(number)
        self.surgeon = Surgeon(1000 + number)
        self.pictures = list(pictures)
        self.fresh = [(kind, one) for kind in NEW[:3] for one in pictures[1:]]
        self.draw.shuffle(self.fresh)
        self.known = [both(pictures[0], "xray")]

    def prepare(self) -> None:
        """What was opened before the first minute."""
        self.person.shown(self.known[0])

    def visit(self, seen: Seen) -> None:
        """One figure. A visit to the surgery counts with its slowest edit."""
        kind = "again" if self.draw.random() < AGAIN else self.draw.choice(NEW)
        new = self._new(kind)
        if kind in NEW and not new:
            kind = "surgery"  # of which there is always more
        try:
            if kind == "again":
                times = [self.person.shown(self.draw.choice(self.known))]
            elif kind == "surgery":
                picture = self.draw.choice(self.pictures)
                times = [self.person.shown([self.surgeon.edit(picture)]) for _ in range(EDITS_A_VISIT)]
            else:
                times = [self.person.shown(new)]
                self.known.append(new)
            seen.add(kind, times)
            seen.add("figure", [max(times)])
        except (FigureError, OSError, http.client.HTTPException, ValueError) as error:
            seen.fail(f"{kind}: {error!r}")

    def _new(self, kind: str) -> list[Ask]:
        """This kind of a picture that it was not asked of yet; empty when there is none."""
        place = next((i for i, (one, _picture) in enumerate(self.fresh) if one == kind), None)
        return [] if place is None else both(self.fresh.pop(place)[1], kind)

    def work(self, seen: Seen, end: float) -> None:
        while True:
            pause = self.draw.expovariate(1 / THINKING)
            if time.monotonic() + pause > end:
                return
            time.sleep(pause)
            self.visit(seen)


def predictions(person: Person, images: Sequence[bytes], seen: Seen, end: float) -> None:
    """Somebody sends a picture to both networks, again and again."""
    begin = time.monotonic()
    for number, image in enumerate(images):
        at = begin + number * EVERY
        if at > end:
            return
        time.sleep(max(0.0, at - time.monotonic()))
        person.link.close()
        try:
            sent: Sent = person.ask([image], list(NETWORKS), pause=0.05)
            if sent.faults():
                seen.fail("prediction: not answered")
            else:
                seen.add("prediction", [sent.seconds])
        except (OSError, http.client.HTTPException, ValueError, KeyError, RuntimeError) as error:
            seen.fail(f"prediction: {error!r}")


def at_once(set_up: str, people: Sequence[Person], images: list[bytes]) -> list[dict[str, Any]]:
    """All of them for SECONDS; the last of the people only sends pictures."""
    *students, sender = people
    senders = [images.pop() for _ in range(int(SECONDS / EVERY) + 1)]
    learners = []
    for number, person in enumerate(students):
        own = person.pictures([images.pop() for _ in range(PICTURES_A_STUDENT)])
        learners.append(Learner(person, number, own))
    seen = Seen()
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(Learner.prepare, learners))
        end = time.monotonic() + SECONDS
        under_way = [pool.submit(learner.work, seen, end) for learner in learners]
        under_way.append(pool.submit(predictions, sender, senders, seen, end))
        for one in under_way:
            one.result()
    for reason in seen.failures[:5]:
        print(reason, flush=True)
    rows = [spread("at once", kind, seen.times.get(kind, []), LIMITS.get(kind)) for kind in AT_ONCE]
    mixture = {kind: seen.opened[kind] for kind in ("again", *NEW)}
    rows.append(
        {
            "part": "at once",
            "what": "failures",
            "failures": len(seen.failures),
            "students": len(students),
            "seconds": SECONDS,
            "thinking_s": THINKING,
            "prediction_every_s": EVERY,
            "edits_a_visit": EDITS_A_VISIT,
            "mixture": mixture,
        }
    )
    return [{**row, "set_up": set_up} for row in rows]


# --- the site ----------------------------------------------------------------------------------------------


@contextmanager
def running(set_up: str) -> Iterator[Any]:
    """The site with both workers; ``lab`` is the second one's process."""
    from tests.services import running_postgres, running_redis, running_stack

    if set_up == MAKE_RUN:
        with running_stack(workers=0, ready=False) as stack:
            yield stack
        return
    with (
        running_postgres(durable=True) as postgres,
        running_redis() as redis,
        running_stack(
            workers=0,
            ready=False,
            database=postgres.new_database(),
            broker=redis.url,
            REDIS_URL=redis.url,
            web_command=workshop.procfile_web,
        ) as stack,
    ):
        yield stack


def memory(lab: int) -> dict[str, Any]:
    """Peaks of the processes that compute figures, and what all of that worker holds now."""
    peaks = sorted((resident_mb("VmHWM", process) for process in processes.children(lab)), reverse=True)
    return {
        "part": "memory",
        "peaks_mb": [round(peak) for peak in peaks],
        "together_mb": round(processes.memory_mb(lab)),
    }


def archives(stack: Any) -> list[dict[str, Any]]:
    """What the largest answer of each kind takes, with its file."""
    lines = [line.split()[1:] for line in stack.python(STORED).splitlines() if line.startswith("file ")]
    return [
        {"part": "file", "network": network, "kind": kind, "kb": round(int(size) / 1000, 1)}
        for network, kind, size in lines
    ]


def measure() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    needed = STUDENTS * PICTURES_A_STUDENT + int(SECONDS / EVERY) + 1 + ROUNDS + 3
    images = workshop.pictures(needed)
    for set_up in SET_UPS:
        with running(set_up) as stack:
            stack.start_worker("predictions")
            lab = stack.start_lab()
            stack.wait_ready()
            everybody = people(stack, STUDENTS + 1)
            left = list(images)
            pictures = everybody[0].pictures([left.pop() for _ in range(ROUNDS + 3)])
            if set_up == MAKE_RUN:
                rows += alone(everybody[0], pictures)
            else:
                warm(everybody[0], pictures[-3:])
            rows += at_once(set_up, everybody, left)
            if set_up == MAKE_RUN:
                rows += [memory(lab.pid), *archives(stack)]
    found: list[dict[str, Any]] = workshop.rounded(rows)
    return found
