"""The benchmark of many pictures counts what is lost, and its figures become a table."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from benchmarks import workshop, workshop_tables


def answered(name: str, network: str, status: str = "done") -> dict[str, Any]:
    return {
        "filename": name,
        "model": network,
        "status": status,
        "created": "2026-11-20T12:00:00Z",
        "finished": "2026-11-20T12:00:02Z",
    }


def sent(*rows: dict[str, Any]) -> workshop.Sent:
    return workshop.Sent("1", ["a.jpg", "b.jpg"], ["vgg"], 0.5, list(rows))


def test_every_picture_must_be_answered_exactly_once_by_each_network():
    whole = sent(answered("a.jpg", "vgg"), answered("b.jpg", "vgg"))
    assert whole.faults() == 0
    assert whole.seconds == 2.5
    assert sent(answered("a.jpg", "vgg")).faults() == 1
    assert sent(answered("a.jpg", "vgg"), answered("b.jpg", "vgg", "failed")).faults() == 1
    assert sent(answered("a.jpg", "vgg"), answered("a.jpg", "vgg"), answered("b.jpg", "vgg")).faults() == 1
    assert sent(answered("a.jpg", "vgg"), answered("b.jpg", "vgg"), answered("c.jpg", "vgg")).faults() == 1


def test_its_pictures_are_as_large_as_the_table_says_and_all_different():
    large = workshop.pictures(3)
    assert all(50_000 < len(data) < 80_000 for data in large)
    assert {Image.open(io.BytesIO(data)).size for data in large} == {(800, 600)}
    small = workshop.pictures(3, 128, 96, workshop.SMALL_BYTES)
    assert all(len(data) < workshop.SMALL_BYTES for data in small)
    assert len({*large, *small}) == 6


def test_the_site_is_started_as_the_procfile_says():
    command = workshop.procfile_web(1234)
    assert command[2:4] == ["gunicorn", "classifier_site.wsgi"]
    assert "127.0.0.1:1234" in command


def test_its_figures_become_a_table_that_says_where_the_time_goes():
    rows = [
        workshop.row("30 pictures", "1.5 s", "0.70 s", seconds=0.7),
        workshop.row(
            "sustained",
            "50%",
            "96 of 176, 55%",
            cpu_ms={"worker": 12.0, "web": 5.0, "decoders": 4.0, "database": 0.5, "redis": 0.1},
            steps_ms={"decode": 3.25},
        ),
    ]
    text = "\n\n".join(workshop_tables.workshop(rows, "`make bench`"))
    assert "| 30 pictures | 1.5 s | 0.70 s |" in text
    assert "a picture costs 21.6 ms of processor time" in text
    assert "| gunicorn | 5.0 ms |" in text
    assert "| decode | 3.25 ms |" in text
