"""Builds the zip that Elastic Beanstalk runs, from a commit: ``python -m deploy.bundle --out dist/``.

Tracked files only, with the bits that make hooks executable; the same commit and the same wheels give the same bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from deploy import wheels

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 500 * 1024 * 1024
"""Beanstalk takes source bundles up to 500 MB."""

LEFT_OUT = {
    "tests/*": "nothing in production runs them",
    "benchmarks/*": "measure the site and are no part of it",
    "docs/*": "are read in the repository; no page shows them",
    "samples/scenes/*": "what the sample pictures were drawn from; the pictures are in static/samples",
    "samples/render.py": "draws the sample pictures",
    "locale/*.po": "catalogues are read compiled",
    "deploy/*": "is for whoever deploys, except what the instances run",
    ".ci/*": "is for developers and their machines",
    ".github/*": "is for GitHub",
    ".gitignore": "is for git",
    ".dockerignore": "is for the image",
    ".ebignore": "is for the EB command line",
    "Dockerfile": "is for the image; Beanstalk's Python platform does not need it",
    "compose.yaml": "is for the image",
    "Makefile": "is for developers",
    "pyproject.toml": "sets up the developers' tools",
    "requirements-dev.txt": "is for developers",
    "requirements-serve.txt": "becomes requirements.txt, the name that Beanstalk looks for",
    "requirements.txt": "has TensorFlow, which nothing that serves imports; another one takes its place",
    "CHANGELOG.md": "is read in the repository",
}
KEPT = ("deploy/__init__.py", "deploy/backup.py", "deploy/bin/*")
"""What is in the bundle although a pattern of LEFT_OUT fits it."""

# They are compressed already, or nearly: to deflate them takes seconds and gains little.
STORED = (".bin", ".gz", ".jpg", ".npz", ".packed", ".png", ".webp", ".whl", ".woff2")


class BundleError(Exception):
    """One sentence for whoever builds a bundle."""


@dataclass(frozen=True)
class Member:
    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True)
class Commit:
    hash: str
    written: datetime

    @property
    def label(self) -> str:
        return f"{self.written:%Y%m%dT%H%M%SZ}-{self.hash[:12]}"


def git(*arguments: str) -> bytes:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if result.returncode:
        raise BundleError(
            f"git {arguments[0]} failed: {wheels.last_line(result.stderr.decode(errors='replace'))}"
        )
    return result.stdout


def find_commit(name: str) -> Commit:
    try:
        known = git("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()
    except BundleError:
        raise BundleError(f"git knows no commit called {name}; is it fetched?") from None
    seconds = int(git("show", "--no-patch", "--format=%ct", known))
    return Commit(known, datetime.fromtimestamp(seconds, UTC))


def refuse_changes(out: Path) -> None:
    """What is not committed would not be in the bundle, which whoever builds it may not know."""
    exclude = [f":(exclude){out.relative_to(ROOT)}"] if out.is_relative_to(ROOT) and out != ROOT else []
    changed = git("status", "--porcelain", "--", ".", *exclude).decode().splitlines()
    if changed:
        first = changed[0][3:]
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise BundleError(
            f"{first}{others} would be missing, because the bundle holds what is committed; commit the changes, "
            "or say --allow-changes."
        )


def left_out(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in LEFT_OUT) and not any(
        fnmatch(path, pattern) for pattern in KEPT
    )


def files(commit: Commit) -> Iterator[Member]:
    """Everything of the commit that production needs, by path."""
    archive = git("archive", "--format=tar", commit.hash)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in sorted(tar, key=lambda one: one.name):
            if entry.isdir() or left_out(entry.name):
                continue
            source = tar.extractfile(entry)
            if source is None or not entry.isfile():
                raise BundleError(f"{entry.name} is a link, which Beanstalk would not unpack; commit a file.")
            yield Member(entry.name, source.read(), bool(entry.mode & 0o100))


def release(commit: Commit, label: str) -> str:
    """Which release a machine runs, for whoever looks at one."""
    facts = {"commit": commit.hash, "date": commit.written.isoformat(), "label": label}
    return json.dumps(facts, indent=2) + "\n"


def packages(commit: Commit, folder: Path | None) -> Iterator[Member]:
    """requirements.txt, and the wheels in ``folder``; without a folder, an instance asks the index for them."""
    pinned = git("show", f"{commit.hash}:requirements-serve.txt").decode()
    if folder is None:
        yield Member("requirements.txt", pinned.encode())
        return
    wanted = wheels.pins(pinned)
    yield Member("requirements.txt", wheels.requirements(wanted, folder).encode())
    for name in sorted(wheels.matched(wanted, (path.name for path in folder.glob("*.whl"))).values()):
        yield Member(f"{wheels.FOLDER}/{name}", (folder / name).read_bytes())


def write(path: Path, members: Sequence[Member], written: datetime) -> None:
    """The zip, whole under its name or not there; the same members give the same bytes."""
    draft = path.with_suffix(".part")
    moment = max(written, datetime(1980, 1, 1, tzinfo=UTC)).timetuple()[:6]
    with zipfile.ZipFile(draft, "w") as archive:
        for member in sorted(members, key=lambda one: one.path):
            entry = zipfile.ZipInfo(member.path, moment)
            entry.create_system = 3  # Unix, without which nobody reads the mode
            entry.external_attr = (0o100755 if member.executable else 0o100644) << 16
            stored = member.path.endswith(STORED)
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.content)
    draft.replace(path)


def refuse_large(path: Path, limit: int = LIMIT) -> int:
    size = path.stat().st_size
    if size >= limit:
        path.unlink()
        raise BundleError(
            f"The bundle would have {megabytes(size)}, and Beanstalk takes less than {megabytes(limit)}; "
            "leave something out in deploy/bundle.py."
        )
    return size


def megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def build(commit: Commit, out: Path, *, label: str = "", folder: Path | None = None) -> Path:
    label = label or commit.label
    members = [
        *files(commit),
        *packages(commit, folder),
        Member("release.json", release(commit, label).encode()),
    ]
    for needed in ("Procfile", "manage.py"):
        if needed not in {member.path for member in members}:
            raise BundleError(f"{needed} is not in commit {commit.hash[:12]}; Beanstalk could start nothing.")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"convoscope-{label}.zip"
    write(path, members, commit.written)
    refuse_large(path)
    return path


def parser() -> argparse.ArgumentParser:
    read = argparse.ArgumentParser(prog="python -m deploy.bundle", description=__doc__)
    read.add_argument("--out", type=Path, required=True, help="folder for the zip")
    read.add_argument("--commit", default="HEAD", help="what is deployed (default: HEAD)")
    read.add_argument("--label", default="", help="version label (default: the commit's time and hash)")
    read.add_argument("--allow-changes", action="store_true", help="leave out what is not committed")
    chosen = read.add_mutually_exclusive_group()
    chosen.add_argument("--wheels", type=Path, help="take the wheels from this folder and download nothing")
    chosen.add_argument(
        "--without-wheels", action="store_true", help="let each instance download its packages"
    )
    read.add_argument("--record", action="store_true", help="note the wheels in deploy/wheels.json")
    return read


def run(arguments: Sequence[str] | None = None) -> Path:
    chosen = parser().parse_args(arguments)
    out: Path = chosen.out.resolve()
    commit = find_commit(chosen.commit)
    if not chosen.allow_changes:
        refuse_changes(out)
    with tempfile.TemporaryDirectory(prefix="convoscope-wheels-") as fetched:
        folder: Path | None = chosen.wheels
        if chosen.without_wheels:
            folder = None
        elif folder is None:
            folder = Path(fetched)
            pinned = git("show", f"{commit.hash}:requirements-serve.txt").decode()
            wheels.download(wheels.pins(pinned), folder)
        if chosen.record and folder is not None:
            wheels.record(folder)
        return build(commit, out, label=chosen.label, folder=folder)


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        path = run(arguments)
    except (BundleError, wheels.WheelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    size = megabytes(path.stat().st_size)
    sys.stdout.write(f"{path} has {size}; Beanstalk takes less than {megabytes(LIMIT)}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
