"""Whether a worker's parent does its work: its main loop turns, and no task outlives its time limit."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.worker import state

logger = logging.getLogger(__name__)

# The loop answers within a second, unless something blocks it.
LOOP_SECONDS = 60.0
# The parent ends a task at its time limit; one that is still there so much later says that it does not.
MARGIN_SECONDS = 30.0


class Pulse:
    """Of the parent whose Celery ``consumer`` this is. All of it may be called from another thread."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._asked: float | None = None
        self._ended: set[str] = set()

    def stuck(self) -> str:
        """What is wrong, in one sentence; empty while all is well. To be asked at every beat."""
        return self._loop() or self._task()

    def _loop(self) -> str:
        if self._consumer.connection is None:
            # It looks for its broker, which may be away for as long as it likes.
            self._asked = None
            return ""
        # The loop may answer at any moment from here on, in its own thread: what it changes is read once.
        asked = self._asked
        waited = 0.0 if asked is None else time.monotonic() - asked
        if asked is None:
            self._asked = time.monotonic()
        # At every beat: a loop that begins anew forgets what it was asked.
        self._consumer.call_soon(self._answer)
        return f"its main loop has not turned for {waited:.0f} s" if waited > LOOP_SECONDS else ""

    def _answer(self) -> None:
        self._asked = None

    def _task(self) -> str:
        for request in _active():
            limit = request.task.time_limit or self._consumer.app.conf.task_time_limit
            if limit and request.time_start and time.time() - request.time_start > limit + MARGIN_SECONDS:
                return f"a task has outlived its time limit of {limit:.0f} s"
        return ""

    # -- going away ----------------------------------------------------------------------------------

    def stop_taking(self) -> None:
        """Takes no more messages: other workers get them."""
        for queue in list(self._consumer.app.amqp.queues.consume_from):
            self._consumer.call_soon(self._cancel, queue)

    def _cancel(self, queue: str) -> None:
        try:
            self._consumer.cancel_task_queue(queue)
        except Exception as error:
            # Without a connection there is nothing to cancel, and the next one asks for no messages.
            logger.debug("The queue %s had no consumer: %s.", queue, type(error).__name__)
        logger.info("No messages are taken from the queue %s any more.", queue)

    def end_long_tasks(self) -> int:
        """Ends tasks that may take longer than others do; they hand back what they have. Says how many."""
        usual = self._consumer.app.conf.task_time_limit
        long = [one for one in _active() if (one.task.time_limit or 0) > usual]
        for request in long:
            # A second signal would cut short what the first one has begun.
            if request.id not in self._ended:
                self._ended.add(request.id)
                self._consumer.call_soon(request.terminate, self._consumer.pool)
        return len(long)


def _active() -> list[Any]:
    """The tasks under way. The main loop may begin or end one at any moment, and then they are looked through again."""
    while True:
        try:
            return list(state.active_requests)
        except RuntimeError:
            continue
