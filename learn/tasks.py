"""Thin Celery tasks: wake-ups. What there is to do stands in the rows."""

from __future__ import annotations

from celery import shared_task

from accounts.tasks import WakeUp


@shared_task(base=WakeUp, name="learn.explain")
def explain() -> None:
    """Computes waiting explanations until there are none."""
    from learn import explaining

    if explaining.drain():
        explain.delay()


@shared_task(base=WakeUp, name="learn.train_own")
def train_own() -> None:
    """Trains waiting classes of somebody's own until there are none."""
    from learn import own_training

    if own_training.drain():
        train_own.delay()
