"""Who is served next, of those for whom nobody waits at the page."""

from __future__ import annotations

from typing import Any


class Turns:
    """Who of those with bulk work has been served in this round: everybody once before anybody twice.

    Each worker process keeps its own, so that nothing has to be written or locked for it.
    """

    def __init__(self) -> None:
        self._served: set[Any] = set()

    def take(self, waiting: Any, first: Any) -> Any:
        """The job to begin with: ``first``, or the first one of an owner who has not been served in this round."""
        if first.owner_id in self._served:
            others = waiting.exclude(owner_id__in=self._served - {None})
            if None in self._served:
                others = others.exclude(owner_id__isnull=True)
            other = others.first()
            if other is None:
                self._served.clear()
            first = other or first
        self._served.add(first.owner_id)
        return first
