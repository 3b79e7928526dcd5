"""Static files go out under hashed names, and everything that a page or a script names is there."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

ROOT = Path(settings.BASE_DIR)
MODULE_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static-data")
    environment = {**os.environ, "DATA_DIR": str(folder)}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return folder / "static"


@pytest.fixture(scope="module")
def manifest(collected: Path) -> dict[str, str]:
    paths: dict[str, str] = json.loads((collected / "staticfiles.json").read_text())["paths"]
    return paths


def own_files(suffix: str) -> list[str]:
    return sorted(
        path.relative_to(ROOT / "static").as_posix() for path in (ROOT / "static").rglob(f"*{suffix}")
    )


def test_every_own_file_has_a_hashed_name(manifest, collected):
    for name in own_files(".css") + own_files(".js"):
        hashed = manifest[name]
        assert hashed != name
        assert (collected / hashed).is_file()


def test_styles_and_scripts_of_the_pages_lie_there_compressed_too(manifest, collected):
    for name in ("css/site.css", "js/predict.js"):
        served = collected / manifest[name]
        compressed = served.with_name(f"{served.name}.gz")
        assert gzip.decompress(compressed.read_bytes()) == served.read_bytes()


def test_modules_import_each_other_by_hashed_names(manifest, collected):
    hashed = set(manifest.values())
    seen = 0
    for name in own_files(".js"):
        served = collected / manifest[name]
        for target in MODULE_IMPORT.findall(served.read_text()):
            address = os.path.normpath(Path(manifest[name]).parent / target)
            assert address in hashed, f"{name} imports {target}"
            seen += 1
    assert seen == sum(
        len(MODULE_IMPORT.findall((ROOT / "static" / name).read_text())) for name in own_files(".js")
    )


def test_every_static_tag_names_a_file():
    tag = re.compile(r"""{%\s*static\s+["']([^"']+)["']\s*%}""")
    for template in (ROOT / "templates").rglob("*.html"):
        for name in tag.findall(template.read_text()):
            assert finders.find(name), f"{template.relative_to(ROOT)} names {name}"


def test_nothing_is_loaded_from_another_host():
    remote = re.compile(r"""(?:src|href)=["'](?:https?:)?//|@import\s+["'(]*https?:|url\(\s*["']?https?:""")
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").rglob("*.css")]
    for path in sources:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if remote.search(line) and "<a " not in line:
                pytest.fail(f"{path.relative_to(ROOT)}:{number} loads from another host: {line.strip()}")


def test_no_template_needs_an_exception_from_the_policy():
    """The policy stops inline styles, handlers and scripts without a nonce."""
    inline = re.compile(r"""<[^>]*\s(?:style|on[a-z]+)=["']""")
    script = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*nonce=)(?![^>]*application/json)[^>]*>")
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        for found in [*inline.findall(text), *script.findall(text)]:
            pytest.fail(f"{path.relative_to(ROOT)} holds {found}")
