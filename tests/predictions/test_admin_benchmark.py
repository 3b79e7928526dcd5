"""The rows on which the admin is measured are there, and every address that is measured answers."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from benchmarks import admin
from predictions.models import Prediction, Report, Upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks")]


def test_rows_are_made_and_every_address_that_is_measured_answers(client: Client) -> None:
    admin.fill(240, 4, 60, 20)
    assert (Upload.objects.count(), Prediction.objects.count(), Report.objects.count()) == (120, 240, 20)
    states = set(Prediction.objects.values_list("status", flat=True))
    assert states == {"done", "failed", "queued"}
    for run in Prediction.objects.exclude(status="done"):
        run.full_clean(exclude=["lease_until"])
    client.force_login(User.objects.get(email=admin.STAFF))
    for template in admin.ADDRESSES.values():
        # So few rows have one page.
        admin.ask(client, admin.address(template, 0).split("?p=")[0])
