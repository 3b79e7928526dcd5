"""The web instances: requests in turn over all of them, each instance with its cores.

A request takes the core that is free first. A program's POST is read some pictures at a time, and what came alone goes
before the next of them, as in ``predictions.decoder_pool``. Simplified: the web process gives way there too, and
threads cost nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from deploy.simulation.fleet import Group
from deploy.simulation.measured import Service

PIECE = 20
"""Pictures of a POST that are read before others have their turn."""
STATIC_FILES = 12
"""Of a first visit: style sheet, scripts, fonts, samples."""
ASKS_A_PICTURE = 3
FILES_A_FIGURE = 6
SLOWEST_POLL = 0.6
"""Seconds between two questions of a page that waits for a figure (static/js/laboratory/jobs.js)."""
TICK = 0.25


class Server:
    """One instance of the web role."""

    def __init__(self, env: simpy.Environment, cores: int, boot: float) -> None:
        self.env = env
        self.launched = env.now
        self.ended: float | None = None
        self.live = boot == 0.0
        self.alone = [0.0] * cores
        self.all = [0.0] * cores
        if not self.live:
            env.process(self._begin(boot))

    def _begin(self, boot: float) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(boot)
        self.live = self.ended is None

    def stop(self) -> None:
        """No new requests; what it has is answered (the load balancer drains it)."""
        self.live = False
        self.ended = max(self.env.now, *self.all)

    def serve(self, seconds: float, piece: float = 0.0) -> float:
        """When a request that comes now is answered; ``piece``: seconds of the longest that may be in its way."""
        now = self.env.now
        core = min(range(len(self.alone)), key=self.alone.__getitem__)
        start = max(now, self.alone[core])
        start += min(piece, max(0.0, self.all[core] - start))
        self.alone[core] = start + seconds
        self.all[core] = max(now, self.all[core]) + seconds
        return self.alone[core]

    def read(self, seconds: float) -> float:
        """When a piece of a POST that is begun now is read: after everything else."""
        core = min(range(len(self.all)), key=self.all.__getitem__)
        self.all[core] = max(self.env.now, self.all[core]) + seconds
        return self.all[core]

    def behind(self) -> float:
        """Seconds that a request waits for a core."""
        return max(0.0, min(self.alone) - self.env.now)


class Web:
    """All servers behind the load balancer."""

    def __init__(self, env: simpy.Environment, service: Service, group: Group) -> None:
        self.env, self.service, self.group = env, service, group
        self.requests = 0.0
        self.turn = 0
        self.piece = service.picture * PIECE
        self.asking = 0
        self.asks = False
        self.waits: list[float] = []
        """Seconds for which what a student asked for waited for a core."""

    def servers(self) -> list[Server]:
        return [one for one in self.group.running if isinstance(one, Server) and one.live]

    def _next(self) -> Server:
        servers = self.servers()
        self.turn = (self.turn + 1) % len(servers)
        return servers[self.turn]

    def serve(self, seconds: float, requests: int = 1) -> float:
        """When it is answered."""
        self.requests += requests
        answered = self._next().serve(seconds, self.piece)
        self.waits.append(answered - self.env.now - seconds)
        return answered

    def read(self, pictures: int) -> Generator[simpy.Event, Any, None]:
        """A program's POST, piece after piece on one server."""
        self.requests += 1
        server = self._next()
        while pictures > 0:
            piece = min(PIECE, pictures)
            yield self.env.timeout(server.read(piece * self.service.picture) - self.env.now)
            pictures -= piece

    def ask(self, rows: int) -> None:
        """So many rows more, or fewer, are being asked about by pages that wait for a figure."""
        self.asking += rows
        if self.asking and not self.asks:
            self.asks = True
            self.env.process(self._asked())

    def _asked(self) -> Generator[simpy.Event, Any, None]:
        # Who asks waits for the answer before asking again: a site that is behind is asked less.
        while self.asking:
            servers = self.servers()
            share = self.asking / len(servers)
            for server in servers:
                asked = TICK * share / (SLOWEST_POLL + server.behind())
                self.requests += asked
                for _core in server.alone:
                    server.serve(asked * self.service.request / len(server.alone), self.piece)
            yield self.env.timeout(TICK)
        self.asks = False
