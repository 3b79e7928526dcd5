"""A database of the release before the workshop becomes one of this release, with its rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from predictions import upkeep
from predictions.models import Prediction
from tests.factories import make_runs, make_user

BEFORE = [("predictions", "0003_prediction_crop")]
COLUMNS = [("predictions", "0004_workshop")]
ROWS = [("predictions", "0005_workshop_rows")]
NOW = [("predictions", "0006_workshop_indexes")]

BARS = [[0.25, 0.0, 0.5, 1.0]]


def migrate(to: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return executor.loader.project_state(to).apps


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        found: set[str] = set()
        for model in ("prediction", "batch"):
            found |= set(connection.introspection.get_constraints(cursor, f"predictions_{model}"))
    return found


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """The models of the release before the workshop, on their own tables."""
    yield migrate(BEFORE)
    # Every later migration as well, of every app: other tests use this database.
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def write(apps: Any, filename: str, bars: Any = ()) -> uuid.UUID:
    """A row as that release wrote it."""
    user, _new = apps.get_model("accounts", "User").objects.get_or_create(email="old@example.com")
    network, _new = apps.get_model("predictions", "Network").objects.get_or_create(
        name="tiny", defaults={"title": "Tiny", "classes": 8}
    )
    sizes = dict.fromkeys(("width", "height", "source_width", "source_height", "bytes"), 1)
    upload = apps.get_model("predictions", "Upload").objects.create(
        owner=user, file="pictures/00/a.png", filename=filename, content_type="image/png", **sizes
    )
    run = apps.get_model("predictions", "Prediction").objects.create(
        owner=user,
        upload=upload,
        batch=apps.get_model("predictions", "Batch").objects.create(owner=user),
        model=network,
        network_input=apps.get_model("predictions", "NetworkInput").objects.create(
            upload=upload, preprocessing="fit", size=1, pixels=b"\0\0\0"
        ),
        bars=list(bars),
    )
    return uuid.UUID(str(run.pk))


def copies() -> dict[uuid.UUID, tuple[str, bool]]:
    return {run.pk: (run.search_name, run.covered) for run in Prediction.objects.all()}


def test_rows_of_the_release_before_get_their_names_and_whether_they_are_covered(before: Any) -> None:
    umlauts, covered = write(before, "ÄPFEL Straße.JPG"), write(before, "Leopard.png", BARS)
    migrate(NOW)
    assert copies() == {umlauts: ("äpfel strasse.jpg", False), covered: ("leopard.png", True)}
    run = Prediction.objects.get(pk=covered)
    assert (run.starred, run.note, run.retried, run.batch.truths) == (False, "", None, {})


def test_many_rows_are_filled_piece_by_piece(before: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    monkeypatch.setattr(import_module("predictions.migrations.0005_workshop_rows"), "ROWS", 4)
    for number in range(9):
        write(before, f"IMG_{number}.JPG")
    migrate(NOW)
    assert {name for name, _covered in copies().values()} == {f"img_{number}.jpg" for number in range(9)}


def test_filling_goes_on_where_it_was_interrupted(before: Any) -> None:
    done, left = write(before, "Done.JPG"), write(before, "Left.JPG", BARS)
    apps = migrate(COLUMNS)
    apps.get_model("predictions", "Prediction").objects.filter(pk=done).update(search_name="renamed.jpg")
    migrate(NOW)
    assert copies() == {done: ("renamed.jpg", False), left: ("left.jpg", True)}


def test_the_old_index_goes_once_the_new_ones_are_there(before: Any) -> None:
    assert "prediction_history" in indexes()
    migrate(ROWS)
    assert "prediction_history" in indexes()
    # As an interrupted migration leaves it.
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX prediction_history_columns ON predictions_prediction (owner_id)")
    migrate(NOW)
    there = indexes()
    assert "prediction_history" not in there
    names = {"prediction_history_columns", "prediction_noted", "prediction_in_flight", "prediction_unnamed"}
    assert names | {"batch_newest"} <= there
    migrate(ROWS)
    assert "prediction_history" in indexes()
    assert not names & indexes()


@pytest.mark.django_db
@pytest.mark.usefixtures("small_networks", "no_wake_ups")
def test_what_the_release_before_writes_during_a_deployment_is_filled_by_a_timer() -> None:
    user = make_user()
    clean, covered, later = (make_runs(user, models=("tiny",), bars=bars)[0] for bars in ((), BARS, BARS))
    Prediction.objects.update(search_name="", covered=False)
    assert upkeep.name_predictions(rows=3) == 3
    while upkeep.name_predictions():
        pass
    assert upkeep.name_predictions() == 0
    found = copies()
    assert found[clean.pk] == ("200-30-30.png", False)
    assert found[covered.pk] == found[later.pk] == ("200-30-30.png", True)
    assert found[covered.clean_run_id] == ("200-30-30.png", False)
