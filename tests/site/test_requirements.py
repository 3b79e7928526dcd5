"""Every package is pinned, also those that others need, on each Python and system that is supported."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(settings.BASE_DIR)
FILES = ["requirements-serve.txt", "requirements.txt", "requirements-dev.txt"]
PYTHONS = ["3.11.2", "3.11.9", "3.12.8", "3.13.2"]
SYSTEMS = [("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64")]


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text().splitlines()
    return [line.strip() for line in text if line.strip() and not line.startswith("#")]


def requirements(name: str) -> list[Requirement]:
    found: list[Requirement] = []
    for line in lines(name):
        if line.startswith("-r "):
            found += requirements(line[3:])
        else:
            found.append(Requirement(line))
    return found


def environment(python: str, system: tuple[str, str, str]) -> dict[str, str]:
    return {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": system[0],
        "platform_system": system[1],
        "platform_machine": system[2],
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def needed(direct: list[Requirement], where: dict[str, str]) -> set[str]:
    """The names of everything that is installed for `direct` in an environment."""
    todo = [(requirement, ("",)) for requirement in direct]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    names: set[str] = set()
    while todo:
        requirement, extras = todo.pop()
        marker = requirement.marker
        if marker and not any(marker.evaluate({**where, "extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        names.add(name)
        own = ("", *sorted(requirement.extras))
        if (name, own) in seen:
            continue
        seen.add((name, own))
        try:
            found = metadata.requires(requirement.name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system; it is pinned by name all the same
        todo += [(Requirement(line), own) for line in found]
    return names


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_one_exact_version_from_the_configured_index(name):
    for line in lines(name):
        assert line.startswith("-r ") or re.match(
            r"^[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^=*\s;]+( *;.*)?$", line
        ), line
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_installed_that_is_not_pinned(name, python, system):
    where = environment(python, system)
    direct = requirements(name)
    pinned = {
        canonicalize_name(found.name) for found in direct if not found.marker or found.marker.evaluate(where)
    }
    assert needed(direct, where) - pinned == set()


def test_what_is_installed_here_is_what_is_pinned():
    for requirement in requirements("requirements-dev.txt"):
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.specifier.contains(metadata.version(requirement.name), prereleases=True), (
                requirement
            )


def test_no_package_is_pinned_twice():
    names = [canonicalize_name(requirement.name) for requirement in requirements("requirements-dev.txt")]
    assert len(names) == len(set(names))
