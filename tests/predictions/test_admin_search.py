"""Searching the admin's long lists: by the owner's address, by the file name, by both at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from predictions import admin_search, lifecycle
from predictions.models import Prediction, Upload
from tests.factories import finish, make_runs, make_user

pytestmark = pytest.mark.django_db

OWNERS = {"ada@example.com": "Rome.jpg", "bob@example.com": "old rome.jpg", "rome@example.org": "lake.jpg"}


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


@pytest.fixture(autouse=True)
def rows(small_networks: list[str], no_wake_ups: list[str]) -> None:
    for email, name in OWNERS.items():
        owner = make_user(email)
        (run,) = make_runs(owner, models=("tiny",))
        lifecycle.rename(owner, run.upload, name)


def found(client: Client, model: str, text: str) -> set[str]:
    page = client.get(reverse(f"admin:predictions_{model}_changelist"), {"q": text})
    assert page.status_code == 200
    return {row.owner.email.partition("@")[0] for row in page.context["cl"].result_list}


WANTED = {
    "ada@example.com": {"ada"},
    "ADA@": {"ada"},
    "@example.com": {"ada", "bob"},
    "rome": {"ada", "bob", "rome"},
    "rome@": {"rome"},
    "ROME.jpg": {"ada", "bob"},
    "bob rome": {"bob"},
    '"old rome"': {"bob"},
    "%": set(),
    '"': set(),
    "nobody@example.com": set(),
}


@pytest.mark.parametrize("model", ["upload", "prediction"])
@pytest.mark.parametrize("few", [admin_search.FEW, 1])
def test_rows_are_found(admin_client: Client, monkeypatch: Any, model: str, few: int) -> None:
    monkeypatch.setattr(admin_search, "FEW", few)
    assert {text: found(admin_client, model, text) for text in WANTED} == WANTED


def test_predictions_are_found_by_their_likeliest_class(admin_client: Client) -> None:
    run = finish(Prediction.objects.get(owner__email="bob@example.com"))
    assert run.top1
    assert found(admin_client, "prediction", run.top1.name) == {"bob"}


@pytest.mark.parametrize("model", ["upload", "prediction"])
def test_a_search_reads_neither_the_owners_with_each_row_nor_all_days(
    admin_client: Client, model: str
) -> None:
    address = reverse(f"admin:predictions_{model}_changelist")
    assert "toplinks" in admin_client.get(address).content.decode()
    with CaptureQueriesContext(connection) as asked:
        page = admin_client.get(address, {"q": "ada@example.com"})
    assert "toplinks" not in page.content.decode()
    counted = [
        query["sql"]
        for query in asked
        if "COUNT(*)" in query["sql"] and f"predictions_{model}" in query["sql"]
    ]
    assert len(counted) == 1
    assert "JOIN" not in counted[0]
    assert not [query for query in asked if "MIN(" in query["sql"]]


def test_a_search_by_day_stays_within_it(admin_client: Client) -> None:
    Upload.objects.filter(owner__email="ada@example.com").update(created="2020-05-05T12:00:00Z")
    address = reverse("admin:predictions_upload_changelist")
    page = admin_client.get(address, {"q": "rome", "created__year": "2020"})
    assert [row.owner.email for row in page.context["cl"].result_list] == ["ada@example.com"]
