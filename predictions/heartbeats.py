"""Which of the living workers do what."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

ANSWERS = "predictions"
"""The queue of the workers that answer. Others prepare archives and the like."""


class HeartbeatQuerySet(models.QuerySet[Any]):
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
