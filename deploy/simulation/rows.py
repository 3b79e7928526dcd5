"""The rows that wait, and what a worker takes of them: as ``predictions.jobs`` and ``learn.explaining`` do it.

Simplified: those who sent much are served in the order in which their work came, not in turns, and no row is bad.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from deploy.simulation.measured import CLAIM, Service

COPIES = 2
"""Runs of a student's picture for each network: clean and covered."""


class Picture:
    """A student's picture: one row a network and copy."""

    __slots__ = ("alone", "asked", "left", "written")

    def __init__(self, asked: float, written: float, left: int, alone: bool) -> None:
        self.asked, self.written, self.left, self.alone = asked, written, left, alone


class Post:
    """A program's pictures, one row a network each."""

    __slots__ = ("asked", "left", "written")

    def __init__(self, asked: float, written: float, left: int) -> None:
        self.asked, self.written, self.left = asked, written, left


class Figure:
    """A figure of the laboratory, one row a network."""

    __slots__ = ("asked", "kind", "left", "seconds", "student")

    def __init__(self, asked: float, kind: str, seconds: float, student: int, left: int) -> None:
        self.asked, self.kind, self.seconds, self.student, self.left = asked, kind, seconds, student, left


class Claim:
    """What one worker has taken: rows of one network, of pictures or of posts."""

    __slots__ = ("network", "parts", "pictures", "rows")

    def __init__(
        self, network: str, pictures: list[Picture], parts: list[tuple[Post, int]], rows: int
    ) -> None:
        self.network, self.pictures, self.parts, self.rows = network, pictures, parts, rows


class Rows:
    """The tables. ``answered`` is told of every row once it is done."""

    def __init__(self, service: Service, wake: Callable[[], None], wake_lab: Callable[[], None]) -> None:
        self.service = service
        self.wake, self.wake_lab = wake, wake_lab
        self.single: dict[str, deque[Picture]] = {name: deque() for name in service.networks}
        self.bulk: dict[str, deque[tuple[Post, int]]] = {name: deque() for name in service.networks}
        self.bulk_rows = dict.fromkeys(service.networks, 0)
        self.figures: deque[Figure] = deque()
        self.figure_seconds = 0.0
        self.running = 0
        self.handed_back = 0

    # -- written by the web ------------------------------------------------------------------------------

    def add_picture(self, asked: float, now: float, alone: bool = False) -> Picture:
        """``alone`` is kept for who counts: whether no worker was there when it was asked."""
        picture = Picture(asked, now, COPIES * len(self.single), alone)
        for line in self.single.values():
            line.extend([picture] * COPIES)
        self.wake()
        return picture

    def add_post(self, asked: float, now: float, pictures: int) -> Post:
        post = Post(asked, now, pictures * len(self.bulk))
        for name, line in self.bulk.items():
            line.append((post, pictures))
            self.bulk_rows[name] += pictures
        self.wake()
        return post

    def add_figure(self, figure: Figure) -> None:
        self.figures.extend([figure] * figure.left)
        self.figure_seconds += figure.seconds * figure.left
        self.wake_lab()

    # -- taken by the workers ----------------------------------------------------------------------------

    def claim(self) -> Claim | None:
        """Up to 32 rows of the network of the first row in line; pictures of students before posts, never both."""
        name = _first(self._heads())
        if name is not None:
            line = self.single[name]
            rows = min(CLAIM, len(line))
            found = Claim(name, [line.popleft() for _ in range(rows)], [], rows)
        else:
            name = _first((line[0][0].written, name) for name, line in self.bulk.items() if line)
            if name is None:
                return None
            found = self._bulk(name)
        self.running += found.rows
        return found

    def _heads(self) -> Iterator[tuple[float, str]]:
        return ((line[0].written, name) for name, line in self.single.items() if line)

    def _bulk(self, name: str) -> Claim:
        line, parts, room = self.bulk[name], [], CLAIM
        while line and room:
            post, count = line.popleft()
            taken = min(room, count)
            parts.append((post, taken))
            room -= taken
            if count > taken:
                line.appendleft((post, count - taken))
        self.bulk_rows[name] -= CLAIM - room
        return Claim(name, [], parts, CLAIM - room)

    def take_figure(self) -> Figure | None:
        if not self.figures:
            return None
        self.running += 1
        figure = self.figures.popleft()
        self.figure_seconds -= figure.seconds
        return figure

    def hand_back(self, claim: Claim) -> None:
        """The worker goes away: its rows stand where they stood, at the head of the line."""
        self.running -= claim.rows
        self.handed_back += claim.rows
        self.single[claim.network].extendleft(reversed(claim.pictures))
        self.bulk[claim.network].extendleft(reversed(claim.parts))
        self.bulk_rows[claim.network] += sum(count for _post, count in claim.parts)
        self.wake()

    def hand_back_figure(self, figure: Figure) -> None:
        self.running -= 1
        self.handed_back += 1
        self.figures.appendleft(figure)
        self.figure_seconds += figure.seconds
        self.wake_lab()

    # -- counted -----------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        return sum(map(len, self.single.values())) + sum(self.bulk_rows.values()) + len(self.figures)

    def backlog(self) -> float:
        """Seconds in which one worker would have done all that waits, by the rates of full claims."""
        networks = self.service.networks
        predictions = sum(
            (len(self.single[name]) + self.bulk_rows[name]) * networks[name].full for name in networks
        )
        return predictions + self.figure_seconds / self.service.cores


def _first(heads: Iterator[tuple[float, str]]) -> str | None:
    """The network whose first row has waited longest."""
    found = min(heads, default=None, key=lambda head: head[0])
    return found and found[1]
