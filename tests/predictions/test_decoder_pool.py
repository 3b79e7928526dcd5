"""The decoder's process may crash, hang, lie or die: one picture is refused, and the next one works."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from predictions import decoder_pool, images
from predictions.decoder_pool import DecoderPool, Slots
from predictions.decoding import DecodeRejected
from tests import pictures

BROKEN = "tests.predictions.broken_decoders:"


@pytest.fixture
def pool():
    pool = DecoderPool(children=2, seconds=10)
    yield pool
    pool.close()


def refusal(pool: DecoderPool, decoder: str, data: bytes = b"any") -> str:
    with pytest.raises(DecodeRejected) as caught:
        pool.decode(data, BROKEN + decoder)
    return caught.value.code


@pytest.mark.parametrize("decoder", ["crash", "fail", "lie"])
def test_a_broken_decoder_costs_one_picture(pool, decoder):
    before = pool.decode(pictures.png())
    assert refusal(pool, decoder) == "decoder_crashed"
    assert pool.process_ids() == []
    assert pool.decode(pictures.png()) == before


def test_a_crash_reaches_the_student_as_a_sentence():
    with pytest.raises(images.ImageRejected) as caught:
        images.prepare(pictures.png(), "a.png", _decode=BROKEN + "crash")
    assert caught.value.code == "decoder_crashed"
    assert "Save it again" in str(caught.value)
    assert images.prepare(pictures.png(), "a.png").width == pictures.SIZE[0]


def test_a_file_that_really_crashes_its_codec_is_refused(pool):
    assert pictures.crashing_heic() != pictures.heic_with_metadata()
    with pytest.raises(DecodeRejected) as caught:
        pool.decode(pictures.crashing_heic())
    # A mended codec would call it damaged.
    assert caught.value.code in ("decoder_crashed", "truncated")
    assert pool.decode(pictures.heic_with_metadata()).width == pictures.SIZE[0]


def test_a_picture_that_takes_too_long_is_given_up():
    pool = DecoderPool(seconds=0.3)
    assert refusal(pool, "hang") == "decoder_timeout"
    assert pool.process_ids() == []
    patient = DecoderPool()
    assert patient.decode(pictures.tiny()).width == 1
    patient.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_a_decoder_that_wants_too_much_memory_is_stopped(pool):
    assert refusal(pool, "eat_memory") == "decoder_crashed"


def test_what_a_library_prints_is_no_part_of_the_answer(pool):
    assert pool.decode(b"answer", BROKEN + "chatter").data == b"answer"


def test_the_child_knows_neither_django_nor_secrets(pool, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for the decoder")
    seen = pool.decode(b"any", BROKEN + "tell_surroundings").data.decode()
    assert "django=False" in seen
    assert "SECRET_KEY" not in seen
    assert "PATH" in seen


def test_a_child_killed_while_idle_is_replaced(pool):
    pool.decode(pictures.tiny())
    (victim,) = pool.process_ids()
    os.kill(victim, signal.SIGKILL)
    os.waitid(os.P_PID, victim, os.WEXITED | os.WNOWAIT)
    assert pool.decode(pictures.tiny()).width == 1
    assert victim not in pool.process_ids()


def test_one_child_serves_many_pictures_and_is_replaced_in_the_end(pool, monkeypatch):
    monkeypatch.setattr(decoder_pool, "PICTURES_A_CHILD", 3)
    seen = []
    for _ in range(4):
        pool.decode(pictures.tiny())
        seen.append(tuple(pool.process_ids()))
    assert seen[0] == seen[1]
    assert seen[2] == ()
    assert seen[3] not in ((), seen[0])


def test_ctrl_c_and_sigterm_are_left_to_the_parent(pool):
    pool.decode(pictures.tiny())
    (child,) = pool.process_ids()
    os.kill(child, signal.SIGINT)
    os.kill(child, signal.SIGTERM)
    assert pool.decode(pictures.tiny()).width == 1
    assert pool.process_ids() == [child]


def test_several_threads_decode_at_once_with_two_children(pool, tmp_path):
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(4) as threads:
        waiting = [
            threads.submit(pool.decode, str(gate).encode(), BROKEN + "wait_for_file") for _ in range(2)
        ]
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        assert len(list(tmp_path.iterdir())) == 2, "both children work at the same time"
        behind = [threads.submit(pool.decode, pictures.tiny()) for _ in range(2)]
        gate.touch()
        assert all(done.result().data == b"done" for done in waiting)
        assert all(done.result().width == 1 for done in behind)
    assert len(pool.process_ids()) == 2


def test_many_threads_get_their_own_answers(pool):
    sizes = [(20 + number, 30) for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda size: pool.decode(pictures.png(*size)), sizes))
    assert [(result.width, result.height) for result in results] == sizes


def test_a_full_queue_asks_to_come_back_later(tmp_path):
    pool = DecoderPool(children=1, queue_seconds=0.05)
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(pool.decode, str(gate).encode(), BROKEN + "wait_for_file")
        deadline = time.monotonic() + 30
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        assert refusal(pool, "chatter") == "decoder_busy"
        gate.touch()
        assert first.result().data == b"done"
    pool.close()


PARENT = """
import os, sys, threading
from predictions.decoder_pool import DecoderPool, Slots
pool = DecoderPool(children=2, seconds=float(sys.argv[1]))
if sys.argv[2] == "busy":
    hang = (b"", "tests.predictions.broken_decoders:hang")
    threading.Thread(target=pool.decode, args=hang, daemon=True).start()
    while not pool.process_ids():
        pass
else:
    from tests import pictures
    pool.decode(pictures.tiny())
if sys.argv[2] == "fork" and os.fork() == 0:
    from tests import pictures
    pool.decode(pictures.tiny())
    pool.close()
    os._exit(0)
if sys.argv[2] == "fork":
    os.wait()
    pool.decode(pictures.tiny())
print(*pool.process_ids(), flush=True)
sys.stdin.read()
"""


def ended(process_id: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{process_id}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                return True
        threading.Event().wait(0.02)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("state", ["idle", "busy", "fork"])
def test_children_end_with_a_killed_parent(state):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, "1", state],
        cwd=decoder_pool.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        children = [int(number) for number in parent.stdout.readline().split()]
        assert children
    finally:
        parent.kill()
        parent.communicate()
    assert all(ended(child) for child in children)


# --- who is next --------------------------------------------------------------------------------------------


def in_line(slots: Slots, order: list[str], name: str, bulk: bool) -> threading.Thread:
    """Somebody who waits for a place in a thread of their own, and writes down when it has come."""
    before = slots.waiting

    def wait() -> None:
        assert slots.acquire(30, bulk=bulk)
        order.append(name)
        slots.release()

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 30
    while slots.waiting == before and time.monotonic() < deadline:
        threading.Event().wait(0.002)
    assert slots.waiting == before + 1
    return thread


def test_a_picture_that_came_alone_is_read_before_those_of_large_requests():
    slots = Slots(1)
    assert slots.acquire(0)
    order: list[str] = []
    people = [("many 1", True), ("many 2", True), ("alone 1", False), ("many 3", True), ("alone 2", False)]
    threads = [in_line(slots, order, name, bulk) for name, bulk in people]
    slots.release()
    for thread in threads:
        thread.join(30)
    assert order == ["alone 1", "alone 2", "many 1", "many 2", "many 3"]


def test_who_leaves_cannot_take_the_place_back_from_who_waits():
    slots = Slots(1)
    assert slots.acquire(0, bulk=True)
    order: list[str] = []
    thread = in_line(slots, order, "alone", bulk=False)
    # As a request with many pictures does it between two of them, without a pause.
    slots.release()
    assert slots.acquire(30, bulk=True)
    assert order == ["alone"]
    thread.join(30)


def test_large_requests_are_not_overtaken_for_ever(monkeypatch):
    monkeypatch.setattr(decoder_pool, "BULK_GIVES_WAY", 0.0)
    slots = Slots(1)
    assert slots.acquire(0)
    order: list[str] = []
    threads = [in_line(slots, order, "many", bulk=True), in_line(slots, order, "alone", bulk=False)]
    slots.release()
    for thread in threads:
        thread.join(30)
    assert order == ["many", "alone"]


def test_who_gives_up_leaves_the_line_and_no_place_is_lost():
    slots = Slots(1)
    assert slots.acquire(0)
    assert not slots.acquire(0.01)
    assert slots.waiting == 0
    slots.release()
    assert slots.acquire(0)
    assert not slots.acquire(0)


def test_a_single_picture_waits_for_one_picture_of_a_large_request(tmp_path):
    """With one decoder: a request with many pictures goes on while somebody else's picture comes in between."""
    pool = DecoderPool(children=1)
    gate = tmp_path / "gate"
    order: list[str] = []

    def many() -> None:
        pool.decode(str(gate).encode(), BROKEN + "wait_for_file", bulk=True)
        for number in range(3):
            pool.decode(pictures.tiny(), bulk=True)
            order.append(f"many {number}")

    def alone() -> None:
        pool.decode(pictures.tiny())
        order.append("alone")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(many)
        deadline = time.monotonic() + 30
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        second = threads.submit(alone)
        while not pool._slots.waiting and time.monotonic() < deadline:
            threading.Event().wait(0.002)
        gate.touch()
        first.result(60)
        second.result(60)
    pool.close()
    # The place was handed over at once; who of both writes first afterwards is up to the threads.
    assert "alone" in order[:2]
