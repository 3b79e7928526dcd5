"""Two releases side by side on one database, as during every deployment."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from tests.deploy.expansions import contractions
from tests.deploy.installed import ONE_PROCESS, Instance, Production, accounts, plain_manifest, unpack
from tests.deploy.load import Balancer, Load
from tests.networks import make_artifact
from tests.services import ROOT, wait_until

RELEASES = json.loads((ROOT / "deploy/releases.json").read_text())
PREVIOUS = RELEASES["previous"]


def of_previous(*command: str) -> bytes:
    result = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, check=False)
    if result.returncode:
        missing = (
            f"The commit {PREVIOUS} of deploy/releases.json, the release before this one, is not in this clone; "
            "fetch it: git fetch --unshallow, or in a workflow actions/checkout with fetch-depth: 0."
        )
        # Whoever cloned no history has no release before; where there is one, its commit has to be the right one.
        shallow = subprocess.run(
            ["git", "rev-parse", "--is-shallow-repository"], cwd=ROOT, capture_output=True, check=False
        )
        (pytest.skip if shallow.stdout.strip() == b"true" else pytest.fail)(missing)
    return result.stdout


# --- what migrations may do --------------------------------------------------------------------------------


def known_before() -> set[tuple[str, str]]:
    """The migrations of the release before."""
    listed = of_previous("ls-tree", "-r", "--name-only", PREVIOUS).decode().split()
    paths = [Path(name) for name in listed if "/migrations/" in name and name.endswith(".py")]
    return {(path.parts[0], path.stem) for path in paths if not path.stem.startswith("_")}


def test_migrations_since_the_release_before_only_expand():
    before = known_before()
    assert ("predictions", "0001_initial") in before
    loader = MigrationLoader(None)
    state = ProjectState(real_apps=loader.unmigrated_apps)
    ours = {app for app, _name in before}
    found: dict[str, list[str]] = {}
    seen = set()
    for leaf in loader.graph.leaf_nodes():
        for app, name in loader.graph.forwards_plan(leaf):
            if (app, name) in seen:
                continue
            seen.add((app, name))
            migration = loader.graph.nodes[app, name]
            if app not in ours or (app, name) in before:
                state = migration.mutate_state(state, preserve=False)
            elif steps := list(contractions(app, migration, state)):
                found[f"{app}.{name}"] = steps
    # A step that a reason speaks for, and no reason without a step.
    assert {name: steps for name, steps in found.items() if name not in RELEASES["accepted"]} == {}
    assert set(RELEASES["accepted"]) <= set(found)
    assert all(len(reason) > 40 for reason in RELEASES["accepted"].values())
    missing = before - seen
    assert missing == set(), (
        "a migration of the release before is gone, so its database could not be migrated"
    )


OLD = ModelState(
    "shop",
    "Thing",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("note", models.TextField(null=True)),
        ("size", models.IntegerField(db_default=1)),
    ],
)
FLAG = models.BooleanField


@pytest.mark.parametrize(
    ("operation", "expands"),
    [
        (migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]), True),
        (migrations.AddField("Thing", "new", FLAG(null=True)), True),
        (migrations.AddField("Thing", "new", FLAG(default=False, db_default=False)), True),
        (migrations.AddField("Thing", "new", FLAG(default=False)), False),
        (migrations.RemoveField("Thing", "note"), False),
        (migrations.RenameField("Thing", "note", "text"), False),
        (migrations.DeleteModel("Thing"), False),
        (migrations.RenameModel("Thing", "Object"), False),
        (migrations.AlterField("Thing", "note", models.TextField(default="")), False),
        (migrations.AlterField("Thing", "name", models.CharField(max_length=40)), True),
        (migrations.AlterField("Thing", "name", models.CharField(max_length=10)), False),
        (migrations.AlterField("Thing", "name", models.CharField(max_length=20, unique=True)), False),
        (migrations.AlterField("Thing", "name", models.IntegerField()), False),
        (migrations.AlterField("Thing", "size", models.IntegerField()), False),
        (migrations.AddIndex("Thing", models.Index(fields=["name"], name="by_name")), True),
        (
            migrations.AddConstraint("Thing", models.UniqueConstraint(fields=["name"], name="one_name")),
            False,
        ),
        (migrations.RunSQL("DELETE FROM thing"), False),
        (
            migrations.CreateModel("Part", [("of", models.ForeignKey("shop.Thing", models.CASCADE))]),
            False,
        ),
        (
            migrations.CreateModel(
                "Part", [("of", models.ForeignKey("shop.Thing", models.CASCADE, db_constraint=False))]
            ),
            True,
        ),
    ],
    ids=lambda value: value.describe() if hasattr(value, "describe") else "",
)
def test_a_step_that_the_release_before_would_not_survive_is_told(operation, expands):
    class Migration:
        operations = [operation]

    state = ProjectState()
    state.add_model(OLD.clone())
    assert (list(contractions("shop", Migration, state)) == []) is expands


# --- both at work ------------------------------------------------------------------------------------------


@pytest.fixture
def release_before(tmp_path: Path) -> Path:
    folder = tmp_path / "before"
    with tarfile.open(fileobj=BytesIO(of_previous("archive", "--format=tar", PREVIOUS))) as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_a_deployment_under_load_fails_no_request_and_loses_no_picture(
    built: Path, release_before: Path, new_production: Callable[[], Production], tmp_path: Path
) -> None:
    make_artifact(tmp_path / "networks", "tiny")
    production = new_production()
    more = {"ML_ARTIFACTS_DIR": str(tmp_path / "networks")}

    def machine(release: Path, role: str) -> Instance:
        folder = tmp_path / f"{release.name}-{role}"
        folder.symlink_to(release)
        instances.append(Instance(folder, production.variables(role, **more)))
        return instances[-1]

    instances: list[Instance] = []
    release = unpack(built, tmp_path / "now")
    load: Load | None = None
    try:
        old_web, old_worker = machine(release_before, "web"), machine(release_before, "worker")
        new_web, new_worker = machine(release, "web"), machine(release, "worker")
        for folder in (release_before, release):
            plain_manifest(folder)
        old_web.manage("migrate", "--noinput", "--verbosity", "0")
        old_web.start("web", ONE_PROCESS)
        old_worker.start("worker")
        balancer = Balancer()
        balancer.add(old_web)
        old_web.wait_for("/readyz")
        load = Load(balancer, accounts(old_web, *(f"student{number}@example.com" for number in range(3))))
        load.start()
        load.wait_for(old_web, 20)

        assert new_web.run("python", "deploy/bin/migrate.py").returncode == 0
        load.wait_for(old_web, 20)
        new_worker.start("worker")
        new_web.start("web", ONE_PROCESS)
        balancer.add(new_web)
        load.wait_for(new_web, 30)
        load.wait_for(old_web, 10)

        balancer.take_out(old_web)
        old_worker.stop()
        old_web.stop()
        load.wait_for(new_web, 30)
        load.stop()
        assert load.failures == []

        unanswered = "SELECT 1 FROM predictions_prediction WHERE status IN ('queued', 'running')"
        wait_until(lambda: not production.rows(unanswered), 60, "every picture being answered", pause=0.3)
        ends = production.rows("SELECT id::text, status, attempts FROM predictions_prediction")
        states = {key: (status, attempts) for key, status, attempts in ends if key in load.sent}
        assert set(states) == set(load.sent)
        assert {status for status, _attempts in states.values()} == {"done"}
        assert max(attempts for _status, attempts in states.values()) <= 2
    finally:
        if load is not None:
            load.stop()
        for instance in instances:
            instance.end()
