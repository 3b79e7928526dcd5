"""What a Celery worker does beside its tasks: loads the networks, shows that it lives, runs the timers.

Loading happens in every pool child after the fork; heartbeat and timers run in a thread of the parent. A worker whose
queues have no predictions, such as the one for figures and archives, loads no network and does the rest. Where a
lifecycle hook is named, the same thread looks whether the machine goes away (``predictions.termination``).
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from celery.signals import celeryd_after_setup, worker_init, worker_process_init, worker_shutting_down
from django.conf import settings
from django.db import (
    DatabaseError,
    IntegrityError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.db.models.functions import Now

from accounts import draining
from ml import config
from predictions import job_tables, signs, timers
from predictions.heartbeats import ANSWERS
from predictions.jobs import Heartbeat, parent_name, worker_name
from predictions.pulse import Pulse
from predictions.termination import Watch

logger = logging.getLogger(__name__)

ARCHIVES = "archives"
"""The queue of what may take minutes: archives of people's data, and accounts that are erased."""

BEAT_SECONDS = 5.0
POOL_SECONDS = 0.05
# As long as a child may take to start, less a margin: the database may be restarting just then.
REPORT_TRIES = 40

_queues = ""
_stopping = threading.Event()
# Held while the thread works and while the parent forks: a child must not inherit a half-used connection.
_at_work = threading.Lock()


@celeryd_after_setup.connect
def remember_queues(instance: Any, **details: Any) -> None:
    global _queues
    _queues = ",".join(sorted(instance.app.amqp.queues.consume_from or instance.app.amqp.queues))


@worker_init.connect
def keep_connections_apart(**details: Any) -> None:
    """No pool of connections here, whatever the site has: its threads would not survive the forks."""
    for entry in connections.settings.values():
        entry.get("OPTIONS", {}).pop("pool", None)


def serves(queue: str) -> bool:
    """Whether this worker takes from ``queue``. One that was not told takes from all."""
    return not _queues or queue in _queues.split(",")


def answers() -> bool:
    """Whether this worker computes predictions."""
    return serves(ANSWERS)


@worker_process_init.connect
def begin(**details: Any) -> None:
    """In the child: networks first, then the sign that this worker can answer, then what waits is started on."""
    connection.close()
    loaded = load_networks() if answers() else None
    if loaded is not None:
        signs.loaded(settings.DATA_DIR, _sign(), os.getppid(), loaded)
    report(loaded)
    # What the child that this one replaces had claimed comes back now, or when its lease is over.
    if answers():
        from predictions.tasks import predict

        predict.delay()
    for table in job_tables.every():
        if serves(table.queue):
            table.wake_up()
    if serves(ARCHIVES):
        from accounts import tasks as long_tasks

        long_tasks.prepare_exports.delay()
        long_tasks.erase_accounts.delay()


def load_networks() -> dict[str, str]:
    """Loads what is offered; returns name -> version of those that answer."""
    from predictions import inference

    return inference.load_all()


def report(loaded: dict[str, str] | None) -> None:
    """Says which networks this worker has loaded, None for one that loads none, once the database is there."""
    from predictions.models import Network

    for _try in range(REPORT_TRIES):
        try:
            if loaded is not None:
                # A network may have come with the new release.
                Network.synchronise()
            _beat(parent_name(), models=loaded)
            break
        except DatabaseError as error:
            logger.warning("This worker cannot report yet: %s.", type(error).__name__)
            connection.close()
            _stopping.wait(1)


def _sign() -> str:
    return signs.ANSWERING if answers() else signs.OTHER


@celeryd_after_setup.connect
def start_timers(instance: Any, **details: Any) -> None:
    """Before the broker is asked, which may be away: the sign of life says that this machine is well."""
    os.register_at_fork(
        before=_at_work.acquire, after_in_parent=_at_work.release, after_in_child=_at_work.release
    )
    say_what_is_slow()
    signs.starts(settings.DATA_DIR, _sign())
    threading.Thread(target=_run_timers, args=(worker_name(), instance), name="timers", daemon=True).start()


def say_what_is_slow() -> None:
    """Once a start: the figures in the README are those of a processor that multiplies int8 quickly."""
    if answers() and settings.ML_ENGINE == "openvino" and config.has_vnni() is False:
        logger.warning(
            "This processor has no VNNI instructions: the int8 networks answer correctly, but more slowly than "
            "the figures in the README say."
        )


@worker_shutting_down.connect
def stop_timers(**details: Any) -> None:
    _stopping.set()
    # A beat under way would write the row again.
    waited = _at_work.acquire(timeout=2)
    try:
        Heartbeat.objects.filter(name=worker_name()).delete()
    except Exception:
        logger.debug("The heartbeat could not be removed.", exc_info=True)
    finally:
        if waited:
            _at_work.release()


def _run_timers(name: str, instance: Any) -> None:
    # Children are forked before there is anything that they should not inherit.
    while getattr(instance.pool, "_pool", None) is None:
        if _stopping.wait(POOL_SECONDS):
            return
    pulse = Pulse(instance.consumer)
    outage = timers.Outage("Heartbeat and timers")
    watch = Watch(pulse) if settings.TERMINATION_HOOK else None
    while True:
        with _at_work:
            if _stopping.is_set():
                return
            # Whatever happens, there is a next beat: without this thread the worker would be taken for a dead one.
            try:
                # Before the database is asked, which may be away.
                show(pulse)
                close_old_connections()
                if watch is not None:
                    watch.look()
                tick(name)
            except Exception as error:
                outage.begins(error)
            else:
                outage.ends()
            finally:
                connection.close()
        if _stopping.wait(BEAT_SECONDS):
            return


def show(pulse: Pulse) -> None:
    """Leaves this worker's sign of life on the machine's disk."""
    signs.leave(
        settings.DATA_DIR,
        _sign(),
        pid=os.getpid(),
        stuck=pulse.stuck(),
        draining=draining.draining(),
        # With the engine on a server there is nothing to load, and that server may be away.
        loads=answers() and settings.ML_ENGINE != "tensorflow_serving",
    )


def tick(name: str) -> None:
    """One beat: shows life, returns the rows of this host's dead processes, runs the timers that are due."""
    from predictions.models import Prediction

    _beat(name, models=_served())
    Prediction.objects.sweep_dead()
    for table in job_tables.every():
        table.model._default_manager.sweep_dead()
    timers.run_due(_stopping.is_set)


def _served() -> dict[str, str] | None:
    """With an engine on a server, what can be answered may change at any moment."""
    if not answers():
        return None
    from predictions import inference

    return inference.served()


def _beat(name: str, models: dict[str, str] | None = None) -> None:
    if draining.draining():
        # Nobody is to count on this worker any more.
        Heartbeat.objects.filter(name=name).delete()
        return
    values: dict[str, Any] = {"seen": Now(), "queues": _queues}
    if models is not None:
        values["models"] = models
    if Heartbeat.objects.filter(name=name).update(**values):
        return
    try:
        with transaction.atomic():
            Heartbeat.objects.create(name=name, queues=_queues, models=models or {})
    except IntegrityError:
        # Parent and child beat for the first time at the same moment.
        Heartbeat.objects.filter(name=name).update(**values)
