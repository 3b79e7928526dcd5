"""Which of the living workers do what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

ANSWERS = "predictions"
"""The queue of the workers that answer. Others prepare archives and the like."""

ALIVE = timedelta(seconds=15)
"""A worker's parent shows life every five seconds."""


class HeartbeatQuerySet(models.QuerySet[Any]):
    def alive(self, within: timedelta = ALIVE) -> Self:
        """Workers that have shown life lately, by the database's clock."""
        return self.filter(seen__gte=Now() - within)

    def answering(self) -> Self:
        """Workers that compute predictions. One that has not said what it does is taken for such a one."""
        return self.filter(Q(queues="") | Q(queues__contains=ANSWERS))

    def serving(self, queue: str) -> Self:
        """Workers that take from this queue. One that has not said what it does is taken for such a one."""
        alone_or_among = (
            Q(queues=queue)
            | Q(queues__startswith=f"{queue},")
            | Q(queues__endswith=f",{queue}")
            | Q(queues__contains=f",{queue},")
        )
        return self.filter(Q(queues="") | alone_or_among)
