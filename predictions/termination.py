"""A machine that Auto Scaling ends: it begins nothing more, finishes or hands back what it has, and says so.

Every worker's parent on the machine looks at each of its beats; what they have in common lies in ``DATA_DIR``. The
group waits for ``complete_lifecycle_action`` or for the hook's timeout, whichever comes first, so that nothing here may
fail in a way that costs more than that wait. What is left all the same comes back when its lease is over.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any, Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounts import draining
from accounts import tasks as long_tasks
from predictions import job_tables, metadata
from predictions.jobs import Heartbeat, Job
from predictions.models import Prediction
from predictions.timers import Outage

logger = logging.getLogger(__name__)

# A claim that was under way when the machine was told to stop shows in its row by then.
SETTLE_SECONDS = 5.0
# By then every task has ended or was ended (its limit is 55 s), and the rest is handed back.
PATIENCE_SECONDS = 60.0
RENEW_SECONDS = 30.0
# Of a database that is away.
AWAY = (DatabaseError, InterfaceError)


class Parent(Protocol):
    """What the parent of a worker can do about its own tasks."""

    def stop_taking(self) -> None: ...

    def end_long_tasks(self) -> int: ...


class Watch:
    """Looks whether this machine is about to go, and sees it off."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._outage = Outage("Asking EC2 whether this machine goes away")
        self._leaving = 0.0
        self._renewed = 0.0
        self._complained = False
        self._looked = False

    def look(self) -> None:
        """To be called at every beat; never raises."""
        try:
            reason = metadata.going_away()
        except metadata.MetadataError as error:
            self._outage.begins(error)
            # What was known is known.
            reason = "it was said before" if self._leaving else ""
            if not reason:
                return
        else:
            self._outage.ends()
        if reason:
            self._leave(reason)
        elif not self._looked and draining.end():
            # Left by a machine of which this one is an image, or before it was stopped and started. At the first look
            # only: later the other worker of this machine may have heard a moment earlier that it goes.
            logger.info("This machine stays: it takes work again.")
        self._looked = True

    def _leave(self, reason: str) -> None:
        if not self._leaving:
            self._leaving = self._renewed = time.monotonic()
            logger.warning("This machine goes away (%s): it begins nothing more.", reason)
            self._parent.stop_taking()
            _forget_heartbeats()
        try:
            # At every beat: the disk may have been full.
            draining.begin()
            self._see_off()
        except Exception as error:
            if not self._complained:
                logger.warning(
                    "Auto Scaling could not be told that this machine is done (%s: %s); it goes on by itself when the "
                    "hook's time is up.",
                    type(error).__name__,
                    error,
                )
            self._complained = True

    def _see_off(self) -> None:
        self._parent.end_long_tasks()
        waited = time.monotonic() - self._leaving
        with _alone() as first:
            if not first:
                return
            if metadata.text("autoscaling/target-lifecycle-state") != "Terminated":
                # EC2 takes the machine without asking; there is nobody to tell.
                return
            if waited >= SETTLE_SECONDS and (waited >= PATIENCE_SECONDS or not _busy()):
                _hand_back()
                # EC2 may say it before the hook begins, while the load balancer still drains; then once more later.
                if _auto_scaling("complete_lifecycle_action", LifecycleActionResult="CONTINUE"):
                    _done().touch()
                    logger.info("This machine is done after %.0f s.", waited)
            elif time.monotonic() - self._renewed >= RENEW_SECONDS:
                self._renewed = time.monotonic()
                _auto_scaling("record_lifecycle_action_heartbeat")


def _done() -> Any:
    return draining.flag().with_suffix(".done")


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Whether it is this process's turn to speak to Auto Scaling, and nobody of the machine has said the last word."""
    with draining.flag().open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield not _done().exists() or _done().stat().st_mtime < draining.flag().stat().st_mtime


def _forget_heartbeats() -> None:
    """Nobody is to count on this machine any more, whichever of its workers hears of it first."""
    try:
        Heartbeat.objects.filter(name__startswith=f"{socket.gethostname()}:").delete()
    except AWAY as error:
        logger.warning("Heartbeats could not be removed (%s); they end by themselves.", type(error).__name__)


def _tables() -> list[type[Job]]:
    return [Prediction, *(table.model for table in job_tables.every())]


def _claims(model: type[Job]) -> list[str]:
    """The claims of this machine's processes."""
    mine = model._default_manager.filter(
        status=Job.Status.RUNNING, claimed_by__startswith=f"{socket.gethostname()}:"
    )
    return list(mine.order_by().values_list("claimed_by", flat=True).distinct())


def _busy() -> bool:
    """Whether a process of this machine is still at something."""
    if long_tasks.at_work():
        return True
    try:
        return any(_claims(model) for model in _tables())
    except AWAY:
        # It cannot be told; patience ends by itself.
        return True


def _hand_back() -> None:
    """Returns what is still claimed, which hardly ever is anything: its process hangs."""
    try:
        for model in _tables():
            for claim in _claims(model):
                logger.warning("A claim is handed back unfinished: %s.", claim)
                model._default_manager.hand_back(claim)
    except AWAY as error:
        logger.warning("Nothing could be handed back (%s); leases run out.", type(error).__name__)


def _auto_scaling(action: str, **details: str) -> bool:
    """Whether Auto Scaling took it: not while the hook has not begun or when it is over."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2, "mode": "standard"})
    client = boto3.client("autoscaling", region_name=metadata.region(), config=config)
    instance = metadata.text("instance-id") or ""
    found = client.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
    if not found:
        raise LookupError(f"{instance} belongs to no Auto Scaling group")
    group = found[0]["AutoScalingGroupName"]
    try:
        getattr(client, action)(
            LifecycleHookName=settings.TERMINATION_HOOK,
            AutoScalingGroupName=group,
            InstanceId=instance,
            **details,
        )
    except ClientError as error:
        if "No active Lifecycle Action" not in str(error):
            raise
        return False
    return True
