"""What every test may use: isolated pictures, a cleared cache, and real servers on demand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import storages
from django.test import override_settings
from django.utils import translation

from tests import services, shared
from tests.networks import make_artifact


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        shared.name(item)
    if hasattr(config, "workerinput"):
        shared.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared.unit(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Hashed names need `collectstatic`; tests/site and the live stack try those for real."""
    from django.conf import settings

    backend = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": backend}):
        yield


@pytest.fixture(autouse=True)
def own_media(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Pictures of a test are gone with the test."""
    folder = tmp_path / "media"
    settings.MEDIA_ROOT = folder
    yield folder
    storages._storages.pop("default", None)


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hashing is slow on purpose, which a suite with hundreds of accounts need not feel."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Rate limits of one test do not count for the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def english() -> None:
    """A request in another language leaves it behind in its thread, which a server gives to no test."""
    translation.deactivate()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[services.RedisServer]:
    with services.running_redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[services.RedisServer]:
    """A Redis of the test's own, to be stopped, frozen and emptied."""
    with services.running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[services.PostgresServer]:
    with services.running_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[services.PostgresServer]:
    """A PostgreSQL of the test's own, to be stopped and restarted."""
    with services.running_postgres() as server:
        yield server


@pytest.fixture
def live_stack() -> Iterator[Callable[..., services.LiveStack]]:
    """`live_stack(database=url, broker=url, workers=1, **variables)`: the site and its workers."""
    with ExitStack() as opened:

        def start(**options: Any) -> services.LiveStack:
            return opened.enter_context(services.running_stack(**options))

        yield start


@pytest.fixture(scope="session")
def networks_to_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("networks")
    make_artifact(root, "tiny", size=24, multiply_adds=1_000)
    make_artifact(root, "small", size=40, multiply_adds=2_000)
    return root


@pytest.fixture
def small_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, networks_to_copy: Path, db: None
) -> list[str]:
    """Two small networks offered instead of the shipped ones; their names, the cheaper first."""
    from predictions import inference
    from predictions.models import Network

    root = tmp_path / "artifacts"
    shutil.copytree(networks_to_copy, root)
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(root))
    monkeypatch.setattr(inference, "_predictors", {})
    Network.synchronise()
    return ["tiny", "small"]


@pytest.fixture
def no_wake_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Wake-ups are noted instead of sent: tests of rows need no broker."""
    from predictions import tasks

    sent: list[str] = []
    monkeypatch.setattr(tasks.WakeUp, "apply_async", lambda self, *args, **options: sent.append(self.name))
    return sent
