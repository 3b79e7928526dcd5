"""What the tests of the history read on its pages, and the runs that they put there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from predictions import lifecycle
from predictions.models import Prediction
from tests.factories import finish, make_runs

JSON = {"accept": "application/json"}
BARS = [[0, 0, 0.5, 0.5]]


def text(response: Any) -> str:
    """A page's source with its white space made single."""
    return re.sub(r"\s+", " ", response.content.decode())


def listed(response: Any) -> list[str]:
    """The ids of the entries, in their order."""
    return re.findall(r'data-run="([^"]+)"', response.content.decode())


def run_at(user: User, *when: int, network: str = "tiny", first: int = 0) -> Prediction:
    """An answered run made at a moment of UTC."""
    (run,) = make_runs(user, models=(network,))
    finish(run, first=first)
    moment = datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]
    # Times that contradict each other are refused by the database, so all of them move.
    Prediction.objects.filter(pk=run.pk).update(created=moment, started=moment, finished=moment)
    return run


def answered(user: User, *probabilities: float, name: str = "", bars: Any = (), note: str = "") -> Prediction:
    """An answered run with its likeliest class's probability first, under a file name, with a note."""
    (run,) = make_runs(user, models=("tiny",), bars=bars)
    finish(run, *probabilities)
    if name:
        lifecycle.rename(user, run.upload, name)
    if note:
        lifecycle.annotate(user, run.pk, note)
    return run
