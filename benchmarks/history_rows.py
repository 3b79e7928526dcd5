"""Fills a database with a history as years of teaching leave one behind: many owners, one of them with very much.

Rows go in in bulk (COPY on PostgreSQL), with the indexes built afterwards. The rows of different owners lie mixed, as
they come in over time: what is measured on them must not profit from an order that a real table does not have.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

PIECE = 20_000  # pictures
YEARS = timedelta(days=730)
WORDS = (
    "dog",
    "cat",
    "rome",
    "holiday",
    "garden",
    "street",
    "train",
    "mountain",
    "lake",
    "kitchen",
    "winter",
    "market",
)
NOTES = ["ask the teacher", "for the report", "Übung 3", "why not a fox?"]
UPLOAD = (
    *(
        "id",
        "owner_id",
        "file",
        "filename",
        "content_type",
        "width",
        "height",
        "source_width",
        "source_height",
    ),
    *("bytes", "created"),
)
INPUT = ("id", "upload_id", "preprocessing", "bars_key", "crop_key", "size", "pixels")
BATCH = ("id", "owner_id", "key", "fingerprint", "rejected", "truths", "created")
RUN = (
    *(
        "id",
        "owner_id",
        "upload_id",
        "batch_id",
        "network_input_id",
        "model_id",
        "clean_run_id",
        "position",
        "asked",
    ),
    *("status", "priority", "attempts", "claimed_by", "error_code", "error_message", "created", "started"),
    *("finished", "bars", "covered", "artifact", "starred", "note", "search_name"),
    *("top1_id", "top2_id", "top3_id", "top4_id", "top5_id"),
    *("probability1", "probability2", "probability3", "probability4", "probability5"),
)


def fill(predictions: int, users: int, largest: int) -> None:
    """``predictions`` rows of ``users`` owners, the first of whom has ``largest``."""
    from accounts.models import User
    from predictions.models import Network

    Network.synchronise()
    now = datetime.now(UTC)
    nobody = make_password(None)
    # A thousand accounts by the model's own defaults: their table may gain columns.
    people = [User(pk=i, email=f"bench{i}@example.com", password=nobody) for i in range(1, users + 1)]
    User.objects.bulk_create(people)
    tables = {"upload": UPLOAD, "networkinput": INPUT, "batch": BATCH, "prediction": RUN}
    with Bulk() as bulk:
        made = _pictures(list(_owners(predictions // 2, users, largest // 2)), now)
        while piece := list(islice(made, PIECE)):
            for name, columns in tables.items():
                rows = [row for picture in piece for row in picture[name]]
                bulk.insert(f"predictions_{name}", columns, rows)


def _owners(pictures: int, users: int, largest: int) -> Iterator[int]:
    """Whose each picture is, mixed."""
    others = [2 + i % (users - 1) for i in range(pictures - largest)] if users > 1 else []
    owners = [1] * largest + others
    random.Random(1).shuffle(owners)
    return iter(owners)


def _pictures(owners: list[int], now: datetime) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """What each picture adds to each table: it is shown to two networks, every fifth time with bars over it."""
    from ml import artifact

    networks = [(card.name, card.version, len(card.labels)) for card in artifact.cards()][:2]
    chance = random.Random(2)
    step = YEARS / len(owners)
    batches: dict[int, tuple[Any, int]] = {}
    last: dict[int, list[Any]] = {}
    for number, owner in enumerate(owners):
        created = now - YEARS + number * step
        upload = _uuid(chance)
        filename = _filename(chance)
        batch, pictures = batches.get(owner, (None, 10))
        new = [] if pictures < 10 else [(_uuid(chance), owner, None, "", "[]", "{}", created)]
        batch, pictures = (new[0][0], 0) if new else (batch, pictures)
        batches[owner] = (batch, pictures + 1)
        covered = number % 5 == 4
        clean = last.get(owner) if covered else None
        ids = [_uuid(chance) for _network in networks]
        last[owner] = ids
        runs = [
            (
                *(
                    ids[i],
                    owner,
                    upload,
                    batch,
                    number + 1,
                    network,
                    clean[i] if clean else None,
                    pictures,
                    True,
                ),
                *("done", 10, 1, "", "", "", created, created + timedelta(seconds=0.1)),
                *(
                    created + timedelta(seconds=0.2),
                    "[[0.1, 0.1, 0.4, 0.3]]" if covered else "[]",
                    covered,
                    version,
                ),
                *(chance.random() < 0.02, chance.choice(NOTES) if chance.random() < 0.01 else ""),
                *(filename.casefold(), *_answers(chance, network, classes)),
            )
            for i, (network, version, classes) in enumerate(networks)
        ]
        file = f"pictures/{upload.hex[:2]}/{upload.hex}.jpg"
        yield {
            "upload": [(upload, owner, file, filename, "image/jpeg", 800, 600, 800, 600, 80_000, created)],
            "networkinput": [(number + 1, upload, "bench", "", "", 32, b"")],
            "batch": new,
            "prediction": runs,
        }


def _uuid(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def _filename(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return f"IMG_{chance.randrange(10_000):04}.JPG"
    return f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{chance.randrange(1000)}.jpg"


def _answers(chance: random.Random, network: str, classes: int) -> tuple[Any, ...]:
    """Five classes, some of them much more frequent than others, and their probabilities in falling order."""
    first = int(classes * chance.random() ** 2)
    probability = 1 - 0.75 * chance.random() ** 3
    rest = 1 - probability
    labels = [f"{network}:{(first + 7 * i) % classes}" for i in range(5)]
    return (*labels, probability, *(min(probability, rest) / 2**i for i in range(1, 5)))


class Bulk:
    """Rows by the hundred thousand into the site's own tables; indexes are built when all are there."""

    def __enter__(self) -> Bulk:
        self.postgres = connection.vendor == "postgresql"
        with connection.cursor() as cursor:
            if self.postgres:
                # No index that a constraint stands on, and no look at the other table for each row.
                cursor.execute("SET session_replication_role = replica")
                cursor.execute(
                    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
                    " AND tablename LIKE 'predictions_%' AND indexname NOT IN (SELECT conname FROM pg_constraint)"
                )
            else:
                cursor.execute("PRAGMA foreign_keys = OFF")
                cursor.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
                    " AND tbl_name LIKE 'predictions_%'"
                )
            self.indexes = cursor.fetchall()
            for name, _definition in self.indexes:
                cursor.execute(f'DROP INDEX "{name}"')
        return self

    def insert(self, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            if self.postgres:
                with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            places = ", ".join("?" for _column in columns)
            # One transaction: SQLite would wait for the disk after each row.
            with transaction.atomic():
                cursor.connection.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({places})",
                    (tuple(map(_for_sqlite, row)) for row in rows),
                )

    def __exit__(self, *raised: Any) -> None:
        with connection.cursor() as cursor:
            for _name, definition in self.indexes:
                cursor.execute(definition)
            if self.postgres:
                cursor.execute("SET session_replication_role = DEFAULT")
                cursor.execute("VACUUM ANALYZE")
            else:
                cursor.execute("ANALYZE")


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
