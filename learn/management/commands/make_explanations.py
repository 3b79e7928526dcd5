"""Makes the figures of the sample pictures for the networks that are shipped, and removes those of earlier versions.

``python manage.py make_explanations`` belongs to every release; what is there already is not made again.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from learn import sample_figures, subjects
from predictions import samples

WORDS = {"there": "there already", "made": "made", "under way": "being made by a worker"}


class Command(BaseCommand):
    help = "Makes what the laboratory shows of the sample pictures; skips what is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", action="append", default=[], help="only this sample picture")
        parser.add_argument("--network", action="append", default=[], help="only this network")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["sample"] or settings.LABORATORY_SAMPLES
        self._check(chosen, options["network"])
        self.verbosity: int = options["verbosity"]
        counts: Counter[str] = Counter()
        if subjects.cards():
            made = sample_figures.make(chosen, options["network"])
            # With a sample chosen it is that one's figures which are wanted; with none at all nothing is.
            if chosen and not options["sample"]:
                made = chain(made, sample_figures.make_together(options["network"]))
            for one in made:
                counts[one.outcome] += 1
                said = WORDS.get(one.outcome) or f"failed: {one.reason}"
                self._say(f"{one.sample}, {one.network}, {one.kind}: {said}")
            if not options["sample"] and not options["network"]:
                removed = sample_figures.remove_old(chosen)
                self._say(f"{removed} of earlier versions removed")
        else:
            self._say("No network can be looked into.")
        if failed := counts["failed"]:
            raise CommandError(
                f"{failed} of {counts.total()} sample figures of the laboratory could not be made."
            )

    def _check(self, names: list[str], networks: list[str]) -> None:
        if names and not samples.every():
            raise CommandError("The sample pictures are not among the static files: run collectstatic first.")
        for name in names:
            if name not in samples.every():
                raise CommandError(f"There is no sample picture {name!r}: {', '.join(samples.every())}.")
        known = [card.name for card in subjects.cards()]
        for network in networks:
            if network not in known:
                raise CommandError(
                    f"There is no network {network!r} to look into: {', '.join(known) or 'none'}."
                )

    def _say(self, line: str) -> None:
        if self.verbosity:
            self.stdout.write(line)
