"""Thin Celery tasks: wake-ups. What there is to do stands in the rows."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.contrib.django.task import DjangoTask

logger = logging.getLogger(__name__)


class WakeUp(DjangoTask):
    """A message whose loss costs seconds: the row is written already, and a timer sends wake-ups again.

    So a broker that is away must not turn a submission that was taken into an error.
    """

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        try:
            return super().apply_async(*args, **options)
        except Exception as error:
            logger.warning("No wake-up could be sent (%s); the timer will.", type(error).__name__)
            return None


@shared_task(base=WakeUp, name="predictions.predict")
def predict() -> None:
    """Computes waiting predictions until there are none."""
    from predictions import inference

    if inference.drain():
        predict.delay()
