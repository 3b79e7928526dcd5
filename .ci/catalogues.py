"""Says whether the catalogues in locale/ hold every text of the code and the compiled ones are fresh.

`.venv/bin/python .ci/catalogues.py --write` (or `make messages`) brings them up to date.
"""

from __future__ import annotations

import gettext
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
IGNORED = [".venv", "var", "runs", "tests", "benchmarks", "staticfiles", "static/vendor"]
VOLATILE = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|X-Generator):.*\n', re.MULTILINE)


def languages() -> list[str]:
    return sorted(folder.name for folder in LOCALE.iterdir() if (folder / "LC_MESSAGES").is_dir()) or ["en"]


def extract() -> None:
    """Django's makemessages, for templates and Python, then for scripts."""
    common = ["--no-location", "--no-obsolete", "--no-wrap", "--verbosity", "0"]
    for name in IGNORED:
        common += ["--ignore", name, "--ignore", f"{name}/*"]
    for language in languages():
        common += ["--locale", language]
    manage = [sys.executable, "manage.py", "makemessages"]
    subprocess.run([*manage, *common], cwd=ROOT, check=True)
    subprocess.run([*manage, "--domain", "djangojs", *common], cwd=ROOT, check=True)


def compiled(source: Path) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".mo") as target:
        command = ["msgfmt", "--check-format", "--output-file", target.name, str(source)]
        subprocess.run(command, check=True)
        return Path(target.name).read_bytes()


def meaning(path: Path) -> dict[object, str]:
    """What a compiled catalogue says, whichever msgfmt wrote it."""
    with path.open("rb") as file:
        catalogue: dict[object, str] = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    catalogue[""] = ""
    return catalogue


def write() -> int:
    for language in languages():
        (LOCALE / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    extract()
    for source in LOCALE.rglob("*.po"):
        source.with_suffix(".mo").write_bytes(compiled(source))
    return 0


def check() -> int:
    before = {path: path.read_bytes() for path in LOCALE.rglob("*.po")}
    try:
        extract()
        after = {path: path.read_bytes() for path in LOCALE.rglob("*.po")}
    finally:
        for path in LOCALE.rglob("*.po"):
            if path in before:
                path.write_bytes(before[path])
            else:
                path.unlink()
    problems = [
        f"{path.relative_to(ROOT)} does not hold every text of the code; run make messages."
        for path in sorted(after)
        if VOLATILE.sub(b"", before.get(path, b"")) != VOLATILE.sub(b"", after[path])
    ]
    for path in sorted(before):
        target = path.with_suffix(".mo")
        with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
            Path(fresh.name).write_bytes(compiled(path))
            if not target.exists() or meaning(target) != meaning(Path(fresh.name)):
                problems.append(
                    f"{target.relative_to(ROOT)} is not what {path.name} says; run make messages."
                )
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(write() if "--write" in sys.argv else check())
