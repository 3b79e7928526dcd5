"""Requests made up from the API's own description, the valid and the invalid: nothing may surprise its reader.

Schemathesis reads the published document and checks each answer against it, in this process and without a network.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.core.parameters import ParameterLocation

from accounts.models import ApiToken, User
from classifier_site.wsgi import application
from learn import explanation_files
from learn.models import Explanation
from ml.artifact import load_card
from predictions import services
from predictions.models import Distribution, Job, Prediction
from tests.factories import finish, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

EXAMPLES = 24
WELL_FORMED = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
# A description says which requests are well formed. It cannot say which password is right, how the classes of the
# networks are called that are there today, what the pictures of a batch are called, that one day lies before another,
# what a kind of explanation can be told, or that bytes are a picture; so these calls may answer 400 or 422 to what is
# well formed.
FILTERED = ["predictions_list", "predictions_export", "predictions_activity"]
EXPLAINED = [
    "explanations_list",
    "explanations_create",
    "explanations_map_retrieve",
    "explanations_map_image_retrieve",
]
NEED_MORE_THAN_FORM = ["token_create", *FILTERED, "predictions_create", "batches_truths", *EXPLAINED]
# One pixel, as a GIF of ASCII characters only: a string of the kind that the description asks for.
PICTURE = "GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
CONFIG = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "database": "none",
        "max-examples": EXAMPLES,
        "with-security-parameters": False,
    },
    "operations": [
        {
            "include-operation-id": NEED_MORE_THAN_FORM,
            "checks": {"positive_data_acceptance": {"expected-statuses": [*WELL_FORMED, "400", "422"]}},
        }
    ],
}
schema = schemathesis.openapi.from_wsgi(
    "/api/schema/?format=json", application, config=schemathesis.Config.from_dict(CONFIG)
)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Hundreds of requests a second are the point here."""
    settings.RATE_LIMITS = settings.AXES_ENABLED = False
    for scope in list(SimpleRateThrottle.THROTTLE_RATES):
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, None)


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def key(owner: User) -> str:
    _token, key = ApiToken.objects.issue(owner, "fuzz")
    return key


@pytest.fixture
def runs(owner: User) -> Callable[[], Prediction]:
    """Predictions in every state by turns, as many as are asked for: some calls delete them."""
    bad = services.RejectedPicture("notes.txt", "not_a_picture", "This file is not a picture.")
    services.submit(owner, [bad, make_picture()], ["tiny"])
    states = cycle([Job.Status.DONE, Job.Status.QUEUED, Job.Status.FAILED, Job.Status.CANCELLED])

    def one() -> Prediction:
        state = next(states)
        run = Prediction.objects.of(owner).filter(status=state, asked=True).first()
        return run or made(state)

    def made(state: str) -> Prediction:
        (run,) = make_runs(owner, models=("tiny",), bars=[[0.1, 0.2, 0.3, 0.4]])
        if state == Job.Status.DONE:
            Distribution.of(run, [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05]).save()
            return finish(run, 0.4, 0.2, 0.1, 0.1, 0.1)
        reason = {"error_code": "engine_failed", "error_message": "The network failed."}
        fields = {"status": state, **(reason if state == Job.Status.FAILED else {})}
        if state != Job.Status.QUEUED:
            fields["finished"] = run.created
        Prediction.objects.filter(pk=run.pk).update(**fields)
        run.refresh_from_db()
        return run

    return one


@pytest.fixture
def explained(
    owner: User, runs: Callable[[], Prediction], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Explanation]:
    """Explanations with a file of maps, done and waiting by turns, as many as are asked for."""
    monkeypatch.setattr("ml.explain.structure.explainable", lambda card: True)
    count, states = itertools.count(), cycle([Job.Status.DONE, Job.Status.DONE, Job.Status.QUEUED])

    def one() -> Explanation:
        run = runs()
        row = Explanation(
            owner=owner,
            network_input=run.network_input,
            network="tiny",
            artifact="tiny-1",
            key=str(next(count)),
        )
        row.kind, row.status, row.clean_pixels = "class_map", next(states), b""
        if row.status == Job.Status.DONE:
            shape = (len(load_card("tiny").labels), 2, 2)
            members = {"maps.npy": np.ones(shape), "logits.npy": np.ones((2, shape[0]))}
            row.file.name, row.bytes = explanation_files.write(members)
            row.members, row.finished = sorted(members), run.created
        row.save()
        return row

    return one


@schema.parametrize()
@settings(
    max_examples=50, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_nothing_surprises_who_has_read_the_description(
    case: Any, key: str, runs: Callable[[], Prediction], explained: Callable[[], Explanation]
) -> None:
    make_it_meet_something(case, runs, explained)
    case.call_and_validate(headers={"Authorization": f"Token {key}"})


def make_it_meet_something(
    case: Any, runs: Callable[[], Prediction], explained: Callable[[], Explanation]
) -> None:
    """Puts what is there in place of made-up ids, names and bytes, which would all be refused alike.

    What is meant to be wrong stays as it is. Parts of a case may be shared with other cases, so each is replaced and
    never changed in place.
    """

    def is_right(location: ParameterLocation) -> bool:
        part = case.meta.components.get(location)
        return part is None or part.mode.is_positive

    name = case.operation.definition.raw["operationId"]
    if "id" in (case.path_parameters or {}) and is_right(ParameterLocation.PATH):
        run = runs()
        pk = run.batch_id if name.startswith("batches") else run.pk
        there = {"id": str(pk)}
        if name.startswith("explanations"):
            there = {"id": str(explained().pk), "name": "maps.npy", "which": "red"}
        case.path_parameters = {one: there[one] for one in case.path_parameters}
    if name == "networks_layers_retrieve" and is_right(ParameterLocation.PATH):
        case.path_parameters = {"name": "tiny"}
    if case.query and is_right(ParameterLocation.QUERY):
        there = {"model": "tiny", "label": "red"}
        if name == "predictions_compare":
            there = {"a": str(runs().pk), "b": str(runs().pk)}
        case.query = {**case.query, **{one: there[one] for one in there if case.query.get(one)}}
    if name == "explanations_create" and is_right(ParameterLocation.BODY) and isinstance(case.body, dict):
        there = {"prediction": str(runs().pk), "sample": "apple", "network": "tiny", "kind": "answers"}
        case.body = {one: there.get(one, value) for one, value in case.body.items()}
    if name == "predictions_create" and is_right(ParameterLocation.BODY) and isinstance(case.body, dict):
        fixed = {"bars": "[[0.1, 0.2, 0.3, 0.4]]", "crop": "whole", "model": ["tiny"]}
        sent = {one: fixed[one] for one in fixed if one in case.body}
        case.body = {"image": [PICTURE for _one in case.body["image"]][:3], **sent}
