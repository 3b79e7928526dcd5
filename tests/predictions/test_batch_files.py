"""What can be downloaded of a batch, and that a spreadsheet does not run it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from predictions import inference, services, tables, truths
from predictions.models import Batch, Prediction
from predictions.services import RejectedPicture
from tests.factories import finish, make_picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def table(response: Any) -> list[list[str]]:
    content = response.getvalue().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


@pytest.fixture
def batch(user: User) -> Batch:
    """ball.png, one that is no picture, another ball.png that has no answer of the second network, and =1+1.png."""
    names = ["ball.png", "ball.png", "=1+1.png"]
    sent: list[Any] = [make_picture()._replace(filename=name) for name in names]
    sent.insert(1, RejectedPicture("notes.txt", "not_a_picture", "This file is not a picture."))
    submission = services.submit(user, sent)
    runs = submission.runs
    for run, first in zip([runs[0], runs[1], runs[2], runs[4], runs[5]], [0, 0, 5, 1, 2], strict=True):
        finish(run, 0.5, 0.25, 0.125, 0.0625, 0.03, first=first if first < 3 else 2)
    claim, _taken = Prediction.objects.claim(1)
    Prediction.objects.fail(claim, runs[3], "engine_failed", inference.ENGINE_FAILED)
    truths.keep(submission.batch, {str(runs[0].upload_id): "red"})
    return submission.batch


def test_labels_as_pairs_for_each_network(page: Client, batch: Batch) -> None:
    response = page.get(f"/batches/{batch.pk}/results.csv?form=labels&model=tiny")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    assert table(response) == [
        ["file name", "label"],
        ["ball.png", "red"],
        ["ball (2).png", "blue"],
        ["'=1+1.png", "green"],
    ]
    answer = page.get(f"/batches/{batch.pk}/results.json?form=labels").json()
    assert answer == {
        "tiny": {"ball.png": "red", "ball (2).png": "blue", "=1+1.png": "green"},
        "small": {"ball.png": "red", "=1+1.png": "blue"},
    }


def test_labels_of_which_network_must_be_said(page: Client, batch: Batch) -> None:
    for query in ("form=labels", "form=labels&model=none"):
        response = page.get(f"/batches/{batch.pk}/results.csv?{query}")
        assert response.status_code == 422
        assert "tiny, small" in response.json()["error"]["message"]


def test_everything_as_a_table_has_a_row_for_each_picture_sent(page: Client, batch: Batch) -> None:
    head, *rows = table(page.get(f"/batches/{batch.pk}/results.csv"))
    assert [row[0] for row in rows] == ["ball.png", "notes.txt", "ball (2).png", "'=1+1.png"]
    assert {len(row) for row in rows} == {len(head)}
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert found[0]["tiny label 1"] == "red"
    assert float(found[0]["tiny probability 5"]) == 0.03
    assert found[0]["small version"] == "test-1"
    assert [row["agreement"] for row in found] == ["same", "", "", "different"]
    assert [row["true label"] for row in found] == ["red", "", "", ""]
    assert found[1]["error"] == "This file is not a picture."
    assert (found[2]["small status"], found[2]["small label 1"]) == ("failed", "")
    assert found[2]["small error"].startswith("The network failed on this picture.")


def test_everything_as_json(page: Client, batch: Batch) -> None:
    response = page.get(f"/batches/{batch.pk}/results.json")
    body = json.loads(response.content)
    first, rejected, second, _third = body["pictures"]
    assert body["networks"] == ["tiny", "small"]
    assert body["totals"] == {
        "pictures": 3,
        "rejected": 1,
        "runs": 6,
        "done": 5,
        "failed": 1,
        "cancelled": 0,
        "agreement": 0.5,
    }
    assert rejected == {
        "file_name": "notes.txt",
        "status": "rejected",
        "error": "This file is not a picture.",
    }
    assert (first["file_name"], first["true_label"], first["agreement"]) == ("ball.png", "red", True)
    tiny = first["networks"]["tiny"]
    assert (tiny["status"], tiny["version"], tiny["error"]) == ("done", "test-1", None)
    assert tiny["top5"][0] == {"index": 0, "label": "red", "probability": 0.5}
    assert len(tiny["top5"]) == 5
    assert second["networks"]["small"]["top5"] is None
    assert second["networks"]["small"]["error"].endswith(".")


def test_a_downloaded_table_can_be_given_back_as_true_labels(page: Client, batch: Batch) -> None:
    content = page.get(f"/batches/{batch.pk}/results.csv?form=labels&model=tiny").getvalue()
    page.post(f"/batches/{batch.pk}/truths/", {"text": content.decode()})
    batch.refresh_from_db()
    uploads = list(
        batch.predictions.filter(model="tiny").order_by("position").values_list("upload", flat=True)
    )
    assert [batch.truths[str(pk)] for pk in uploads] == ["red", "blue", "green"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_stays_text(text: str) -> None:
    assert tables.safe_cell(text) == f"'{text}"


def test_other_cells_are_left_as_they_are() -> None:
    cells = ["a=b", "", None, 0.5, -1, "ünï", 'with "quotes", and commas']
    written = "".join(tables.csv_pieces(["x"], [cells]))
    head, row = csv.reader(io.StringIO(written))
    assert head == ["x"]
    assert row == ["a=b", "", "", "0.5", "-1", "ünï", 'with "quotes", and commas']


def test_many_rows_are_sent_in_pieces_without_being_gathered() -> None:
    taken: list[int] = []

    def rows() -> Any:
        for number in range(1000):
            taken.append(number)
            yield [number]

    pieces = tables.csv_pieces(["n"], rows())
    next(pieces)
    assert len(taken) == tables.ROWS_A_PIECE
    assert "".join(pieces).endswith("999\r\n")


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["a.png", "b.png"], ["a.png", "b.png"]),
        (["a.png", "a.png", "a.png"], ["a.png", "a (2).png", "a (3).png"]),
        (["a.png", "a (2).png", "a.png"], ["a.png", "a (2).png", "a (3).png"]),
        (["a.png", "A.png", "a (2).PNG"], ["a.png", "A (3).png", "a (2).PNG"]),
        (["picture", "picture", ".png", ".png"], ["picture", "picture (2)", ".png", ".png (2)"]),
    ],
)
def test_equal_file_names_are_numbered(names: list[str], unique: list[str]) -> None:
    assert truths.unique_names(names) == unique
