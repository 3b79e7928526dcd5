"""Which address answers whom with which status: one row for every address of the site.

The admin's and those of the account pages that allauth serves are in test_access_admin.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray

from accounts import exports
from accounts.models import ApiToken
from learn import explanation_files
from learn.models import Explanation, OwnExample
from predictions.models import Prediction, Report, Share
from tests.learn.owning import finished_set

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
OWN_REFUSED = Who(401, 404, 404, 422)
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


def own(pattern: str) -> Callable[[Things], str]:
    def address(things: Things) -> str:
        found = finished_set(things.run.owner)
        picture = OwnExample.objects.filter(owned=found).values_list("pk", flat=True).first()
        return pattern.format(set=found.pk, picture=picture, link=found.token)

    return address


def in_set(things: Things) -> dict[str, Any]:
    return {"set": str(finished_set(things.run.owner).pk), "class": "cup"}


TABLE: dict[str, list[Case]] = {
    "home": [Case("/", EVERYONE)],
    "favicon.ico": [Case("/favicon.ico", Who(302, 302, 302, 302))],
    "healthz": [Case("/healthz", EVERYONE)],
    "readyz": [Case("/readyz", EVERYONE)],
    "javascript-catalog": [Case("/jsi18n/", EVERYONE)],
    "choose-language": [Case("/language/", Who(302, 302, 302, 302), "post")],
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
    "learn:laboratory-in-lesson": [
        Case("/learn/laboratory/xray/lesson/", NOTHING),
        Case(of_run("/learn/laboratory/xray/lesson/?on={run}"), OWN_QUIETLY),
    ],
    # A visitor's progress stays in the browser.
    "learn:own-classes": [
        Case("/learn/own-classes/", EVERYONE),
        Case("/learn/own-classes/", Who(302, 422, 422, 422), "post"),
    ],
    # What the owner's set lacks here (pictures, a network that hands out features) only its owner is told. What each
    # does: tests/learn/test_own_classes.py.
    "learn:own-set": [Case(own("/learn/own-classes/{set}/"), OWN_PAGE)],
    "learn:own-state": [Case(own("/learn/own-classes/{set}/state/"), OWN_ANSWER, headers=JSON)],
    "learn:own-change": [
        Case(own("/learn/own-classes/{set}/change/"), OWN_REFUSED, "post", headers=JSON),
        Case(own("/learn/own-classes/{set}/change/"), Who(302, 404, 404, 302), "post"),
    ],
    "learn:own-train": [
        Case(own("/learn/own-classes/{set}/train/"), Who(401, 404, 404, 409), "post", headers=JSON)
    ],
    "learn:own-delete": [Case(own("/learn/own-classes/{set}/delete/"), OWN_ANSWER, "post", headers=JSON)],
    "learn:own-export": [Case(own("/learn/own-classes/{set}/export.json"), OWN_ANSWER, headers=JSON)],
    "learn:own-share": [Case(own("/learn/own-classes/{set}/share/"), OWN_ANSWER, "post", headers=JSON)],
    "learn:own-withdraw": [Case(own("/learn/own-classes/{set}/withdraw/"), OWN_ANSWER, "post", headers=JSON)],
    "learn:own-picture": [Case(own("/learn/own-classes/{set}/pictures/{picture}.png"), OWN_PAGE)],
    "learn:own-remove": [
        Case(own("/learn/own-classes/{set}/pictures/{picture}/remove/"), OWN_ANSWER, "post", headers=JSON)
    ],
    "learn:own-add": [
        Case("/learn/own-classes/pictures/", Who(401, 404, 404, 409), "post", in_set, JSON),
    ],
    "learn:own-try": [Case("/learn/own-classes/try/", Who(401, 404, 404, 409), "post", in_set, JSON)],
    # Whoever has the link.
    "learn:own-shared": [Case(own("/learn/own-classes/shared/{link}/"), EVERYONE)],
    "learn:progress": [Case("/learn/progress/", Who(401, 200, 200, 200), "post", headers=JSON)],
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
    # It takes ids of anybody and shares only one's own: tests/predictions/test_share_forms.py.
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
    # These take ids of anybody and touch only one's own; test_access.py looks at what happened.
    "predictions:star": [Case("/predictions/star/", Who(401, 200, 200, 200), "post", run_id, headers=JSON)],
    "predictions:delete": [
        Case("/predictions/delete/", Who(401, 200, 200, 200), "post", run_id, headers=JSON)
    ],
    "predictions:undo": [
        Case("/predictions/undo/", Who(401, 410, 410, 410), "post", run_id, headers=JSON),
    ],
}
