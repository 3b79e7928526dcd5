"""The rows on which the history is measured are rows that the site could have written."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from benchmarks import history, history_rows
from predictions.models import Prediction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks")]


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Prediction._meta.db_table)
    return {name for name, one in found.items() if one["index"]}


def test_rows_are_shared_out_and_every_address_that_is_measured_answers(client: Client) -> None:
    before = indexes()
    history_rows.fill(120, 4, 60)
    assert indexes() == before
    owner = User.objects.get(email="bench1@example.com")
    assert (Prediction.objects.count(), Prediction.objects.of(owner).count()) == (120, 60)
    for run in Prediction.objects.of(owner):
        run.full_clean(exclude=["lease_until"])
        assert run.batch.owner == run.upload.owner == owner
        assert run.clean_run is None or run.clean_run.model_id == run.model_id
    client.force_login(owner)
    for template in history.ADDRESSES.values():
        # So few rows have one page, other classes and other networks; how addresses are written is what counts.
        address = history.address(template, 0, run.batch_id).replace("model=vgg", "model=tiny")
        response = client.get(
            address.split("&page=")[0].split("page=")[0].replace("label=apple", "label=red")
        )
        assert response.status_code == 200, address
