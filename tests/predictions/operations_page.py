"""What tests of the operations page share: who reads it, what a part of it says, and runs that failed."""

from __future__ import annotations

import re

from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from predictions.models import Job, Prediction
from tests.predictions.moderation_console import make_staff
from tests.predictions.visitors import logged_in

PAGE = "/admin/operations/"


def staff(*rights: str) -> Client:
    return logged_in(make_staff(*rights))


def text_of(client: Client, part: str, **query: str) -> str:
    """What one part of the page says, in one line."""
    page = client.get(PAGE, query)
    assert page.status_code == 200
    found = re.search(rf'<section class="module" id="{part}".*?</section>', page.content.decode(), re.DOTALL)
    assert found
    return " ".join(strip_tags(re.sub(r"</t[dh]>", " | ", found[0])).split())


def failed(*runs: Prediction, code: str = "engine_failed", message: str = "It did not work.") -> None:
    for run in runs:
        Prediction.objects.filter(pk=run.pk).update(
            status=Job.Status.FAILED,
            attempts=3,
            started=timezone.now(),
            finished=timezone.now(),
            error_code=code,
            error_message=message,
        )
