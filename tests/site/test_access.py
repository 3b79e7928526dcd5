"""Who may reach which address. An address that is missing from the table below fails the suite.

Visitors, other users, superusers, owners, suspended users, moderators and guests. The admin's addresses and those of
the account pages that allauth serves: test_access_admin.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from numpy.typing import NDArray

from accounts import exports, suspension
from accounts.models import ApiToken, User
from classifier_site import health
from learn import explanation_files
from learn.models import Explanation
from predictions.models import Prediction, Report, Share
from tests.factories import make_guest, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

WITH_TESTS_OF_THEIR_OWN = ("allauth.",)
HTML = {"accept": "text/html"}
JSON = {"accept": "application/json"}


class Things(NamedTuple):
    """What belongs to the owner."""

    run: Prediction
    token: ApiToken
    share: Share


class Who(NamedTuple):
    """The status that each of them reads, in the order in which they ask: the owner comes last.

    Two more follow from these, and no address of the table is an exception: somebody who is suspended is a visitor
    from the page on that told them so, and a moderator is another user outside the admin.
    """

    visitor: int
    other: int
    staff: int  # a superuser
    owner: int


EVERYONE = Who(200, 200, 200, 200)
SIGNED_IN = Who(302, 200, 200, 200)  # a visitor is sent to the login page
OWN_PAGE = Who(302, 404, 404, 200)
OWN_ANSWER = Who(401, 404, 404, 200)  # asked for as JSON
# Nobody is asked to log in, for there is something for visitors at the same address.
OWN_QUIETLY = Who(404, 404, 404, 200)
NOTHING = Who(404, 404, 404, 404)


@dataclass(frozen=True)
class Case:
    address: Callable[[Things], str] | str
    who: Who
    method: str = "get"
    data: Callable[[Things], dict[str, Any]] = field(default=lambda things: {})
    headers: dict[str, str] = field(default_factory=lambda: HTML)

    def ask(self, client: Client, things: Things) -> Any:
        address = self.address if isinstance(self.address, str) else self.address(things)
        return getattr(client, self.method)(address, self.data(things), headers=self.headers)


def of_run(pattern: str) -> Callable[[Things], str]:
    return lambda things: pattern.format(
        run=things.run.pk,
        batch=things.run.batch_id,
        upload=things.run.upload_id,
        share=things.share.pk,
        link=things.share.token,
    )


def run_id(things: Things) -> dict[str, Any]:
    return {"id": str(things.run.pk)}


def revoke(things: Things) -> str:
    return f"/account/tokens/{things.token.pk}/revoke/"


def archive(things: Things) -> str:
    """Of the owner's data, ready to be downloaded."""
    kept, is_new = exports.ask(things.token.owner)
    if is_new:
        exports.prepare()
    return f"/account/export/{kept.pk}/"


def reported(things: Things) -> str:
    """Where somebody who reported the owner's picture reads what came of it."""
    told = {
        "upload": things.run.upload,
        "account": things.run.owner,
        "reason": "minor",
        "reporter_key": "one",
    }
    report, _is_new = Report.objects.get_or_create(**told)
    return f"/reports/{report.pk}/"


def on_run(things: Things) -> dict[str, Any]:
    return {"on": str(things.run.pk), "network": "tiny", "kind": "xray"}


def explained(pattern: str) -> Callable[[Things], str]:
    """What was explained of the owner's picture."""

    def address(things: Things) -> str:
        members: dict[str, bytes | NDArray[Any]] = {"map.png": b"a picture"}
        found = Explanation.objects.filter(owner=things.run.owner).first() or Explanation.objects.create(
            owner=things.run.owner,
            network_input=things.run.network_input,
            network="tiny",
            artifact="tiny-1",
            kind="xray",
            clean_pixels=b"",
            key="0",
            status="done",
            finished=timezone.now(),
            file=explanation_files.write(members)[0],
            members=["map.png"],
        )
        return pattern.format(found.pk)

    return address


TABLE: dict[str, list[Case]] = {
    "home": [Case("/", EVERYONE)],
    "favicon.ico": [Case("/favicon.ico", Who(302, 302, 302, 302))],
    "healthz": [Case("/healthz", EVERYONE)],
    "readyz": [Case("/readyz", EVERYONE)],
    "javascript-catalog": [Case("/jsi18n/", EVERYONE)],
    "learn:index": [Case("/learn/", EVERYONE)],
    "learn:page": [Case("/learn/overview/", EVERYONE)],
    # The small networks of these tests have no layers to look into, so there is nothing to see of a sample picture, and
    # of a run that waits only its owner learns so. Everything else: tests/learn/test_laboratory_pages.py,
    # test_explanation_views.py and test_network_views.py.
    "learn:laboratory": [
        Case("/learn/laboratory/", NOTHING),
        Case(of_run("/learn/laboratory/?on={run}"), OWN_QUIETLY),
    ],
    "learn:laboratory-figure": [
        Case("/learn/laboratory/xray/", NOTHING),
        Case(of_run("/learn/laboratory/xray/?on={run}"), OWN_QUIETLY),
    ],
    "learn:laboratory-embed": [
        Case("/learn/laboratory/xray/embed/", NOTHING),
        Case(of_run("/learn/laboratory/xray/embed/?on={run}"), NOTHING),
    ],
    "learn:explanations": [
        Case("/learn/laboratory/explanations/", Who(404, 404, 404, 409), "post", on_run, JSON)
    ],
    "learn:explanation": [Case(explained("/learn/laboratory/explanations/{}/"), OWN_QUIETLY, headers=JSON)],
    "learn:explanation-file": [
        Case(explained("/learn/laboratory/explanations/{}/files/map.png"), OWN_QUIETLY, headers=JSON)
    ],
    "learn:explanation-find": [
        Case(of_run("/learn/laboratory/explanations/find?on={run}"), NOTHING, headers=JSON)
    ],
    "learn:structure": [Case("/learn/laboratory/networks/tiny/structure.json", NOTHING, headers=JSON)],
    "learn:kernel": [Case("/learn/laboratory/networks/tiny/kernels/conv/0.npy", NOTHING, headers=JSON)],
    "learn:normalisation": [
        Case("/learn/laboratory/networks/tiny/normalisations/bn.npy", NOTHING, headers=JSON)
    ],
    "learn:dense": [Case("/learn/laboratory/networks/tiny/dense.npy", NOTHING, headers=JSON)],
    # Staff with the right to see the workers; who that is in detail: tests/predictions/test_operations.py.
    "operations:page": [Case("/admin/operations/", Who(302, 302, 200, 302))],
    "operations:now": [Case("/admin/operations/now/", Who(302, 302, 200, 302))],
    "operations:retry": [
        Case("/admin/operations/retry/", Who(302, 302, 405, 302)),
        Case("/admin/operations/retry/", Who(302, 302, 302, 302), "post"),
    ],
    "schema": [Case("/api/schema/", EVERYONE, headers={})],
    "api-docs": [Case("/api/docs/", EVERYONE)],
    "accounts:account": [Case("/account/", SIGNED_IN), Case("/account/", Who(302, 422, 422, 422), "post")],
    "accounts:make-token": [
        Case("/account/tokens/", Who(302, 200, 200, 200), "post", lambda things: {"name": "second"})
    ],
    "accounts:revoke-token": [
        Case(revoke, Who(302, 404, 404, 302)),
        Case(revoke, Who(302, 404, 404, 302), "post"),
    ],
    # Of sessions everybody has their own: tests/accounts/test_sessions.py.
    "accounts:end-session": [
        Case("/account/sessions/0/end/", Who(302, 404, 404, 404)),
        Case("/account/sessions/0/end/", Who(302, 404, 404, 404), "post"),
    ],
    "accounts:export": [
        Case("/account/export/", Who(401, 200, 200, 200), headers=JSON),
        Case("/account/export/", Who(302, 302, 302, 302)),
        Case("/account/export/", Who(302, 302, 302, 302), "post"),
    ],
    "accounts:export-file": [Case(archive, OWN_PAGE)],
    "accounts:delete": [
        Case("/account/delete/", SIGNED_IN),
        Case("/account/delete/", Who(302, 422, 422, 422), "post"),
    ],
    # Whose account is not about to be deleted has nothing to keep: tests/accounts/test_deletion.py.
    "accounts:keep": [
        Case("/account/keep/", Who(302, 302, 302, 302)),
        Case("/account/keep/", Who(302, 302, 302, 302), "post"),
    ],
    "privacy": [Case("/privacy/", EVERYONE)],
    "terms": [Case("/terms/", EVERYONE)],
    "accounts:keep-guest": [Case("/account/guest/keep/", Who(302, 302, 302, 302), "post")],
    "accounts:refuse-guest": [Case("/account/guest/refuse/", Who(302, 302, 302, 302), "post")],
    "accounts_api:token": [Case("/api/v1/token/", Who(400, 400, 400, 400), "post", headers=JSON)],
    "api-root": [Case("/api/v1/", Who(401, 200, 200, 200), headers=JSON)],
    "prediction-list": [
        Case("/api/v1/predictions/", Who(401, 200, 200, 200), headers=JSON),
        Case("/api/v1/predictions/", Who(401, 400, 400, 400), "post", headers=JSON),
    ],
    "prediction-detail": [
        Case(of_run("/api/v1/predictions/{run}/"), OWN_ANSWER, headers=JSON),
        Case(of_run("/api/v1/predictions/{run}/"), Who(401, 404, 404, 415), "patch", headers=JSON),
        Case(of_run("/api/v1/predictions/{run}/"), Who(401, 404, 404, 204), "delete", headers=JSON),
    ],
    "prediction-image": [Case(of_run("/api/v1/predictions/{run}/image/"), OWN_ANSWER, headers=JSON)],
    "prediction-cancel": [
        Case(of_run("/api/v1/predictions/{run}/cancel/"), OWN_ANSWER, "post", headers=JSON)
    ],
    # Nothing of it has failed or been answered yet, which only its owner is told.
    "prediction-retry": [
        Case(of_run("/api/v1/predictions/{run}/retry/"), Who(401, 404, 404, 409), "post", headers=JSON)
    ],
    "prediction-probabilities": [
        Case(of_run("/api/v1/predictions/{run}/probabilities/"), Who(401, 404, 404, 409), headers=JSON)
    ],
    "prediction-activity": [Case("/api/v1/predictions/activity/", Who(401, 200, 200, 200), headers=JSON)],
    "prediction-export": [Case("/api/v1/predictions/export.csv", Who(401, 200, 200, 200), headers=JSON)],
    "prediction-compare": [
        Case(of_run("/api/v1/predictions/compare/?a={run}&b={run}"), Who(401, 404, 404, 409), headers=JSON)
    ],
    # These take ids of anybody, as JSON, and touch only one's own: tests/predictions/test_api_changes.py.
    "prediction-delete-many": [
        Case("/api/v1/predictions/delete/", Who(401, 415, 415, 415), "post", headers=JSON)
    ],
    "prediction-undo": [Case("/api/v1/predictions/undo/", Who(401, 415, 415, 415), "post", headers=JSON)],
    "batch-list": [Case("/api/v1/batches/", Who(401, 200, 200, 200), headers=JSON)],
    "batch-detail": [
        Case(of_run("/api/v1/batches/{batch}/"), OWN_ANSWER, headers=JSON),
        Case(of_run("/api/v1/batches/{batch}/"), Who(401, 404, 404, 204), "delete", headers=JSON),
    ],
    "batch-cancel": [Case(of_run("/api/v1/batches/{batch}/cancel/"), OWN_ANSWER, "post", headers=JSON)],
    "batch-retry": [Case(of_run("/api/v1/batches/{batch}/retry/"), OWN_ANSWER, "post", headers=JSON)],
    "batch-truths": [
        Case(of_run("/api/v1/batches/{batch}/truths/"), Who(401, 404, 404, 415), "put", headers=JSON)
    ],
    "batch-results-csv": [Case(of_run("/api/v1/batches/{batch}/results.csv"), OWN_ANSWER, headers=JSON)],
    "batch-results-json": [Case(of_run("/api/v1/batches/{batch}/results.json"), OWN_ANSWER, headers=JSON)],
    "share-list": [
        Case("/api/v1/shares/", Who(401, 200, 200, 200), headers=JSON),
        Case("/api/v1/shares/", Who(401, 415, 415, 415), "post", headers=JSON),
    ],
    "share-detail": [
        Case(of_run("/api/v1/shares/{share}/"), OWN_ANSWER, headers=JSON),
        Case(of_run("/api/v1/shares/{share}/"), Who(401, 404, 404, 204), "delete", headers=JSON),
    ],
    # Of the picture of somebody who may see it; what else there is: tests/learn/test_api_explanations.py.
    "explanation-list": [
        Case("/api/v1/explanations/", Who(401, 200, 200, 200), headers=JSON),
        Case("/api/v1/explanations/", Who(401, 415, 415, 415), "post", headers=JSON),
    ],
    "explanation-detail": [
        Case(explained("/api/v1/explanations/{}/"), OWN_ANSWER, headers=JSON),
        Case(explained("/api/v1/explanations/{}/"), Who(401, 404, 404, 204), "delete", headers=JSON),
    ],
    "explanation-file": [Case(explained("/api/v1/explanations/{}/files/map.png"), OWN_ANSWER, headers=JSON)],
    # It is an X-ray, which has no maps of classes.
    "explanation-map-json": [
        Case(explained("/api/v1/explanations/{}/maps/red.json"), Who(401, 404, 404, 404), headers=JSON)
    ],
    "explanation-map-png": [
        Case(explained("/api/v1/explanations/{}/maps/red.png"), Who(401, 404, 404, 404), headers=JSON)
    ],
    "network-layers": [Case("/api/v1/networks/tiny/layers/", Who(401, 404, 404, 404), headers=JSON)],
    "network-list": [Case("/api/v1/networks/", Who(401, 200, 200, 200), headers=JSON)],
    "predictions:predict": [
        Case("/predict/", EVERYONE),
        Case("/predict/", Who(422, 422, 422, 422), "post"),
        Case(of_run("/predict/?upload={upload}"), OWN_PAGE),
    ],
    "predictions:draft": [Case("/predict/draft/", Who(422, 422, 422, 422), "post", headers=JSON)],
    "predictions:live": [
        Case("/predict/live/", OWN_ANSWER, "post", lambda things: {"draft": str(things.run.upload_id)}, JSON)
    ],
    "predictions:detail": [Case(of_run("/predictions/{run}/"), OWN_PAGE)],
    "predictions:status": [Case(of_run("/predictions/{run}/status/"), OWN_ANSWER, headers=JSON)],
    "predictions:again": [Case(of_run("/predictions/{run}/again/"), Who(302, 404, 404, 302), "post")],
    "predictions:input": [Case(of_run("/predictions/{run}/input.png"), OWN_PAGE)],
    "predictions:batch": [Case(of_run("/batches/{batch}/"), OWN_PAGE)],
    "predictions:batch-status": [Case(of_run("/batches/{batch}/status/"), OWN_ANSWER, headers=JSON)],
    "predictions:batch-csv": [Case(of_run("/batches/{batch}/results.csv"), OWN_PAGE)],
    "predictions:batch-json": [Case(of_run("/batches/{batch}/results.json"), OWN_PAGE)],
    "predictions:batch-truths": [
        Case(
            of_run("/batches/{batch}/truths/"), Who(302, 404, 404, 302), "post", lambda things: {"clear": "1"}
        )
    ],
    "predictions:cancel": [Case(of_run("/predictions/{run}/cancel/"), OWN_ANSWER, "post", headers=JSON)],
    "predictions:batch-cancel": [Case(of_run("/batches/{batch}/cancel/"), OWN_ANSWER, "post", headers=JSON)],
    "predictions:batch-retry": [Case(of_run("/batches/{batch}/retry/"), OWN_ANSWER, "post", headers=JSON)],
    "predictions:batch-delete": [Case(of_run("/batches/{batch}/delete/"), OWN_ANSWER, "post", headers=JSON)],
    "predictions:picture": [Case(of_run("/pictures/{upload}/"), OWN_PAGE)],
    "predictions:compare": [
        Case("/compare/", SIGNED_IN),
        Case(of_run("/compare/?a={run}&b={run}"), OWN_PAGE),
        Case("/compare/", Who(302, 302, 302, 302), "post"),
    ],
    "predictions:share": [Case(of_run("/predictions/{run}/share/"), Who(302, 404, 404, 302), "post")],
    "predictions:share-batch": [Case(of_run("/batches/{batch}/share/"), Who(302, 404, 404, 302), "post")],
    # It takes ids of anybody and shares only one's own: tests/predictions/test_share_views.py.
    "predictions:share-comparison": [Case("/compare/share/", Who(302, 302, 302, 302), "post")],
    "predictions:withdraw": [Case(of_run("/shares/{share}/withdraw/"), Who(302, 404, 404, 302), "post")],
    # Whoever has the link; when it ends is in tests/predictions/test_share_views.py.
    "predictions:shared": [Case(of_run("/s/{link}/"), EVERYONE)],
    "predictions:shared-status": [Case(of_run("/s/{link}/status/"), EVERYONE, headers=JSON)],
    "predictions:shared-picture": [Case(of_run("/s/{link}/pictures/{upload}/"), EVERYONE)],
    "predictions:shared-input": [Case(of_run("/s/{link}/inputs/{run}.png"), EVERYONE)],
    "predictions:shared-preview": [Case(of_run("/s/{link}/preview.png"), EVERYONE)],
    # Whoever has the link, and whoever reported: tests/predictions/test_reports.py. A reason is missing here.
    "predictions:report": [
        Case(of_run("/s/{link}/report/?picture={upload}"), EVERYONE),
        Case(of_run("/s/{link}/report/"), Who(422, 422, 422, 422), "post"),
    ],
    "predictions:report-status": [Case(reported, EVERYONE)],
    "predictions:history": [Case("/history/", SIGNED_IN)],
    "predictions:activity": [Case("/history/activity/", SIGNED_IN)],
    "predictions:history-csv": [Case("/history/export.csv", SIGNED_IN)],
    "predictions:edit": [Case(of_run("/predictions/{run}/edit/"), OWN_ANSWER, "post", headers=JSON)],
    # These take ids of anybody and touch only one's own; the tests below look at what happened.
    "predictions:star": [Case("/predictions/star/", Who(401, 200, 200, 200), "post", run_id, headers=JSON)],
    "predictions:delete": [
        Case("/predictions/delete/", Who(401, 200, 200, 200), "post", run_id, headers=JSON)
    ],
    "predictions:undo": [
        Case("/predictions/undo/", Who(401, 410, 410, 410), "post", run_id, headers=JSON),
    ],
}
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
