"""The file transport of `make run`: a worker never meets half a message."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from classifier_site.celery import app


@pytest.fixture
def channel(tmp_path: Path) -> Any:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
    }
    assert app  # importing it registers the transport
    with Connection("filesystem://", transport_options=options) as connection:
        yield connection.default_channel


def test_messages_come_out_as_they_went_in(channel: Any) -> None:
    for number in range(3):
        channel._put("work", {"number": number})
    channel._put("other", {"number": 9})
    assert {channel._get("work")["number"] for _ in range(3)} == {0, 1, 2}
    with pytest.raises(Empty):
        channel._get("work")


def test_a_reader_as_fast_as_the_writer_never_meets_half_a_message(channel: Any) -> None:
    total, taken, ended = 400, [], threading.Event()

    def write() -> None:
        for number in range(total):
            channel._put("work", {"number": number, "padding": "x" * 5000})
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while True:
        last = ended.is_set()
        try:
            taken.append(channel._get("work")["number"])
        except Empty:
            if last:
                break
    writer.join()
    assert sorted(taken) == list(range(total))


def test_a_damaged_message_is_dropped_and_the_next_one_taken(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "messages" / "0_damaged.work.msg").write_bytes(b"")
    channel._put("work", {"number": 1})
    with pytest.raises(Empty):
        channel._get("work")
    assert channel._get("work") == {"number": 1}


def test_a_table_that_is_just_being_written_names_no_queue(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "control" / "work.exchange").write_bytes(b"")
    assert channel.get_table("work") == []
