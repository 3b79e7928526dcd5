"""Thin Celery tasks: wake-ups. What there is to do stands in the rows."""

from __future__ import annotations

from celery import shared_task

from accounts.tasks import WakeUp

__all__ = ["WakeUp", "predict"]


@shared_task(base=WakeUp, name="predictions.predict")
def predict() -> None:
    """Computes waiting predictions until there are none."""
    from predictions import inference

    if inference.drain():
        predict.delay()
