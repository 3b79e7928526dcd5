"""The working tree as a commit that is nowhere but in a folder of the test's own: what `git commit -a` would make.

A test then builds the bundle from git without waiting for a commit, and leaves the repository as it was.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services import ROOT

AUTHOR = {
    "GIT_AUTHOR_NAME": "Tests",
    "GIT_AUTHOR_EMAIL": "tests@convoscope.example",
    "GIT_AUTHOR_DATE": "2026-11-01T12:00:00+0000",
    "GIT_COMMITTER_NAME": "Tests",
    "GIT_COMMITTER_EMAIL": "tests@convoscope.example",
    "GIT_COMMITTER_DATE": "2026-11-01T12:00:00+0000",
}


@dataclass(frozen=True)
class Snapshot:
    """A commit's hash, and the variables with which git finds it."""

    hash: str
    variables: dict[str, str]


def git(*arguments: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    result = subprocess.run(
        ["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        pytest.fail(
            f"git {arguments[0]} failed: {result.stderr.strip()}. The bundle is built from git, so its tests need a "
            "clone of the repository."
        )
    return result.stdout.strip()


def snapshot(folder: Path) -> Snapshot:
    objects = folder / "objects"
    objects.mkdir()
    variables = {
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": git(
            "rev-parse", "--path-format=absolute", "--git-path", "objects"
        ),
        "GIT_INDEX_FILE": str(folder / "index"),
    }
    # From the last commit on, so that only what changed is read and compressed.
    git("read-tree", "HEAD", **variables)
    git("add", "--all", **variables)
    tree = git("write-tree", **variables)
    made = git("commit-tree", tree, "-m", "The working tree", **variables, **AUTHOR)
    return Snapshot(made, {**variables, "GIT_INDEX_FILE": str(folder / "index")})
