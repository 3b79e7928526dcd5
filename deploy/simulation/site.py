"""The whole site for one scenario: arrivals, web, workers, metrics, and the policies that act on these."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import simpy

from deploy.simulation import web as webs
from deploy.simulation.arrivals import Arrival, Scenario
from deploy.simulation.fleet import Fleet, Group, Worker
from deploy.simulation.measured import Service
from deploy.simulation.rows import COPIES, Claim, Figure, Picture
from deploy.simulation.scaling import BOOT, MINUTE, Night, OneEach, TargetTracking, Timetable, WakeUp
from deploy.simulation.web import Server, Web

DRAIN = 86400.0
"""Seconds after the end within which everything must be answered."""


@dataclass(frozen=True)
class Policies:
    """How the numbers of instances are set."""

    worker: TargetTracking | OneEach
    web: TargetTracking | None
    """None: the web is left out, and what is sent is in the rows at once."""
    boot: float = BOOT
    night: Night | None = None
    timetable: Timetable | None = None


@dataclass
class Seen:
    """What happened."""

    pictures: list[float] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)
    bulk: list[tuple[float, int]] = field(default_factory=list)
    """Waiting time and number of the predictions that were answered together."""
    web: list[float] = field(default_factory=list)
    """Seconds for which what students asked of the web waited there."""
    asked: dict[str, int] = field(default_factory=lambda: {"picture": 0, "figure": 0, "bulk": 0})
    work: np.ndarray = field(default_factory=lambda: np.zeros(0))
    """Instance-seconds of work that came in each minute."""
    web_work: np.ndarray = field(default_factory=lambda: np.zeros(0))
    workers: list[int] = field(default_factory=list)
    """Instances wanted, at each minute."""
    servers: list[int] = field(default_factory=list)
    backlog: list[float] = field(default_factory=list)
    worker_minutes: float = 0.0
    web_minutes: float = 0.0
    handed_back: int = 0
    without_worker: list[float] = field(default_factory=list)
    """Waiting times of the pictures that were sent while no worker was there."""
    first_of_morning: list[float] = field(default_factory=list)
    """Where there are nights: the waiting time of the first picture after each."""
    predictions: int = 0
    """Of programs, answered."""


class Site:
    def __init__(self, scenario: Scenario, service: Service, policies: Policies, seed: int) -> None:
        arrivals, phase, picks = np.random.SeedSequence(seed).spawn(3)
        self.scenario, self.service, self.policies = scenario, service, policies
        self.arrivals = scenario.make(np.random.default_rng(arrivals))
        self.env = simpy.Environment()
        self.seen = Seen()
        minutes = int(scenario.seconds // MINUTE)
        self.seen.work, self.seen.web_work = np.zeros(minutes + 1), np.zeros(minutes + 1)
        self.fleet = Fleet(self.env, service)
        self.fleet.answered, self.fleet.drawn = self._answered, self._drawn
        draw = np.random.default_rng(picks)
        self.workers = Group(self.env, lambda boot: Worker(self.fleet, boot), policies.boot, draw)
        self.workers.begin(policies.worker.minimum)
        self.web: Web | None = None
        """None where it is left out."""
        self.latest: dict[int, Figure] = {}
        self.mornings: dict[int, tuple[float, float]] = {}
        phases = np.random.default_rng(phase)
        if policies.web:
            servers = Group(self.env, lambda boot: Server(self.env, service.cores, boot), policies.boot, draw)
            servers.begin(policies.web.minimum)
            self.web = Web(self.env, service, servers)
            self.seen.web = self.web.waits
            self.env.process(self._track(servers, policies.web, self._requests, phases.uniform(0, MINUTE)))
        if isinstance(policies.worker, TargetTracking):
            self.env.process(
                self._track(self.workers, policies.worker, self._backlog, phases.uniform(0, MINUTE), policies)
            )
        else:
            self.env.process(self._one_each(policies.worker))
        self.env.process(self._watch())
        self.env.process(self._come())

    def run(self) -> Seen:
        """Until the scenario is over and everything is answered. Raises RuntimeError where that never comes."""
        env, seen, end = self.env, self.seen, self.scenario.seconds
        env.run(until=end)
        seen.worker_minutes = self.workers.minutes(end)
        seen.web_minutes = self.web.group.minutes(end) if self.web else 0.0
        while self._open():
            if env.now > end + DRAIN:
                raise RuntimeError(f"{self._open()} rows of {self.scenario.name} were never answered")
            env.run(until=env.now + MINUTE)
        seen.handed_back = self.fleet.rows.handed_back
        seen.first_of_morning = [wait for _asked, wait in self.mornings.values()]
        return seen

    def _open(self) -> int:
        seen = self.seen
        expected = seen.asked["bulk"] * len(self.service.networks) - seen.predictions
        missing = seen.asked["picture"] - len(seen.pictures) + seen.asked["figure"] - len(seen.figures)
        return missing + expected

    # -- who comes ---------------------------------------------------------------------------------------

    def _come(self) -> Generator[simpy.Event, Any, None]:
        env = self.env
        for one in self.arrivals:
            if one.at > env.now:
                yield env.timeout(one.at - env.now)
            self.seen.asked[one.kind] += one.pictures
            self._note_work(one)
            if one.kind == "bulk":
                env.process(self._post(one))
            elif one.kind == "picture":
                self._picture(one)
            else:
                self._figure(one)

    def _note_work(self, one: Arrival) -> None:
        service, minute = self.service, int(one.at // MINUTE)
        if minute >= len(self.seen.work):
            return
        if one.kind == "figure":
            self.seen.work[minute] += service.figures[one.figure] * len(service.networks) / service.cores
            files = service.stored_figure if one.figure == "X-ray" else 2 * service.request
            self.seen.web_work[minute] += (service.page + files) / service.cores
        else:
            copies = COPIES if one.kind == "picture" else 1
            self.seen.work[minute] += one.pictures * copies * service.predictions
            self.seen.web_work[minute] += one.pictures * service.picture / service.cores

    def _picture(self, one: Arrival) -> None:
        asked, rows, web, service = self.env.now, self.fleet.rows, self.web, self.service
        alone = not self.workers.live()
        if web is None:
            rows.add_picture(asked, asked, alone)
            return
        self._at(web.serve(service.picture), lambda: rows.add_picture(asked, self.env.now, alone))
        if one.first:
            # The page, its files and the draft, which came a little earlier.
            web.serve(
                service.page + webs.STATIC_FILES * service.request + service.picture, webs.STATIC_FILES + 2
            )

    def _post(self, one: Arrival) -> Generator[simpy.Event, Any, None]:
        asked = self.env.now
        if self.web is not None:
            yield from self.web.read(one.pictures)
        self.fleet.rows.add_post(asked, self.env.now, one.pictures)

    def _figure(self, one: Arrival) -> None:
        service, rows, web = self.service, self.fleet.rows, self.web
        figure = Figure(
            self.env.now, one.figure, service.figures[one.figure], one.student, len(service.networks)
        )
        if web is None:
            rows.add_figure(figure)
            return
        before = self.latest.get(one.student)
        if before is not None:
            # A page shows one figure; what came before is computed, but nobody asks for it any more.
            web.ask(-before.left)
        self.latest[one.student] = figure
        web.ask(figure.left)
        count = 1 + figure.left
        self._at(
            web.serve(service.page + figure.left * service.request, count), lambda: rows.add_figure(figure)
        )

    def _at(self, when: float, then: Callable[[], object]) -> None:
        def due(_event: simpy.Event) -> None:
            then()

        event = self.env.timeout(when - self.env.now)
        assert event.callbacks is not None
        event.callbacks.append(due)

    # -- what is answered --------------------------------------------------------------------------------

    def _answered(self, claim: Claim) -> None:
        now, seen = self.env.now, self.seen
        for picture in claim.pictures:
            picture.left -= 1
            if not picture.left:
                self._picture_done(picture)
        for post, count in claim.parts:
            post.left -= count
            seen.predictions += count
            seen.bulk.append((now - post.asked, count))

    def _picture_done(self, picture: Picture) -> None:
        wait = self.env.now - picture.asked
        self.seen.pictures.append(wait)
        if picture.alone:
            self.seen.without_worker.append(wait)
        night = self.policies.night
        if night is not None:
            morning = night.morning(picture.asked + self.scenario.begins)
            if morning >= 0:
                first = self.mornings.get(morning, (math.inf, 0.0))
                self.mornings[morning] = min(first, (picture.asked, wait))
        if self.web is not None:
            self.web.serve(webs.ASKS_A_PICTURE * self.service.request, webs.ASKS_A_PICTURE)

    def _drawn(self, figure: Figure) -> None:
        figure.left -= 1
        web = self.web
        if web is not None and self.latest.get(figure.student) is figure:
            web.ask(-1)
            if not figure.left:
                del self.latest[figure.student]
        if figure.left:
            return
        if web is None:
            self.seen.figures.append(self.env.now - figure.asked)
            return
        files = self.service.stored_figure if figure.kind == "X-ray" else 2 * self.service.request
        shown = web.serve(files, webs.FILES_A_FIGURE)
        self._at(shown, lambda: self.seen.figures.append(self.env.now - figure.asked))

    # -- metrics and policies ----------------------------------------------------------------------------

    def _backlog(self) -> float:
        """BacklogPerWorker as the site publishes it: seconds of work for each live worker, at least one."""
        return self.fleet.rows.backlog() / max(1, self.workers.live())

    def _requests(self) -> float:
        """ALBRequestCountPerTarget: of the last minute."""
        assert self.web
        requests, self.web.requests = self.web.requests, 0.0
        return requests / max(1, len(self.web.servers()))

    def _track(
        self,
        group: Group,
        policy: TargetTracking,
        metric: Callable[[], float],
        phase: float,
        scheduled: Policies | None = None,
    ) -> Generator[simpy.Event, Any, None]:
        """Once a minute: the alarms see what was published before, the policy acts, the next value is published."""
        env, begins = self.env, self.scenario.begins
        night = scheduled.night if scheduled else None
        timetable = scheduled.timetable if scheduled else None
        published: list[tuple[float, float, float]] = []
        slept = False
        yield env.timeout(phase)
        while True:
            published.append((env.now, metric(), float(self.fleet.rows.waiting)))
            seen = [row for row in published if row[0] <= env.now - policy.delay]
            sleeps = night is not None and night.holds(env.now + begins)
            least = (
                0
                if sleeps
                else timetable.minimum
                if timetable and timetable.holds(env.now + begins)
                else None
            )
            now = policy if least is None else replace(policy, minimum=least)
            wanted = now.decide(
                [value for _at, value, _rows in seen], group.desired, group.warm(policy.warmup)
            )
            if sleeps and not slept:
                wanted = 0
            elif night is not None:
                wanted = WakeUp().decide([rows for _at, _value, rows in seen], wanted)
            slept = sleeps
            group.want(wanted)
            del published[: -policy.in_points - 2]
            yield env.timeout(MINUTE)

    def _one_each(self, policy: OneEach) -> Generator[simpy.Event, Any, None]:
        rows = self.fleet.rows
        while True:
            self.workers.want(policy.decide(rows.waiting, rows.running, self.workers.desired))
            yield self.env.timeout(policy.every)

    def _watch(self) -> Generator[simpy.Event, Any, None]:
        """The numbers of instances at each minute, for the drawing."""
        while True:
            self.seen.workers.append(self.workers.desired)
            self.seen.servers.append(self.web.group.desired if self.web else 0)
            self.seen.backlog.append(self.fleet.rows.backlog())
            yield self.env.timeout(MINUTE)


def simulate(scenario: Scenario, service: Service, policies: Policies, seed: int) -> Seen:
    """One run. The same seed gives the same arrivals whatever the policies are."""
    return Site(scenario, service, policies, seed).run()
