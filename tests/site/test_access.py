"""Who may reach which address. An address that is missing from the table in access.py fails the suite.

Visitors, other users, superusers, owners, suspended users, moderators and guests. The admin's addresses and those of
the account pages that allauth serves: test_access_admin.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver

from accounts import suspension
from accounts.models import ApiToken, User
from classifier_site import health
from predictions.models import Share
from tests.factories import make_guest, make_runs, make_user
from tests.site.access import HTML, TABLE, Case, Things, Who

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

WITH_TESTS_OF_THEIR_OWN = ("allauth.",)
CASES = [
    pytest.param(case, id=f"{name}-{i}") for name, cases in TABLE.items() for i, case in enumerate(cases)
]
# Whoever tries the site without an account owns what an account would, on the pages of the workshop and nowhere else.
CASES_OF_OWNERS = [param for param in CASES if str(param.id).startswith("predictions:")]
CASES_WITHOUT_GUESTS = [param for param in CASES if param not in CASES_OF_OWNERS]


def routes(resolver: Any = None, namespace: str = "") -> Iterator[str]:
    """Every address of the site by name, or by pattern when it has none; not the admin's nor allauth's."""
    for entry in (resolver or get_resolver()).url_patterns:
        if hasattr(entry, "url_patterns"):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            if inner != "admin:":
                yield from routes(entry, inner)
        elif not entry.lookup_str.startswith(WITH_TESTS_OF_THEIR_OWN):
            yield f"{namespace}{entry.name}" if entry.name else str(entry.pattern)


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "run_probes", lambda probes: dict.fromkeys(probes, "ok"))


@pytest.fixture
def clients() -> dict[str, Client]:
    """In the order of `Who`."""
    found = {"visitor": Client()}
    users = {"other": {}, "staff": {"is_staff": True, "is_superuser": True}, "owner": {}}
    for name, rights in users.items():
        found[name] = Client()
        found[name].force_login(make_user(f"{name}@example.com", **rights))
    return found


@pytest.fixture
def suspended(clients: dict[str, Client]) -> Client:
    """The browser of a superuser, so of somebody with every right, who was suspended and has been told why."""
    user = make_user("suspended@example.com", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    suspension.suspend(User.objects.get(email="staff@example.com"), user, "spam")
    assert client.get("/", headers=HTML).status_code == 403
    return client


@pytest.fixture
def moderator(clients: dict[str, Client]) -> Client:
    user = make_user("moderator@example.com", is_staff=True)
    user.groups.add(Group.objects.get(name="moderators"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def things(clients: dict[str, Client]) -> Things:
    owner = User.objects.get(email="owner@example.com")
    token, _key = ApiToken.objects.issue(owner, "first")
    return things_of(owner, token)


def things_of(owner: Any, token: ApiToken) -> Things:
    run = make_runs(owner, models=("tiny",))[0]
    # Guests cannot share; as a row they can have one all the same, and it is nobody else's.
    return Things(run, token, Share.objects.create(owner=owner, kind=Share.Kind.PREDICTION, run=run))


def test_every_address_is_in_the_table() -> None:
    assert set(routes()) == set(TABLE)


@pytest.mark.parametrize("case", CASES)
def test_who_may(case: Case, clients: dict[str, Client], things: Things) -> None:
    seen = {name: case.ask(client, things) for name, client in clients.items()}
    assert Who(*(response.status_code for response in seen.values())) == case.who
    if case.who.visitor == 302 and case.who.owner != 302:
        assert seen["visitor"]["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("case", CASES)
def test_somebody_suspended_is_a_visitor_and_a_moderator_another_user(
    case: Case, suspended: Client, moderator: Client, things: Things, request: pytest.FixtureRequest
) -> None:
    assert case.ask(suspended, things).status_code == case.who.visitor
    # The operations page is for operators, whom superusers are.
    name = request.node.callspec.id.rpartition("-")[0]
    expected = 403 if name.startswith("operations:") else case.who.other
    assert case.ask(moderator, things).status_code == expected


@pytest.mark.parametrize("case", CASES_OF_OWNERS)
def test_a_guest_is_an_owner_like_others(case: Case, clients: dict[str, Client], things: Things) -> None:
    client = Client()
    guest = make_guest(client)
    assert case.ask(client, things).status_code == case.who.other
    own = things_of(guest, things.token)
    assert case.ask(clients["other"], own).status_code == case.who.other
    assert case.ask(client, own).status_code == case.who.owner


@pytest.mark.parametrize("case", CASES_WITHOUT_GUESTS)
def test_elsewhere_a_guest_is_a_visitor(case: Case, things: Things) -> None:
    client = Client()
    make_guest(client)
    assert case.ask(client, things).status_code == case.who.visitor


@pytest.mark.parametrize("name", ["other", "staff"])
def test_nobody_elses_predictions_are_listed_deleted_or_brought_back(
    clients: dict[str, Client], things: Things, name: str
) -> None:
    client = clients[name]
    assert client.get("/api/v1/predictions/").json()["results"] == []
    assert str(things.run.pk) not in client.get("/history/").content.decode()
    assert TABLE["predictions:delete"][0].ask(client, things).json()["deleted"] == []
    things.run.refresh_from_db()
    assert things.run.deleted is None
    assert TABLE["predictions:delete"][0].ask(clients["owner"], things).json()["deleted"]
    assert TABLE["predictions:undo"][0].ask(client, things).status_code == 410
    things.run.refresh_from_db()
    assert things.run.deleted is not None
    assert TABLE["predictions:undo"][0].ask(clients["owner"], things).status_code == 200


def test_what_another_user_may_not_see_is_not_told_from_what_does_not_exist(
    clients: dict[str, Client], things: Things
) -> None:
    address = f"/api/v1/predictions/{things.run.pk}/"
    missing = f"/api/v1/predictions/{things.run.batch_id}/"
    assert clients["other"].get(address).content == clients["other"].get(missing).content
