"""What Lighthouse says of the pages that a visitor sees first. Wants npx, which fetches Lighthouse from npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import django

LIGHTHOUSE = "lighthouse@12.8.2"
PAGES = ("/", "/predict/", "/learn/", "/learn/overview/", "/learn/networks/", "/accounts/signup/")
SAMPLE = "apple"
SCORES = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best_practices": "best-practices",
    "seo": "seo",
}
# Now and then Chromium records no trace, and Lighthouse asks to be run again.
TRIES = 3
FLAGS = "--headless=new --no-sandbox --disable-gpu"


def measure() -> list[dict[str, Any]]:
    from tests.services import running_stack

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not (shutil.which("npx") and chromium):
        raise SystemExit("This part needs npx and Chromium. Install them, or name the other parts.")
    # The lessons' figures show what a release computes of the sample pictures; one is enough for a first visit.
    with running_stack(LABORATORY_SAMPLES=SAMPLE) as stack:
        stack.manage("make_explanations", "--verbosity", "0")
        pages = [*PAGES, *_lessons()]
        return [_judged(f"http://localhost:{stack.port}{page}", page, chromium) for page in pages]


def _lessons() -> list[str]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")
    django.setup()
    from learn import lessons

    return [f"/learn/{one.slug}/" for one in lessons.every() if one.number]


def _judged(address: str, page: str, chromium: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="convoscope-pages-") as folder:
        out = Path(folder) / "report.json"
        command = ["npx", "--yes", LIGHTHOUSE, address, "--quiet", f"--chrome-flags={FLAGS}", "--output=json"]
        for attempt in range(TRIES):
            done = subprocess.run(
                [*command, f"--output-path={out}"],
                check=attempt == TRIES - 1,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "CHROME_PATH": chromium},
            )
            if not done.returncode:
                break
        report = json.loads(out.read_text(encoding="utf-8"))
    scores = {name: round(100 * report["categories"][key]["score"]) for name, key in SCORES.items()}
    audits = report["audits"]
    return {
        "page": page,
        **scores,
        "kilobytes": round(audits["total-byte-weight"]["numericValue"] / 1000),
        "layout_shift": round(audits["cumulative-layout-shift"]["numericValue"], 4),
        "lighthouse": report["lighthouseVersion"],
    }
