"""Instances that boot, work, and are taken away again; one group of them for each role.

A worker instance runs what the Procfile says: one process that predicts with a thread for each core, and beside it, at
nice 10, as many processes as cores that compute figures. While a claim is computed the two share the cores as Linux
weighs them (1024 to 110). Simplified: a claim begun before a figure is not slowed down by it, memory and caches are
shared for nothing, and a row that waits is seen at once by an instance that has nothing to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Protocol

import numpy as np
import simpy

from deploy.simulation.measured import Service
from deploy.simulation.rows import Claim, Figure, Rows

NICE_0, NICE_10 = 1024, 110
"""The kernel's weights of the two (``sched_prio_to_weight``)."""
FAST = NICE_0 / (NICE_0 + NICE_10)
SLOW = NICE_10 / (NICE_0 + NICE_10)
NOTICE = 5.0
"""Seconds until an instance sees that it is to end: so often it asks for its state. It works until then."""
BILLED_AT_LEAST = 60.0

Process = Generator[simpy.Event, Any, None]


class Instance(Protocol):
    launched: float
    ended: float | None
    live: bool

    def stop(self) -> None: ...


class Fleet:
    """All workers with what they share: the rows, who has nothing to do, and whom to tell of answers."""

    def __init__(self, env: simpy.Environment, service: Service) -> None:
        self.env, self.service = env, service
        self.idle: deque[simpy.Event] = deque()
        self.idle_lab: deque[simpy.Event] = deque()
        self.rows = Rows(service, lambda: _wake(self.idle), lambda: _wake(self.idle_lab))
        self.answered: Callable[[Claim], None] = lambda _claim: None
        self.drawn: Callable[[Figure], None] = lambda _figure: None


def _wake(line: deque[simpy.Event]) -> None:
    while line:
        sleeper = line.popleft()
        if not sleeper.triggered:
            sleeper.succeed()
            return


class Worker:
    """One instance of the worker role."""

    def __init__(self, fleet: Fleet, boot: float) -> None:
        self.fleet, self.env = fleet, fleet.env
        self.launched = self.env.now
        self.ended: float | None = None
        self.live = False
        self.busy_since = self.busy_until = self.busy_seconds = 0.0
        self.figures = 0
        self.processes: list[simpy.Process] = []
        self.env.process(self._begin(boot + fleet.service.worker_start))

    def _begin(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        if self.ended is not None:
            return
        self.live = True
        self.processes = [self.env.process(self._predict())]
        self.processes += [self.env.process(self._figures()) for _ in range(self.fleet.service.cores)]

    def stop(self) -> None:
        """Taken away: it finishes what it can until it notices, and hands the rest back."""
        self.ended = self.env.now + (NOTICE if self.live else 0.0)
        self.env.process(self._end())

    def _end(self) -> Process:
        yield self.env.timeout(NOTICE if self.live else 0.0)
        self.live = False
        for process in self.processes:
            if process.is_alive:
                process.interrupt()

    def _sleep(self, line: deque[simpy.Event]) -> simpy.Event:
        sleeper = self.env.event()
        line.append(sleeper)
        return sleeper

    # -- predictions -------------------------------------------------------------------------------------

    def _predict(self) -> Process:
        env, rows, networks = self.env, self.fleet.rows, self.fleet.service.networks
        claim: Claim | None = None
        sleeper: simpy.Event | None = None
        try:
            while True:
                claim = rows.claim()
                if claim is None:
                    self.busy_until = env.now
                    sleeper = self._sleep(self.fleet.idle)
                    yield sleeper
                    sleeper = None
                    continue
                seconds = networks[claim.network].seconds(claim.rows)
                if self.figures:
                    seconds /= FAST
                self.busy_since, self.busy_until = env.now, env.now + seconds
                yield env.timeout(seconds)
                self.busy_seconds += seconds
                rows.running -= claim.rows
                done, claim = claim, None
                self.fleet.answered(done)
        except simpy.Interrupt:
            if claim is not None:
                rows.hand_back(claim)
            _leave(self.fleet.idle, sleeper)

    def _busy(self) -> float:
        """Seconds that this instance has predicted for, until now."""
        now = self.env.now
        return self.busy_seconds + (now - self.busy_since if now < self.busy_until else 0.0)

    # -- figures -----------------------------------------------------------------------------------------

    def _figures(self) -> Process:
        rows = self.fleet.rows
        figure: Figure | None = None
        sleeper: simpy.Event | None = None
        extra = self.fleet.service.first_figure
        try:
            while True:
                figure = rows.take_figure()
                if figure is None:
                    sleeper = self._sleep(self.fleet.idle_lab)
                    yield sleeper
                    sleeper = None
                    continue
                self.figures += 1
                yield from self._computed(figure.seconds + extra)
                self.figures -= 1
                extra = 0.0
                rows.running -= 1
                done, figure = figure, None
                self.fleet.drawn(done)
        except simpy.Interrupt:
            if figure is not None:
                rows.hand_back_figure(figure)
            _leave(self.fleet.idle_lab, sleeper)

    def _computed(self, left: float) -> Process:
        """Ends when one core has worked for so long, which it does slowly while predictions are computed."""
        env = self.env
        while left > 1e-9:
            begun, busy = env.now, self._busy()
            yield env.timeout(min(self.busy_until - begun, left / SLOW) if begun < self.busy_until else left)
            left -= (env.now - begun) - (self._busy() - busy) * (1 - SLOW)


def _leave(line: deque[simpy.Event], sleeper: simpy.Event | None) -> None:
    """Who goes away is woken no more; and if the call had come already, somebody else is called."""
    if sleeper is None:
        return
    if sleeper.triggered:
        _wake(line)
    else:
        line.remove(sleeper)


class Group:
    """An Auto Scaling group: as many instances as are wanted, launched and taken away at once."""

    def __init__(
        self,
        env: simpy.Environment,
        launch: Callable[[float], Instance],
        boot: float,
        draw: np.random.Generator,
    ) -> None:
        self.env, self.launch, self.boot, self.draw = env, launch, boot, draw
        self.running: list[Instance] = []
        self.gone: list[Instance] = []
        self.old: list[Instance] = []

    def begin(self, count: int) -> None:
        """Instances that were there before."""
        self.old = [self.launch(0.0) for _ in range(count)]
        self.running += self.old

    @property
    def desired(self) -> int:
        return len(self.running)

    def want(self, count: int) -> None:
        while len(self.running) < count:
            self.running.append(self.launch(self.boot))
        while len(self.running) > count:
            one = self.running.pop(int(self.draw.integers(len(self.running))))
            one.stop()
            self.gone.append(one)

    def live(self) -> int:
        return sum(one.live for one in self.running)

    def warm(self, warmup: float) -> int:
        """How many are past their warm-up, which begins with the launch. Those there before are."""
        return sum(one in self.old or one.launched + warmup <= self.env.now + 1e-9 for one in self.running)

    def minutes(self, until: float) -> float:
        """Instance-minutes paid for: by the second from the launch, and for a minute at least."""
        seconds = 0.0
        for one in (*self.running, *self.gone):
            if one.launched < until:
                end = until if one.ended is None else min(until, one.ended)
                seconds += max(end - one.launched, min(BILLED_AT_LEAST, until - one.launched))
        return seconds / 60
