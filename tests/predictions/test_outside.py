"""A picture unlike all that the network learned from: the row, the page, the history and the API say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError

from accounts.models import User
from ml import artifact
from ml.outside_score import FILE
from ml.storage import write_arrays, write_json
from predictions import inference, personal, services
from predictions.corruption import parse_bars
from predictions.models import Prediction
from tests.factories import make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

RED, GREY = (255, 0, 0), (128, 128, 128)
SAYS = "This picture is unlike those the network learned from. Its answer below means little."
SAYS_COVERED = "With its bars, this picture is unlike those the network learned from."
BADGE = "unlike what it learned"


@pytest.fixture
def scored(tmp_path: Path) -> None:
    """The network `tiny` finds strange what has no colour: its energy is -1.9 for grey and below -4 for red."""
    folder = tmp_path / "artifacts" / "tiny"
    write_arrays(folder / FILE, {"energy/usual": np.array([0.0, 1.0]), "deep": np.asarray(0)})
    card = json.loads((folder / "card.json").read_text())
    card["files"][FILE] = artifact.checksum(folder / FILE)
    card["outside"] = {"method": "energy", "threshold": -3.0, "accepted": 0.98}
    write_json(folder / "card.json", card)


def answered(
    user: User, *colours: Any, models: tuple[str, ...] = ("tiny",), bars: Any = None
) -> list[Prediction]:
    pictures = [make_picture(colour) for colour in colours]
    runs = services.submit(user, pictures, models, parse_bars(bars)).runs
    inference.drain()
    for run in runs:
        run.refresh_from_db()
    assert {run.status for run in runs} == {"done"}
    return runs


def test_the_score_and_the_verdict_are_saved_with_the_answer(user, scored):
    grey, red = answered(user, GREY, RED)
    assert (grey.outside, red.outside) == (True, False)
    assert grey.outside_score == pytest.approx(-1.95, abs=0.05)
    assert red.outside_score < -4
    assert red.top1.name == "red"


def test_the_page_says_it_beside_the_answer_and_only_when_it_fires(page, user, scored):
    grey, red = answered(user, GREY, RED)
    html = page.get(f"/predictions/{grey.pk}/").content.decode()
    assert html.count("data-outside") == 1
    assert SAYS in html
    assert html.index(SAYS) < html.index("answer-list")
    assert SAYS in page.get(f"/predictions/{grey.pk}/status/").content.decode()
    assert "data-outside" not in page.get(f"/predictions/{red.pk}/").content.decode()


def test_a_covered_picture_is_judged_with_its_bars(page, user, scored):
    (run,) = answered(user, RED, bars=[[0, 0, 0.7, 1]])
    assert run.outside is True
    assert run.clean_run.outside is False
    html = page.get(f"/predictions/{run.pk}/").content.decode()
    assert html.count("data-outside") == 1
    assert SAYS_COVERED in html


def test_the_history_and_the_batch_carry_a_small_mark(page, user, scored):
    grey, _ = answered(user, GREY, RED)
    for address in ("/history/", f"/batches/{grey.batch_id}/"):
        assert page.get(address).content.decode().count(BADGE) == 1, address


def test_those_who_hear_the_page_hear_it_too(page, user, scored):
    grey, red = answered(user, GREY, RED)
    says = [page.get(f"/predictions/{run.pk}/").context["group"].says for run in (grey, red)]
    assert "The picture is unlike those it learned from." in says[0]
    assert "unlike" not in says[1]


def test_the_api_answers_true_false_or_null(page, user, scored):
    grey, red, plain, _ = [*answered(user, GREY, RED), *answered(user, GREY, RED, models=("small",))]
    values = [page.get(f"/api/v1/predictions/{run.pk}/").json()["outside"] for run in (grey, red, plain)]
    assert values == [True, False, None]
    waiting = services.submit(user, [make_picture(GREY)], ["tiny"]).runs[0]
    assert page.get(f"/api/v1/predictions/{waiting.pk}/").json()["outside"] is None


def test_the_schema_says_what_it_means(tmp_path):
    call_command("spectacular", file=str(tmp_path / "schema.json"), format="openapi-json", validate=True)
    schema = json.loads((tmp_path / "schema.json").read_text())
    field = schema["components"]["schemas"]["Prediction"]["properties"]["outside"]
    assert field["type"] == "boolean"
    assert field["nullable"] is True
    assert "unlike those that the network learned from" in field["description"]


def test_networks_that_cannot_tell_say_nothing(page, user):
    (run,) = answered(user, GREY)
    assert (run.outside, run.outside_score) == (None, None)
    assert "data-outside" not in page.get(f"/predictions/{run.pk}/").content.decode()
    assert BADGE not in page.get("/history/").content.decode()


def test_a_score_that_is_no_number_counts_as_none(user, scored, monkeypatch):
    network = inference.predictor("tiny")
    answers = network.answers
    monkeypatch.setattr(
        network, "answers", lambda pixels: answers(pixels)._replace(outside=np.full(len(pixels), np.nan))
    )
    (run,) = answered(user, GREY)
    assert (run.outside, run.outside_score) == (None, None)


def test_the_export_of_ones_data_holds_it(user, scored):
    (run,) = answered(user, GREY)
    (row,) = personal.export(user)["predictions"]
    assert (row["outside"], row["outside_score"]) == (True, run.outside_score)


def test_the_database_refuses_a_verdict_without_a_score(user, scored):
    (run,) = answered(user, GREY)
    with pytest.raises(IntegrityError, match="prediction_outside_has_score"):
        Prediction.objects.filter(pk=run.pk).update(outside_score=None)
