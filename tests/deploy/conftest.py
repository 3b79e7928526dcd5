"""What the tests of deployments share: a bundle of the working tree, and servers that stand for RDS, Redis and S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from deploy import bundle
from tests.aws.server import running_moto
from tests.deploy.committed import Snapshot, snapshot
from tests.deploy.installed import Instance, Production, unpack
from tests.services import PostgresServer, RedisServer


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with running_moto() as address:
        yield address


@pytest.fixture(scope="session")
def new_production(
    postgres_server: PostgresServer, redis_server: RedisServer, s3: str
) -> Callable[[], Production]:
    """What a site of its own is deployed on."""
    numbers = count(1)
    return lambda: Production.on(postgres_server, redis_server, s3, next(numbers))


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot(tmp_path_factory.mktemp("git"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, committed: Snapshot) -> Path:
    """The zip that would be uploaded were the working tree committed, without wheels."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in committed.variables.items():
            patch.setenv(name, value)
        out = tmp_path_factory.mktemp("bundle")
        return bundle.run(
            ["--commit", committed.hash, "--allow-changes", "--without-wheels", "--out", str(out)]
        )


@pytest.fixture(scope="session")
def deployed(
    built: Path, new_production: Callable[[], Production], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Instance, Production]:
    """The leader of the web environment, before anything is started: unpacked, and its commands run."""
    production = new_production()
    folder = unpack(built, tmp_path_factory.mktemp("web") / "current")
    instance = Instance(folder, production.variables("web"))
    for command in instance.deploy():
        assert command.returncode == 0, (command.args, command.stderr[-3000:])
    return instance, production
