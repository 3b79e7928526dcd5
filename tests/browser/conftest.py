"""A real site, a real worker and a real Chromium. Every page is held to: no console error, no other host."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
import shutil
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests import services
from tests.factories import PASSWORD
from tests.networks import make_artifact
from tests.pictures import encoded

# The shell is the same Chromium without the window that nobody would see: a new page costs it a third of the time.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# How long a page may take is measured in benchmarks/; a test beside busy neighbours waits for what is to come.
expect.set_options(timeout=20_000)
BOTH_WIDTHS = pytest.mark.parametrize("width", [360, 1280], indirect=True)
"""For tests of what stands where. What a page does is tried where there is least room."""
LOCAL_SCHEMES = ("blob", "data", "about")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def width(request: pytest.FixtureRequest) -> int:
    """How wide the browser is, in pixels."""
    return getattr(request, "param", 360)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.LiveStack]:
    """The site with two small networks that name a picture's mean colour, so that every answer is known."""
    root = tmp_path_factory.mktemp("artifacts")
    make_artifact(root, "tiny", size=24, multiply_adds=1_000)
    make_artifact(root, "small", size=40, multiply_adds=2_000)
    with services.running_stack(ML_ARTIFACTS_DIR=str(root)) as running:
        yield running


@pytest.fixture(scope="session")
def laboratory() -> Iterator[services.LiveStack]:
    """The site with the shipped networks, and with all that a release makes of one sample picture, `sample:apple`."""
    with services.running_stack(LABORATORY_SAMPLES="apple") as running:
        running.manage("make_explanations", "--verbosity", "0")
        yield running


def can_be_written(database: Path) -> bool:
    with contextlib.closing(sqlite3.connect(database, timeout=0.5)) as link:
        try:
            link.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        link.rollback()
        return True


@contextlib.contextmanager
def frozen_worker(stack: services.LiveStack) -> Iterator[Callable[[], None]]:
    """A worker that does nothing until it is told to go on, or until the end."""
    worker = stack.workers[0]

    def frozen_without_the_lock() -> bool:
        os.kill(worker.pid, signal.SIGSTOP)
        if can_be_written(stack.folder / "convoscope.sqlite3"):
            return True
        # It was stopped in the middle of writing, and nobody else could write until it goes on.
        os.kill(worker.pid, signal.SIGCONT)
        return False

    services.wait_until(frozen_without_the_lock, 20, "the worker stopping between two writes")

    def go_on() -> None:
        os.kill(worker.pid, signal.SIGCONT)

    try:
        yield go_on
    finally:
        go_on()


@pytest.fixture
def idle_worker(stack: services.LiveStack) -> Iterator[Callable[[], None]]:
    """`idle_worker()` lets it go on."""
    with frozen_worker(stack) as go_on:
        yield go_on


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        services.program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Opens pages for one test and remembers what the browser complained about."""

    browser: Browser
    base: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *patterns: str) -> None:
        """Complaints that belong to what the test does, such as a refused upload's status."""
        self.expected += patterns

    def open(self, *, width: int = 1280, height: int = 900, login: bool = True, **options: Any) -> Page:
        """A page of a browser of its own, of a new account unless ``login`` is false."""
        settings: dict[str, Any] = {"viewport": {"width": width, "height": height}, "base_url": self.base}
        context = self.browser.new_context(**{**settings, **options})
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._request)
        if login:
            sign_up(context)
        return context.new_page()

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and f"{parts.scheme}://{parts.netloc}" != self.base:
            self.foreign.append(request.url)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        left = [text for text in self.complaints if not any(re.search(one, text) for one in self.expected)]
        assert not left, f"the browser complained: {left}"
        assert not self.foreign, f"requests left the site: {self.foreign}"


def sign_up(context: BrowserContext, email: str = "") -> str:
    """A new account, logged in, without clicking through the pages that other tests click through."""
    email = email or f"student-{uuid.uuid4().hex[:12]}@example.com"
    form = context.request.get("/accounts/signup/").text()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    values = {"csrfmiddlewaretoken": token[1], "email": email, "password1": PASSWORD, "password2": PASSWORD}
    answer = context.request.post("/accounts/signup/", form=values, headers={"Referer": "http://127.0.0.1/"})
    assert answer.ok, answer.status
    assert "signup" not in answer.url
    return email


@pytest.fixture
def visitor(stack: services.LiveStack, chromium: Browser) -> Iterator[Visitor]:
    one = Visitor(chromium, stack.url)
    yield one
    one.close()


@pytest.fixture
def researcher(laboratory: services.LiveStack, chromium: Browser) -> Iterator[Visitor]:
    """A visitor of the laboratory."""
    one = Visitor(chromium, laboratory.url)
    yield one
    one.close()


def eventually(page: Page, holds: str, argument: Any = None) -> None:
    """Waits until a JavaScript expression or function is true. Playwright's ``wait_for_function`` evaluates its text
    in the page from the second time on, which the site's Content-Security-Policy forbids.
    """
    services.wait_until(lambda: page.evaluate(holds, argument), 20, holds)


def upload(name: str, data: bytes) -> FilePayload:
    """A file as a person would choose it."""
    return {"name": name, "mimeType": mimetypes.guess_type(name)[0] or "", "buffer": data}


def one_colour(colour: str, size: tuple[int, int] = (300, 200)) -> bytes:
    """A picture whose answer is the colour's name."""
    return encoded(Image.new("RGB", size, colour), "PNG")


def choose(page: Page, *files: FilePayload) -> None:
    """Chooses pictures on the predict page and waits until the site has answered for each."""
    draft = re.compile("/predict/draft/")
    with contextlib.ExitStack() as waiting:
        answers = [waiting.enter_context(page.expect_response(draft)) for _ in files[:1]]
        page.set_input_files("#id_image", list(files))
    assert all(answer.value for answer in answers)


def send(page: Page) -> None:
    """Sends, and waits for every answer."""
    page.click("[data-send]")
    expect(page.locator("[data-results] .answer-list").first).to_be_visible()
    expect(page.locator("[data-results] .waiting")).to_have_count(0)
