"""The Python packages that a bundle brings along, as wheels for the machines that it is made for.

A new instance then installs from its own disk, and needs no package index at the very moment when it is wanted most.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "deploy" / "wheels.json"
FOLDER = "wheels"

# Beanstalk's platform "Python 3.11 running on 64bit Amazon Linux 2023", which has glibc 2.34.
PYTHON = (3, 11)
GLIBC = (2, 34)
MACHINE = "x86_64"
# The platform's updates move within these; a package that any of them needs is brought.
RELEASES = ("3.11.2", "3.11.99")


class WheelError(Exception):
    """One sentence for whoever builds a bundle."""


def platforms() -> list[str]:
    """The platform tags that the instances take, the most particular first."""
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    names: list[str] = []
    for minor in range(GLIBC[1], 4, -1):
        names.append(f"manylinux_{GLIBC[0]}_{minor}_{MACHINE}")
        if minor in legacy:
            names.append(f"{legacy[minor]}_{MACHINE}")
    return names


def tags() -> frozenset[Tag]:
    """What a wheel's name must offer at least one of."""
    own = cpython_tags(PYTHON, platforms=[*platforms(), f"linux_{MACHINE}"])
    any_python = compatible_tags(PYTHON, f"cp{PYTHON[0]}{PYTHON[1]}", platforms())
    return frozenset([*own, *any_python])


def pins(text: str) -> list[Requirement]:
    """What of a requirements file the instances install, each with its marker."""
    found = [
        Requirement(line) for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")
    ]
    return [one for one in found if one.marker is None or any(map(one.marker.evaluate, _environments()))]


def _environments() -> Iterator[dict[str, str]]:
    for release in RELEASES:
        yield {
            "python_version": f"{PYTHON[0]}.{PYTHON[1]}",
            "python_full_version": release,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "platform_machine": MACHINE,
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }


def _bare(requirement: Requirement) -> str:
    """Without its marker, which pip would ask of the machine that builds."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def download(wanted: Iterable[Requirement], folder: Path) -> None:
    """Puts a wheel of each into ``folder``, from the index or the cache that pip is set up with."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command += ["--implementation", "cp", "--python-version", f"{PYTHON[0]}.{PYTHON[1]}"]
    for abi in (f"cp{PYTHON[0]}{PYTHON[1]}", "abi3", "none"):
        command += ["--abi", abi]
    for name in platforms():
        command += ["--platform", name]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{_bare(one)}\n" for one in wanted))
        file.flush()
        result = subprocess.run(
            [*command, "--requirement", file.name], capture_output=True, text=True, check=False
        )
    if result.returncode:
        raise WheelError(f"pip could not fetch the wheels: {last_line(result.stderr)}")


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def matched(wanted: Iterable[Requirement], names: Iterable[str]) -> dict[str, str]:
    """The wheel of each package, by its canonical name. Refuses a package without one, and one that does not fit."""
    fitting = tags()
    offered: dict[str, str] = {}
    for name in sorted(names):
        package, version, _build, own = parse_wheel_filename(name)
        if own & fitting:
            offered[f"{package}=={version}"] = name
    chosen: dict[str, str] = {}
    missing: list[str] = []
    for one in wanted:
        package = canonicalize_name(one.name)
        [pinned] = [clause.version for clause in one.specifier]
        wheel = offered.get(f"{package}=={pinned}")
        if wheel is None:
            missing.append(f"{package} {pinned}")
        else:
            chosen[package] = wheel
    if missing:
        raise WheelError(
            f"No wheel for Python {PYTHON[0]}.{PYTHON[1]} on Linux ({MACHINE}, glibc {GLIBC[0]}.{GLIBC[1]}) is there "
            f"for {', '.join(missing)}; pin versions that have one in requirements-serve.txt."
        )
    return chosen


def requirements(wanted: Iterable[Requirement], folder: Path) -> str:
    """A requirements file that installs from the folder beside it, only from there, and only these very files."""
    wanted = list(wanted)
    wheels = matched(wanted, (path.name for path in folder.glob("*.whl")))
    lines = [
        "# Written by deploy/bundle.py: exactly the wheels beside this file, and no index.",
        "--no-index",
        # pip looks for it beside this file first, whatever folder it is started in.
        f"--find-links {FOLDER}",
        "--only-binary :all:",
        "--require-hashes",
    ]
    for one in wanted:
        marker = f" ; {one.marker}" if one.marker else ""
        content = (folder / wheels[canonicalize_name(one.name)]).read_bytes()
        lines.append(f"{_bare(one)}{marker} --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    return "\n".join(lines) + "\n"


def record(folder: Path, path: Path = RECORD) -> None:
    """Notes names and sizes, for the test that every pin has a wheel which fits."""
    sizes = {wheel.name: wheel.stat().st_size for wheel in sorted(folder.glob("*.whl"))}
    path.write_text(json.dumps(sizes, indent=2) + "\n", encoding="utf-8")
