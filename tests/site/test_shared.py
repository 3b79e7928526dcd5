"""What several processes of one test run have in common (tests/shared.py)."""

from __future__ import annotations

import fcntl
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import services, shared


def test_what_is_made_once_is_whole_for_everybody_who_asks(tmp_path, monkeypatch):
    monkeypatch.setenv(shared.VARIABLE, str(tmp_path))
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        # Whoever asks meanwhile has to wait.
        with (tmp_path / "thing.lock").open("w") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "a").write_text("whole")

    with ThreadPoolExecutor(4) as several:
        folders = list(several.map(lambda _one: shared.made_once("thing", make), range(4)))
    assert len(made) == 1
    assert [(folder / "a").read_text() for folder in folders] == ["whole"] * 4


def test_what_could_not_be_made_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv(shared.VARIABLE, str(tmp_path))

    def half(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        shared.made_once("thing", half)
    folder = shared.made_once("thing", lambda folder: (folder / "a").touch())
    assert [path.name for path in folder.iterdir()] == ["a"]


@pytest.mark.parametrize("value", [str(uuid.uuid4())])
def test_a_value_that_is_never_the_same_is_no_part_of_a_tests_name(value, request):
    assert request.node.nodeid.endswith("[value0]")


def item(nodeid: str, *, commits: bool = False) -> Any:
    """A test as far as its place matters."""
    mark = SimpleNamespace(kwargs={"transaction": commits})
    return SimpleNamespace(
        nodeid=nodeid,
        path=Path(nodeid.partition("::")[0]),
        fixturenames=[],
        get_closest_marker=lambda _name: mark,
    )


def test_what_takes_long_comes_first_and_what_empties_the_tables_last():
    items = [
        item("tests/accounts/test_a.py::one", commits=True),
        item("tests/accounts/test_b.py::one"),
        item("tests/site/test_stack.py::one"),
        item("tests/accounts/test_a.py::two"),
        item("tests/browser/test_bars.py::one"),
    ]
    shared.sort(items)
    assert [test.nodeid.removeprefix("tests/") for test in items] == [
        "browser/test_bars.py::one",
        "site/test_stack.py::one",
        "accounts/test_b.py::one",
        "accounts/test_a.py::one",
        "accounts/test_a.py::two",
    ]


def test_two_tests_of_one_name_are_refused_because_one_would_not_run():
    with pytest.raises(pytest.UsageError, match=r"a\.py::twice"):
        shared.sort([item("a.py::twice"), item("a.py::twice")])


def test_every_test_goes_to_a_process_with_its_file_and_with_what_it_shares():
    trained = shared.unit("tests/ml/test_train.py::one[a::b]")
    assert trained == shared.unit("tests/ml/test_export.py::two")
    unit = shared.unit("tests/ml/test_grow.py::two")
    assert unit == shared.unit("tests/predictions/test_serving.py::one")
    site, laboratory = (
        shared.unit(f"tests/browser/{name}.py::one") for name in ("test_bars", "test_lab_dose")
    )
    assert shared.unit("tests/browser/test_crop.py::one") == site
    assert shared.unit("tests/browser/test_laboratory_frame.py::one") == laboratory
    assert shared.unit("tests/browser/test_languages.py::one") == laboratory
    assert len({trained, unit, site, laboratory}) == 4
    assert shared.unit("tests/site/test_stack.py::one") == "tests/site/test_stack.py"
    for path in (*shared.TOGETHER, *shared.FIRST):
        assert list(services.ROOT.glob(f"{path}*")), path


def test_free_ports_are_not_those_of_outgoing_connections():
    ports = Counter(services.free_port() for _ in range(50))
    assert len(ports) > 40
    assert max(ports) < 32_768
