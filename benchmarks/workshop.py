"""Many pictures through the whole site: PostgreSQL, Redis, the Procfile's gunicorn and one worker, on one machine.

A picture's time is that of its POST plus ``finished - created``, as a client sees it. Every picture that is sent has a
name of its own and must be answered exactly once by each network asked. Commits reach the disk.
"""

from __future__ import annotations

import io
import itertools
import random
import shlex
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import processes
from benchmarks.way import EDGE, SAMPLE, Client
from ml import config
from ml.predictor import load_predictor
from ml.preprocessing import to_input
from predictions import decoding
from predictions.crop import placed
from predictions.images import open_prepared

ROOT = Path(__file__).parent.parent
KILOBYTES = 80
SINGLES = 40
STUDENTS = 30
SMALL_BYTES = 2000
ROUNDS = 5
GIVE_UP_SECONDS = 120.0
FINAL = ("done", "failed", "cancelled", "rejected")


def pictures(count: int, width: int = 800, height: int = 600, size: int = KILOBYTES * 1000) -> list[bytes]:
    """JPEGs no two of which are alike, parts of the project's samples, each as near to ``size`` bytes as may be."""
    draw = random.Random(0)
    samples = [Image.open(path).convert("RGB") for path in sorted(SAMPLE.glob("*.jpg"))]
    made = []
    for sample in itertools.islice(itertools.cycle(samples), count):
        side = draw.uniform(0.7, 1.0)
        across, down = sample.width * side, sample.height * side
        left, top = draw.uniform(0, sample.width - across), draw.uniform(0, sample.height - down)
        part = sample.resize((width, height), box=(left, top, left + across, top + down))
        made.append(_encoded(part, size))
    return made


def _encoded(picture: Image.Image, size: int) -> bytes:
    """As large as it may be below ``size`` bytes, to a few of JPEG's steps of quality."""
    best = b""
    for quality in (5, 10, 20, 30, 40, 50, 60, 70, 78, 84, 88, 91, 93, 95, 97):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        if best and buffer.tell() >= size:
            break
        best = buffer.getvalue()
    return best


def form(sent: dict[str, bytes], networks: list[str]) -> bytes:
    """The body of a POST: file name -> picture."""
    parts = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode() + data
        for name, data in sent.items()
    ]
    parts += [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{network}'.encode()
        for network in networks
    ]
    return b"\r\n".join([*parts, f"--{EDGE}--\r\n".encode()])


@dataclass
class Sent:
    """One POST: what it asked for, how long it took, and the rows that it led to."""

    batch: str
    names: list[str]
    networks: list[str]
    post_seconds: float
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Of the POST, and from the first row's creation to the last one's end."""
        created = min(datetime.fromisoformat(row["created"]) for row in self.rows)
        finished = max(datetime.fromisoformat(row["finished"]) for row in self.rows)
        return self.post_seconds + (finished - created).total_seconds()

    def faults(self) -> int:
        """Answers that are lost, wrong in number or no answers."""
        expected = {(name, network): 1 for name in self.names for network in self.networks}
        done = Counter((row["filename"], row["model"]) for row in self.rows if row["status"] == "done")
        return sum(abs(done[key] - expected.get(key, 0)) for key in {*expected, *done})


class Student(Client):
    """A client of one account, which names its pictures so that each can be followed."""

    numbers = itertools.count()

    def send(self, images: list[bytes], networks: list[str]) -> Sent:
        sent = {f"{next(self.numbers):06d}.jpg": data for data in images}
        body = form(sent, networks)
        begin = time.perf_counter()
        answer = self.call("/api/v1/predictions/", body)
        return Sent(answer["batch"], list(sent), networks, time.perf_counter() - begin)

    def wait(self, sent: Sent, pause: float = 0.5) -> Sent:
        """Until all are final; asks rarely and little, so that the asking is no load."""
        end = time.monotonic() + GIVE_UP_SECONDS
        time.sleep(pause)
        for status in ("queued", "running", "queued", "running"):
            address = f"/api/v1/predictions/?batch={sent.batch}&status={status}&page_size=1"
            while self.call(address)["results"]:
                if time.monotonic() > end:
                    raise RuntimeError(f"nothing more happens to batch {sent.batch}")
                time.sleep(pause)
        page: str | None = f"/api/v1/predictions/?batch={sent.batch}&page_size=200"
        while page:
            answer = self.call(page)
            sent.rows += answer["results"]
            page = answer["next"] and answer["next"].partition(f":{self.link.port}")[2]
        return sent

    def ask(self, images: list[bytes], networks: list[str], pause: float = 0.5) -> Sent:
        return self.wait(self.send(images, networks), pause)


class Workshop:
    """The running site with what its rows are measured on."""

    def __init__(self, stack: Any, parts: dict[str, int]) -> None:
        self.stack = stack
        self.parts = parts
        self.networks = config.artifact_names()
        self.faults = 0
        keys = stack.python(
            "from accounts.models import ApiToken, User\n"
            f"for i in range({STUDENTS}):\n"
            "    user = User.objects.create_user(f'student{i}@example.com', None)\n"
            "    print('key', ApiToken.objects.issue(user, 'bench')[1])"
        )
        self.keys = [line.split()[1] for line in keys.splitlines() if line.startswith("key ")]

    def student(self, number: int = 0) -> Student:
        return Student(self.stack.port, self.keys[number])

    def checked(self, sent: list[Sent]) -> list[Sent]:
        self.faults += sum(one.faults() for one in sent)
        return sent

    def memory(self) -> dict[str, float]:
        return {part: processes.memory_mb(self.parts[part]) for part in ("web", "worker")}

    def one_at_a_time(self, network: str, images: list[bytes]) -> list[float]:
        """Seconds of single pictures on an idle site."""
        student = self.student()
        student.ask(images[:1], [network])
        times = []
        for image in images:
            times += [one.seconds for one in self.checked([student.ask([image], [network], pause=0.05)])]
        return sorted(times)

    def in_one_post(self, images: list[bytes], networks: list[str], rounds: int = 1) -> float:
        student = self.student()
        return min(
            one.seconds for one in self.checked([student.ask(images, networks) for _ in range(rounds)])
        )

    def posts(self, images: list[list[bytes]], networks: list[str], at_once: int) -> float:
        """Seconds from the first of these POSTs to the last answer, ``at_once`` of them under way."""
        begin = time.time()
        with ThreadPoolExecutor(at_once) as pool:
            sent = list(pool.map(lambda part: self.student().send(part, networks), images))
        rows = [row for one in self.checked([self.student().wait(one) for one in sent]) for row in one.rows]
        return max(datetime.fromisoformat(row["finished"]).timestamp() for row in rows) - begin

    def students_at_once(self, images: list[bytes]) -> list[float]:
        """Seconds until each of them, who all send one picture at the same moment, has both answers."""
        start = threading.Barrier(len(images))

        def one(number: int) -> Sent:
            student = self.student(number)
            student.call("/api/v1/predictions/?page_size=1")
            # The site closes what is idle for two seconds; the POST connects anew, as a browser would.
            student.link.close()
            start.wait()
            return student.send([images[number]], self.networks)

        with ThreadPoolExecutor(len(images)) as pool:
            sent = list(pool.map(one, range(len(images))))
        return sorted(
            one.seconds
            for one in self.checked([self.student(number).wait(one) for number, one in enumerate(sent)])
        )


def bare(network: str, images: list[bytes], seconds: float = 3.0) -> dict[str, float]:
    """Pictures a second of the predictor alone in batches of 32: on inputs that are ready, and on open pictures."""
    predictor = load_predictor(network)
    size = predictor.card.size
    inputs = np.random.default_rng(0).integers(0, 256, (32, size, size, 3), dtype=np.uint8)
    opened = [Image.open(io.BytesIO(image)).convert("RGB") for image in images[:32]]
    rates = {}
    for name, ask in (
        ("inputs", lambda: predictor.predict_arrays(inputs)),
        ("pictures", lambda: predictor.predict(opened)),
    ):
        ask()
        done, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            ask()
            done += 32
        rates[name] = done / (time.perf_counter() - begin)
    return rates


def steps(network: str, images: list[bytes]) -> dict[str, float]:
    """Milliseconds of processor time that the heavier steps of a picture's way take, each for itself."""
    predictor = load_predictor(network)
    how = predictor.card.preprocessing
    kept = [decoding.decode(image).data for image in images]
    seen = [open_prepared(data) for data in kept]
    boxes = [placed(picture) for picture in seen]
    inputs = np.stack([to_input(picture, how, box) for picture, box in zip(seen, boxes, strict=True)])
    work: dict[str, Callable[[], Any]] = {
        "decode what was sent, encode it again": lambda: [decoding.decode(image) for image in images],
        "decode what is kept": lambda: [open_prepared(data) for data in kept],
        "place the square": lambda: [placed(picture) for picture in seen],
        "shrink it": lambda: [to_input(picture, how, box) for picture, box in zip(seen, boxes, strict=True)],
        f"answer, {network}": lambda: predictor.answers(inputs),
    }
    taken = {}
    for name, step in work.items():
        step()
        begin = time.process_time()
        for _ in range(ROUNDS):
            step()
        taken[name] = (time.process_time() - begin) / ROUNDS / len(images) * 1000
    return taken


def procfile_web(port: int) -> list[str]:
    """The site as the Procfile starts it, on another port."""
    (line,) = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web: ")]
    command = shlex.split(line.replace("127.0.0.1:8000", f"127.0.0.1:{port}"))
    # What the first role runs: deploy/bin/when_role.
    command = command[command.index("gunicorn") + 1 : command.index("---")]
    return [sys.executable, "-m", "gunicorn", *command]


@contextmanager
def running() -> Iterator[Workshop]:
    from tests.services import running_postgres, running_redis, running_stack

    with (
        running_postgres(durable=True) as postgres,
        running_redis() as redis,
        running_stack(
            database=postgres.new_database(), broker=redis.url, REDIS_URL=redis.url, web_command=procfile_web
        ) as stack,
    ):
        assert postgres.process
        assert redis.process
        assert stack.web
        parts = {
            "web": stack.web.pid,
            "worker": stack.workers[0].pid,
            "database": postgres.process.pid,
            "redis": redis.process.pid,
        }
        yield Workshop(stack, parts)


def row(what: str, to_reach: str, reached: str, **details: Any) -> dict[str, Any]:
    return {"what": what, "to_reach": to_reach, "reached": reached, **details}


def quantile(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


def measure() -> list[dict[str, Any]]:
    large = pictures(200)
    small = pictures(27, 128, 96, SMALL_BYTES)
    fives = [large[i * 40 :] + large[: i * 40] for i in range(5)]
    assert max(map(len, small)) < SMALL_BYTES
    alone = bare("wideresnet", large)
    rows = []
    with running() as shop:
        both = shop.networks
        for network, limit in (("vgg", 60), ("wideresnet", 90)):
            times = shop.one_at_a_time(network, large[:SINGLES])
            spread = {"p50_ms": quantile(times, 0.5) * 1000, "p95_ms": quantile(times, 0.95) * 1000}
            rows.append(
                row(f"one picture, {network}, p50", f"{limit} ms", f"{spread['p50_ms']:.0f} ms", **spread)
            )
        for network in both:
            taken = shop.in_one_post(large[:30], [network], rounds=3)
            rows.append(row(f"30 pictures in one POST, {network}", "1.5 s", f"{taken:.2f} s", seconds=taken))
        taken = shop.in_one_post(small, both, rounds=3)
        rows.append(row("27 pictures under 2 kB, both networks", "1 s", f"{taken:.2f} s", seconds=taken))
        times = shop.students_at_once(large[:STUDENTS])
        rows.append(
            row(
                f"{STUDENTS} students at once, one picture each, both networks, p95",
                "2 s",
                f"{quantile(times, 0.95):.2f} s",
                p50_s=quantile(times, 0.5),
                p95_s=quantile(times, 0.95),
            )
        )
        for count in (60, 200):
            taken = shop.in_one_post(large[:count], both)
            rows.append(
                row(
                    f"{count} pictures in one POST, both networks",
                    "all done",
                    f"{taken:.1f} s",
                    seconds=taken,
                )
            )
        before = shop.memory()
        taken = shop.posts(fives, both, at_once=1)
        after = shop.memory()
        rows.append(
            row("1,000 pictures in five POSTs, both networks", "all done", f"{taken:.1f} s", seconds=taken)
        )
        rows += [
            row(
                f"memory of the {part} before and after these 1,000",
                "flat",
                f"{before[part]:.0f} MB, {after[part]:.0f} MB",
                before_mb=before[part],
                after_mb=after[part],
            )
            for part in before
        ]
        spent = processes.seconds_by_part(shop.parts)
        taken = shop.posts(
            [part[i : i + 50] for part in fives for i in range(0, 200, 50)], ["wideresnet"], at_once=2
        )
        spent = {part: value - spent[part] for part, value in processes.seconds_by_part(shop.parts).items()}
        faults = shop.faults
    again = bare("wideresnet", large)
    inside = steps("wideresnet", large[:32])
    best = {kind: max(alone[kind], again[kind]) for kind in alone}
    rate = 1000 / taken
    reached = (
        f"{rate:.0f} of {best['pictures']:.0f} on the same pictures, opened, {rate / best['pictures']:.0%}; of the "
        f"{best['inputs']:.0f} on inputs made before, {rate / best['inputs']:.0%}"
    )
    rows.append(
        row(
            "sustained pictures a second, wideresnet, of the bare predictor's",
            "50%",
            reached,
            per_second=rate,
            bare_on_inputs=best["inputs"],
            bare_on_pictures=best["pictures"],
            share=rate / best["inputs"],
            cpu_ms=dict(sorted(spent.items(), key=lambda item: -item[1])),
            steps_ms=inside,
        )
    )
    rows.append(row("answers lost, doubled or failed in all of this", "0", f"{faults}", faults=faults))
    return rounded(rows)


def rounded(value: Any) -> Any:
    """Floats with three digits after the point, however deep."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 3) if isinstance(value, float) else value
