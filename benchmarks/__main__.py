"""Runs every benchmark, or those named, prints their tables and writes ``benchmarks/results/<part>.json``.

What a page of the site shows is written where the site reads it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import (
    admin,
    cost,
    engines,
    history,
    laboratory,
    laboratory_numbers,
    laboratory_pages,
    live,
    pages,
    scaling,
    way,
    worker,
    workshop,
)
from ml.config import processor
from ml.storage import write_json

PARTS = {
    "engines": engines.measure,
    "scaling": scaling.measure,
    "worker": worker.measure,
    "way": way.measure,
    "workshop": workshop.measure,
    "live": live.measure,
    "history": history.measure,
    "admin": admin.measure,
    "laboratory_numbers": laboratory_numbers.measure,
    "laboratory": laboratory.measure,
}
# Asked for by name: one fetches a program, one wants Chromium, one builds 72 networks.
MORE = {"pages": pages.measure, "laboratory_pages": laboratory_pages.measure, "cost": cost.measure}
RESULTS = Path(__file__).parent / "results"
ELSEWHERE = {"cost": cost.FILE}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, *MORE, []], help="parts to run (all unless said)")
    parser.add_argument(
        "--beside",
        metavar="NAME",
        help="keep the results beside another machine's, under a name for this one",
    )
    args = parser.parse_args()
    if args.beside and not args.beside.isalnum():
        parser.error("the name is part of a file's: letters and digits only")
    for name in args.part or list(PARTS):
        print(f"== {name} ({processor()})", flush=True)
        rows = (PARTS | MORE)[name]()
        for row in rows:
            print("  ".join(f"{key}: {value}" for key, value in row.items()), flush=True)
        own = ELSEWHERE.get(name, RESULTS / f"{name}.json")
        file = own.with_stem(f"{own.stem}-{args.beside}") if args.beside else own
        write_json(file, {"hardware": processor(), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
