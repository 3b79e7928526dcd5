"""`manage.py make_explanations`: the sample pictures have their figures with every release."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from learn import explaining, explanations, subjects, upkeep
from learn.kinds import Result, Work
from learn.models import Explanation
from tests.learn.conftest import Asked
from tests.learn.test_explanations import files
from tests.networks import make_artifact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_sample(asked: Asked, settings: Any) -> None:
    settings.LABORATORY_SAMPLES = ["apple"]


def make(*arguments: str) -> list[str]:
    output = io.StringIO()
    call_command("make_explanations", *arguments, stdout=output)
    return output.getvalue().splitlines()


def keys() -> set[str]:
    return set(Explanation.objects.values_list("key", flat=True))


def test_it_makes_what_is_missing_and_skips_what_is_there(asked: Asked) -> None:
    expected = [f"apple, {network}, {kind}" for network in ("tiny", "small") for kind in ("mean", "answers")]
    assert make() == [*(f"{line}: made" for line in expected), "0 of earlier versions removed"]
    assert len(asked.calls) == 2
    assert make() == [*(f"{line}: there already" for line in expected), "0 of earlier versions removed"]
    assert len(asked.calls) == 2
    assert set(Explanation.objects.values_list("status", "built", "sample", "owner")) == {
        ("done", True, "apple", None)
    }


def test_visitors_find_what_it_made(asked: Asked) -> None:
    make()
    found = explanations.ask(subjects.find(None, "sample:apple"), "tiny", "mean")
    assert found.status == "done"
    assert explanations.open_member(found, "meta.json") == b"{}"
    assert len(asked.calls) == 2


def test_it_takes_one_sample_and_one_network(asked: Asked) -> None:
    lines = make("--sample", "cup", "--network", "small")
    assert lines == ["cup, small, mean: made", "cup, small, answers: made"]


def test_what_it_does_not_know_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="There is no sample picture 'banana'"):
        make("--sample", "banana")
    with pytest.raises(CommandError, match="There is no network 'resnet' to look into: tiny, small."):
        make("--network", "resnet")
    assert not Explanation.objects.exists()


def test_a_new_version_is_made_and_the_one_before_removed(
    asked: Asked, tmp_path: Any, django_capture_on_commit_callbacks: Any
) -> None:
    make()
    before = keys()
    make_artifact(tmp_path / "newer", "tiny", size=24, version="2")
    for file in (tmp_path / "newer" / "tiny").iterdir():
        file.replace(tmp_path / "artifacts" / "tiny" / file.name)
    with django_capture_on_commit_callbacks(execute=True):
        lines = make()
    assert lines[:2] == ["apple, tiny, mean: made", "apple, tiny, answers: made"]
    assert lines[2:] == [
        "apple, small, mean: there already",
        "apple, small, answers: there already",
        "2 of earlier versions removed",
    ]
    assert len(keys() & before) == 2
    assert set(Explanation.objects.values_list("artifact", flat=True)) == {"tiny-2", "small-1"}
    assert len(files()) == 2


def test_a_network_that_is_no_longer_shipped_takes_its_figures_along(asked: Asked, tmp_path: Any) -> None:
    make()
    (tmp_path / "artifacts" / "small" / "card.json").unlink()
    assert make()[-1] == "2 of earlier versions removed"
    assert set(Explanation.objects.values_list("network", flat=True)) == {"tiny"}


def test_a_figure_that_cannot_be_made_does_not_keep_the_others_and_is_tried_again(asked: Asked) -> None:
    def fail(work: Work) -> Any:
        if work.card.name == "tiny":
            raise ZeroDivisionError
        return Result({"good": True})

    asked.does = fail
    output = io.StringIO()
    with pytest.raises(CommandError, match=r"1 of 4 sample figures of the laboratory could not be made\."):
        call_command("make_explanations", stdout=output)
    said = output.getvalue()
    assert "apple, tiny, mean: failed: This figure could not be computed." in said
    assert "apple, small, mean: made" in said
    asked.does = None
    assert make()[0] == "apple, tiny, mean: made"


def test_a_figure_whose_file_was_lost_is_made_again(asked: Asked) -> None:
    make()
    lost = Explanation.objects.get(kind="mean", network="tiny")
    default_storage.delete(lost.file.name)
    assert make()[0] == "apple, tiny, mean: made"
    assert len(files()) == 2


def test_what_somebody_asked_before_is_kept_from_then_on(asked: Asked) -> None:
    found = explanations.ask(subjects.find(None, "sample:apple"), "tiny", "mean")
    explaining.drain(60.0)
    assert make()[0] == "apple, tiny, mean: there already"
    found.refresh_from_db()
    assert found.built


def test_what_a_worker_is_computing_is_left_to_it(asked: Asked) -> None:
    found = explanations.ask(subjects.find(None, "sample:apple"), "tiny", "mean")
    claim, rows = Explanation.objects.claim(1)
    assert make()[0] == "apple, tiny, mean: being made by a worker"
    assert explaining.run(claim, rows[0])
    found.refresh_from_db()
    assert (found.status, found.built) == ("done", True)


def test_it_asks_no_queue(asked: Asked, no_wake_ups: list[str]) -> None:
    make()
    assert no_wake_ups == []


def test_what_it_made_stays_however_long_nobody_looks(asked: Asked) -> None:
    make()
    Explanation.objects.update(used=timezone.now() - timedelta(days=365))
    assert upkeep.sweep() == 0


def test_interrupted_it_leaves_nothing_half_done(asked: Asked) -> None:
    def interrupt(work: Work) -> NoReturn:
        raise KeyboardInterrupt

    asked.does = interrupt
    with pytest.raises(KeyboardInterrupt):
        make()
    assert Explanation.objects.get().status == "queued"
    asked.does = None
    assert make()[0] == "apple, tiny, mean: made"


def test_without_a_network_to_look_into_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.explain.structure.explainable", lambda card: False)
    assert make() == ["No network can be looked into."]
