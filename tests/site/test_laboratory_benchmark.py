"""The benchmarks of the laboratory wait as its pages do, count what fails, and their figures become tables."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import figures, laboratory, laboratory_pages, laboratory_people, laboratory_tables
from benchmarks.laboratory import Learner, Seen
from benchmarks.laboratory_pages import Drag
from benchmarks.laboratory_people import Ask, Person, both
from learn import kinds
from ml import artifact
from tests import services

BASE = "/learn/laboratory/explanations/7/files/"


# --- the figures -------------------------------------------------------------------------------------------


class Pretended(Person):
    """Somebody whose site answers as it is told: network -> what it says each time it is asked."""

    def __init__(self, said: dict[str, list[str]], files: list[str]) -> None:
        self.said = said
        self.files = files
        self.fetched: list[str] = []

    def fetch(self, path: str, body: bytes | None = None) -> bytes:
        self.fetched.append(path)
        if "/files/" in path:
            return b"data"
        network = "vgg" if (b"network=vgg" in body if body else path.endswith("/vgg/")) else "wideresnet"
        status = self.said[network].pop(0)
        said = {"id": network, "status": status, "kind": "xray", "network": network, "error": "trouble"}
        return json.dumps({**said, "files": self.files, "base": BASE}).encode()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds, without making them."""
    pauses: list[float] = []
    monkeypatch.setattr(laboratory_people.time, "sleep", pauses.append)
    return pauses


def test_a_figure_is_there_when_both_networks_and_its_first_files_are(waited: list[float]) -> None:
    strips = [f"strips/{i}.png" for i in range(20)]
    person = Pretended(
        {"vgg": ["queued", "done"], "wideresnet": ["queued", "running", "done"]},
        ["meta.json", "sheets/1.png", *strips],
    )
    assert person.shown(both("sample:apple", "xray")) > 0
    assert waited == pytest.approx([0.12, 0.162])
    posts = [path for path in person.fetched if path == laboratory_people.EXPLANATIONS]
    assert len(posts) == 2
    first = ["meta.json", *strips[: laboratory_people.STRIPS]]
    assert [path for path in person.fetched if path.startswith(BASE)] == [BASE + name for name in first] * 2


def test_what_is_small_is_fetched_whole(waited: list[float]) -> None:
    person = Pretended({"vgg": ["done"]}, ["changes.npy", "log_odds.npy"])
    person.shown([Ask("sample:apple", "vgg", "occlusion")])
    assert person.fetched[1:] == [BASE + "changes.npy", BASE + "log_odds.npy"]
    assert not waited


def test_a_figure_that_fails_is_counted_and_no_time_of_it(waited: list[float]) -> None:
    answers = {"vgg": ["failed"] * 9, "wideresnet": ["failed"] * 9}
    learner = Learner(Pretended(answers, []), 0, ["a", "b"])
    seen = Seen()
    for _ in range(3):
        learner.visit(seen)
    assert len(seen.failures) == 3
    assert "trouble" in seen.failures[0]
    assert not seen.times


def test_a_student_never_asks_anew_for_what_was_asked(waited: list[float]) -> None:
    asked: list[tuple[str, ...]] = []

    class Noting(Pretended):
        def shown(self, asks: Any) -> float:
            asked.append(tuple(repr(ask) for ask in asks))
            return 1.0

    learner = Learner(Noting({}, []), 3, ["a", "b", "c"])
    learner.draw = random.Random(5)
    seen = Seen()
    learner.prepare()
    for _ in range(60):
        learner.visit(seen)
    assert sum(seen.opened[kind] for kind in ("again", *laboratory.NEW)) == 60
    # Two pictures of three kinds, the one that was prepared, and edits, which are always new.
    pictures = {asks for asks in asked if "surgery" not in str(asks)}
    assert len(pictures) == 7
    new = [asks for asks in asked if "surgery" in str(asks)]
    assert len(set(new)) == len(new) == seen.opened["surgery"] * laboratory.EDITS_A_VISIT
    assert seen.opened["again"] > 15


@pytest.mark.parametrize("change", ["edit", "mute"])
def test_every_change_of_a_network_is_one_that_the_site_takes(change: str) -> None:
    surgeon = laboratory_people.Surgeon(1)
    make: Callable[[str], Ask] = getattr(surgeon, change)
    for _ in range(20):
        ask = make("sample:apple")
        card = artifact.load_card(ask.network)
        cleaned = kinds.find(ask.kind).clean(ask.parameters, card)
        assert cleaned["edits"] or cleaned["mutes"]


def test_the_worker_for_figures_is_started_as_make_run_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from classifier_site.supervisor import lab_command

    started: list[list[str]] = []
    monkeypatch.setattr(services.LiveStack, "_spawn", lambda self, command, log: started.append(command))
    services.LiveStack(services.ROOT, 0, {}).start_lab()
    assert started == [lab_command()]


def row(part: str, what: str, **more: Any) -> dict[str, Any]:
    times = {"to_reach_s": 3.0, "count": 12, "p50_s": 1.0, "p95_s": 2.25, "slowest_s": 2.5}
    return {"part": part, "what": what, **times, **more}


def measured() -> list[dict[str, Any]]:
    mixture = {"again": 40, "xray": 11, "occlusion": 9, "dose": 8, "surgery": 12}
    students = {"set_up": "SQLite and files"}
    return [
        row("alone", "X-ray", slowest=None),
        row("alone", "map at a layer", to_reach_s=None, slowest="block1/relu1"),
        row("at once", "figure", **students),
        {**row("at once", "dose", **students), "count": 0},
        {
            "part": "at once",
            "what": "failures",
            "failures": 0,
            "students": 30,
            "seconds": 120.0,
            "thinking_s": 20.0,
            "prediction_every_s": 5.0,
            "edits_a_visit": 3,
            "mixture": mixture,
            **students,
        },
        {"part": "memory", "peaks_mb": [500, 480], "together_mb": 700},
        {"part": "file", "network": "vgg", "kind": "xray", "kb": 2345.6},
        {"part": "file", "network": "wideresnet", "kind": "xray", "kb": 9345.6},
        {"part": "file", "network": "vgg", "kind": "occlusion", "kb": 26.4},
    ]


def test_the_figures_become_tables_that_state_the_mixture() -> None:
    text = "\n\n".join(laboratory_tables.figures(measured(), "`make bench`; a machine"))
    assert "| X-ray | 3 s | 1.00 s | 2.25 s | 2.50 s | 12 |" in text
    assert "| map at a layer (longest: block1/relu1) |  | 1.00 s |" in text
    assert "30 students in the laboratory for 120 s, with SQLite and files." in text
    assert "thinks for 20 s on average" in text
    assert "12 visits to the surgery of 3 edits each" in text
    assert "sends a picture every 5 s. Failures" in text
    assert "of the 80 figures 40 had been opened before, new were 11 X-rays, 9 occlusion maps, 8 dose" in text
    assert "Failures: 0, to reach: 0 (`make bench`; a machine)" in text
    assert "| a figure, all of these | 3 s |" in text
    assert "dose and response, new" not in text
    assert "have held at most 500 MB and 480 MB" in text
    assert "| xray | 2,346 kB | 9,346 kB |" in text
    assert "| occlusion | 26 kB |  |" in text


# --- the pages ---------------------------------------------------------------------------------------------


def trace(*states: str, process: int = 2, first: int = 0, every: float = 16_667) -> list[dict[str, Any]]:
    """A browser's trace with one report a frame from number ``first`` on; process 1 is the browser's own window."""
    events: list[dict[str, Any]] = [
        {"name": "process_name", "ph": "M", "pid": 1, "ts": 0, "args": {"name": "Browser"}},
        {"name": "process_name", "ph": "M", "pid": 2, "ts": 0, "args": {"name": "Renderer"}},
    ]
    for number, state in enumerate(states, first):
        one = {"name": "PipelineReporter", "pid": process, "id2": {"local": hex(number % 3)}}
        report = {"frame_reporter": {"state": f"STATE_{state}", "frame_sequence": number}}
        begin = number * every
        events.append({**one, "ph": "b", "ts": begin, "args": report})
        events.append({**one, "ph": "e", "ts": begin + 9_000, "args": {}})
    return events


def test_frames_are_counted_from_the_browsers_trace() -> None:
    smooth = trace(*["PRESENTED_ALL"] * 61)
    found = laboratory_pages.frames(smooth)
    assert (found["drawn"], found["dropped"], found["interval_p95_ms"]) == (61, 0, 16.7)
    # The browser's own window draws as well, and is not the page.
    assert laboratory_pages.frames(smooth + trace(*["DROPPED"] * 90, process=1)[2:]) == found


def test_a_dropped_frame_is_a_longer_interval_and_a_pause_is_none() -> None:
    rough = laboratory_pages.frames(
        trace(*["PRESENTED_ALL"] * 3, "DROPPED", "DROPPED", *["PRESENTED_PARTIAL"] * 3)
    )
    assert (rough["drawn"], rough["partly"], rough["dropped"]) == (6, 3, 2)
    assert rough["dropped_share"] == 0.25
    assert rough["interval_p95_ms"] == 50.0
    before = trace(*["PRESENTED_ALL"] * 3, "NO_UPDATE_DESIRED")
    # Where nothing changes for long the browser reports nothing.
    pause = laboratory_pages.frames(before + trace(*["PRESENTED_ALL"] * 3, first=60)[2:])
    assert (pause["drawn"], pause["dropped"], pause["interval_p95_ms"]) == (6, 0, 16.7)


def test_a_frame_that_is_reported_twice_and_two_that_are_shown_at_once_are_one() -> None:
    second = trace(*["PRESENTED_ALL"] * 3, "DROPPED")[2:]
    for event in second:
        event["id2"] = {"local": f"again {event['id2']['local']}"}
    twice = laboratory_pages.frames(trace(*["PRESENTED_PARTIAL"] * 4) + second)
    assert (twice["drawn"], twice["partly"], twice["dropped"]) == (4, 1, 0)
    late = trace(*["PRESENTED_ALL"] * 4)
    late[-3]["ts"] = late[-1]["ts"]
    found = laboratory_pages.frames(late)
    assert (found["drawn"], found["interval_p95_ms"]) == (3, 33.3)


def test_a_trace_without_frames_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no frames"):
        laboratory_pages.frames(trace())


def test_the_pointer_stays_on_what_it_drags_and_reaches_its_ends() -> None:
    box = {"x": 100.0, "y": 50.0, "width": 200.0, "height": 100.0}
    drag = Drag("xray", "", "", "", downwards=True)
    way = [laboratory_pages.places(box, drag, i / 100) for i in range(1000)]
    assert all(100 < x < 300 and 50 < y < 150 for x, y in way)
    assert min(x for x, _y in way) < 106
    assert max(x for x, _y in way) > 294
    assert max(y for _x, y in way) > 140
    beyond = [laboratory_pages.places(box, Drag("", "", "", "", beyond=150), i / 100) for i in range(200)]
    assert min(x for x, _y in beyond) < 0
    assert {y for _x, y in beyond} == {100.0}


def test_the_pages_become_tables_that_say_what_they_were_measured_on() -> None:
    frames = {
        "drawn": 170,
        "dropped_share": 0.0125,
        "interval_p50_ms": 16.7,
        "interval_p95_ms": 17.4,
    }
    visit = {"own_kb": 90.2, "own_compressed_kb": 71.7, "ready_p50_ms": 420, "ready_slowest_ms": 510}
    rows: list[dict[str, Any]] = [
        {"part": "browser", "version": "156.0"},
        {"part": "visit", "figure": "xray", "all_kb": 1234.5, **visit},
        {"part": "drag", "figure": "belief", "what": "the temperature", **frames},
        {"part": "drag", "figure": "arithmetic", "what": "cells", "cells": 9, "cell_p95_ms": 4.21, **frames},
    ]
    text = "\n\n".join(laboratory_tables.pages(rows, "`make bench`; a machine"))
    assert "Chromium 156.0" in text
    assert "a machine" in text
    assert "`make bench`" not in text
    assert "had no GPU" in text
    assert "| X-ray | 90 kB | 72 kB | 1,234 kB (to reach: 2,000 kB) | 420 ms | 510 ms |" in text
    assert "| Softmax and belief: the temperature | 170 | 1.2% | 16.7 ms | 17.4 ms | |" in text
    assert "| Arithmetic: cells | 170 | 1.2% | 16.7 ms | 17.4 ms | 4.2 ms |" in text


# --- README ------------------------------------------------------------------------------------------------


def test_the_readme_has_a_part_about_the_laboratory_once_it_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results: dict[str, list[dict[str, Any]]] = {}
    monkeypatch.setattr(figures, "load", lambda part: results.get(part, []))
    assert "### The laboratory" not in figures.readme()
    results["laboratory"] = [{"hardware": "a machine", "rows": measured()}]
    text = figures.readme()
    assert text.count("### The laboratory") == 1
    assert text.index("### The laboratory") < text.index("30 students in the laboratory")


def test_what_another_machine_measured_stands_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    assert figures.load("worker") == []
    for name in ("worker-other", "worker", "way-other"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"hardware": name, "rows": []}))
    assert [found["hardware"] for found in figures.load("worker")] == ["worker", "worker-other"]
