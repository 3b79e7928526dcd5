"""A submission of many pictures as one table: a row a picture, a pair of columns a network."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from predictions.batch_order import Head, Order
from predictions.held import is_deleted
from predictions.images import display_name
from predictions.models import RANKS, Batch, Job, Network, Prediction, Upload
from predictions.truths import unique_names
from predictions.waiting import Wait, wait_for_last

# Counts by class that are shown for each network.
MOST_FREQUENT = 6
# The states of so many runs fit into the address that a page polls with.
STATES_IN_ADDRESS = 1500
MOST_LEFT_OUT = 200
MESSAGE_LENGTH = 300
ENDED = (Job.Status.DONE, Job.Status.FAILED, Job.Status.CANCELLED)


@dataclass(frozen=True)
class Cell:
    """What one network says about one picture."""

    run: Prediction
    truth: str = ""

    @property
    def name(self) -> str:
        """The first answer: a class's own name; empty while there is none."""
        return self.run.top1.name if self.run.top1 else ""

    @property
    def again(self) -> bool:
        ended_badly = (Job.Status.FAILED, Job.Status.CANCELLED)
        return self.run.status in ended_badly and not self.run.upload.expired

    @property
    def right(self) -> bool | None:
        """Whether the first answer is the true class; None where there is no answer or nobody said what is true."""
        return self.name == self.truth if self.name and self.truth else None

    @property
    def tops(self) -> list[str]:
        """The keys of the first five answers, the likeliest first."""
        keys = (getattr(self.run, f"top{rank}_id") for rank in RANKS)
        return [key for key in keys if key]


@dataclass(frozen=True)
class BatchRow:
    """One picture of a batch: taken, with a cell a network, or rejected with its reason."""

    position: int
    upload: Upload | None
    cells: list[Cell | None]
    filename: str
    message: str = ""
    truth: str = ""
    # Its place in the order sent, as a person counts.
    number: int = 0

    @property
    def run(self) -> Prediction | None:
        return next((cell.run for cell in self.cells if cell), None)

    @property
    def agree(self) -> bool | None:
        """Whether all networks name the same class; None before all have answered, and with one network."""
        names = [cell.name if cell else "" for cell in self.cells]
        return len(set(names)) == 1 if len(names) > 1 and all(names) else None

    @property
    def again(self) -> list[Prediction]:
        """The runs that may be tried again."""
        return [cell.run for cell in self.cells if cell and cell.again]


@dataclass(frozen=True)
class Totals:
    """One network on all pictures of a batch."""

    network: Network
    done: int
    confidence: float | None
    labels: list[tuple[str, int]]
    more_labels: int


@dataclass(frozen=True)
class Outline:
    """As much of a batch as tells whether its page would look different: the state of each run, in their order."""

    runs: list[tuple[Any, str, Any]]  # id, status, upload

    @property
    def shape(self) -> str:
        return _digest([str(pk) for pk, _status, _upload in self.runs])

    @property
    def states(self) -> str:
        """A letter a run."""
        return "".join(status[0] for _pk, status, _upload in self.runs)

    @property
    def final(self) -> bool:
        return all(status in ENDED for _pk, status, _upload in self.runs)

    @property
    def says(self) -> str:
        """How far it is in one line, for those who hear the page."""
        states = [status for _pk, status, _upload in self.runs]
        counts = {"done": states.count(Job.Status.DONE), "runs": len(states)}
        said = _("%(done)d of %(runs)d answers are there.") % counts
        if failed := states.count(Job.Status.FAILED):
            said += " " + ngettext("%(n)d failed.", "%(n)d failed.", failed) % {"n": failed}
        if cancelled := states.count(Job.Status.CANCELLED):
            said += " " + ngettext("%(n)d was cancelled.", "%(n)d were cancelled.", cancelled) % {
                "n": cancelled
            }
        return said

    def changed(self, states: str) -> set[Any]:
        """The uploads with a run that was in another state at ``states``."""
        together = zip(self.runs, states, strict=True)
        return {upload for (_pk, status, upload), before in together if status[0] != before}


@dataclass(frozen=True)
class BatchTable:
    """A batch as a table; networks in the order asked."""

    batch: Batch
    networks: list[Network]
    rows: list[BatchRow]
    order: Order = field(default_factory=Order)
    wait: Wait | None = None

    @property
    def runs(self) -> list[Prediction]:
        return [cell.run for row in self.rows for cell in row.cells if cell]

    @property
    def pictures(self) -> list[BatchRow]:
        return [row for row in self.rows if row.upload]

    @property
    def final(self) -> bool:
        return self.outline.final

    @cached_property
    def truths(self) -> int:
        """How many pictures there is a true class of."""
        return sum(1 for row in self.rows if row.truth)

    @property
    def columns_after_file(self) -> int:
        """Over how many columns the reason of a rejected picture reaches."""
        networks = len(self.networks)
        return (2 * networks or 1) + (networks > 1) + bool(self.truths)

    @cached_property
    def counts(self) -> dict[str, int]:
        states = Counter(run.status for run in self.runs)
        ended = sum(states[state] for state in ENDED)
        pictures = len(self.pictures)
        return {
            "runs": states.total(),
            "pictures": pictures,
            "rejected": len(self.rows) - pictures,
            "done": states[Job.Status.DONE],
            "failed": states[Job.Status.FAILED],
            "cancelled": states[Job.Status.CANCELLED],
            "queued": states[Job.Status.QUEUED],
            "ended": ended,
            "waiting": states.total() - ended,
            "again": sum(len(row.again) for row in self.rows),
        }

    @cached_property
    def agreement(self) -> dict[str, Any]:
        """How many of the pictures that all networks have answered they agree on; share is None before the first."""
        both = [row.agree for row in self.rows if row.agree is not None]
        return {"same": sum(both), "of": len(both), "share": sum(both) / len(both) if both else None}

    @cached_property
    def totals(self) -> list[Totals]:
        found = []
        for place, network in enumerate(self.networks):
            cells = [cell for row in self.pictures if (cell := row.cells[place]) and cell.name]
            labels = Counter(cell.name for cell in cells)
            sure = [cell.run.probability1 or 0 for cell in cells]
            most = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
            found.append(
                Totals(
                    network,
                    len(cells),
                    sum(sure) / len(sure) if sure else None,
                    most[:MOST_FREQUENT],
                    len(most[MOST_FREQUENT:]),
                )
            )
        return found

    def head(self, column: str, *, falling: bool = False) -> Head:
        """The head of a column; its first link sorts rising, or ``falling``, the next one the other way round."""
        here = self.order.column == column
        descending = not self.order.descending if here else falling
        now = ("descending" if self.order.descending else "ascending") if here else ""
        return Head(column, now, f"?sort={'-' if descending else ''}{column}#pictures")

    @property
    def heads(self) -> dict[str, Any]:
        """All heads, those of the networks as pairs of label and confidence."""
        names = ("position", "name", "truth", "agreement")
        pairs = [
            (network, self.head(f"label:{network.pk}"), self.head(f"confidence:{network.pk}", falling=True))
            for network in self.networks
        ]
        return {name: self.head(name) for name in names} | {"networks": pairs}

    @cached_property
    def outline(self) -> Outline:
        in_order = sorted(self.runs, key=lambda run: (run.position, run.created))
        return Outline([(run.pk, run.status, run.upload_id) for run in in_order])

    @property
    def seen(self) -> str:
        return seen(self.batch, self.outline, self.order, self.wait)

    @property
    def says(self) -> str:
        return self.outline.says


def names_of(table: BatchTable) -> list[tuple[str, BatchRow]]:
    """The rows in the order sent, rejected ones too, each under a name of its own.

    What is downloaded and what is uploaded again both go by these names.
    """
    rows = sorted(table.rows, key=lambda row: row.number)
    return list(zip(unique_names([row.filename for row in rows]), rows, strict=True))


def seen(batch: Batch, outline: Outline, order: Order, wait: Wait | None) -> str:
    """Differs whenever the page would look different; tells as well, where it can, which rows have changed since."""
    frame = _digest([outline.shape, str(order), sorted(batch.truths.items())])
    estimate = _digest([wait and (wait.says, wait.worker)])[:6]
    states = outline.states if len(outline.states) <= STATES_IN_ADDRESS else _digest([outline.states])
    return f"{frame}.{estimate}.{states}"


def rows_changed(table: BatchTable, before: str) -> list[BatchRow] | None:
    """The rows that look different from when the page had seen ``before``; None when all must be sent again."""
    frame, _estimate, states = [*before.split("."), "", ""][:3]
    outline = table.outline
    same = frame == table.seen.split(".", 1)[0] and len(states) == len(outline.states) <= STATES_IN_ADDRESS
    if not same or not table.order.stands:
        return None
    uploads = outline.changed(states)
    return [row for row in table.rows if row.upload and row.upload.pk in uploads]


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


# --- reading ------------------------------------------------------------------------------------------------


def batch_of(user: Any, pk: Any) -> Batch | None:
    """One of the user's own batches."""
    return Batch.objects.filter(pk=pk, owner=user).first()


def runs_of(user: Any, batch: Batch) -> Any:
    """The runs that the batch lists, in the order sent."""
    return Prediction.objects.of(user).filter(batch=batch, asked=True).order_by("position", "created")


def wait_of(runs: Any) -> Wait | None:
    """How long the last of a batch's runs will wait. ``runs``: a query, of which only the waiting ones are read."""
    queued = runs.filter(status=Job.Status.QUEUED).only(
        "id", "status", "priority", "created", "model_id", "owner_id"
    )
    return wait_for_last(queued.order_by("-priority", "-created", "-id")[:1])


def glance(user: Any, pk: Any, sort: str) -> tuple[Outline, str] | None:
    """The outline of a batch and what its page would have seen by now, without the answers: cheap enough to poll."""
    batch = batch_of(user, pk)
    if batch is None:
        return None
    runs = runs_of(user, batch)
    rows = list(runs.values_list("pk", "status", "upload_id", "model_id"))
    outline = Outline([row[:3] for row in rows])
    wait = wait_of(runs) if any(row[1] == Job.Status.QUEUED for row in rows) else None
    return outline, seen(batch, outline, Order.parse(sort, {row[3] for row in rows}), wait)


def table_of(user: Any, pk: Any, sort: str = "", *, top5: bool = False) -> BatchTable | None:
    """One of the user's own batches; None where there is nothing that they may see.

    With ``top5`` the rows carry all their answers, else the keys of them and the first one.
    """
    batch = batch_of(user, pk)
    if batch is None:
        return None
    runs = runs_of(user, batch)
    found = list(runs.with_answers() if top5 else runs.select_related("upload", "model", "top1"))
    # Rejected pictures are shown beside those that were taken; when all of these are deleted, so is the batch. What is
    # held for review is among the rejected.
    if not found and (not batch.rejected or is_deleted(batch)):
        return None
    networks = list({run.model_id: run.model for run in found}.values())
    order = Order.parse(sort, [network.pk for network in networks])
    wait = wait_of(runs) if any(run.status == Job.Status.QUEUED for run in found) else None
    sent = sorted([*_rows(batch, found, networks), *_rejected(batch)], key=lambda row: row.position)
    rows = order.sort([replace(row, number=number) for number, row in enumerate(sent, 1)], networks)
    return BatchTable(batch, networks, rows, order, wait)


def _rows(batch: Batch, runs: list[Prediction], networks: list[Network]) -> list[BatchRow]:
    pictures: dict[Any, dict[str, Prediction]] = {}
    for run in runs:
        pictures.setdefault(run.upload_id, {})[run.model_id] = run
    rows = []
    for by_network in pictures.values():
        first = next(iter(by_network.values()))
        truth = batch.truths.get(str(first.upload_id), "")
        said = [by_network.get(network.pk) for network in networks]
        cells = [Cell(run, truth) if run else None for run in said]
        rows.append(BatchRow(first.position, first.upload, cells, first.upload.filename, "", truth))
    return rows


def _rejected(batch: Batch) -> list[BatchRow]:
    return [BatchRow(one["position"], None, [], one["filename"], one["message"]) for one in batch.rejected]


# --- what never got as far ------------------------------------------------------------------------------------


def keep_left_out(batch: Batch, told: list[str]) -> None:
    """Lists pictures that were refused before anything was asked among the rejected ones of a batch.

    Only the page that sent the drafts knows which ones these were; it tells each as ``{"name": …, "message": …}``.
    """
    if not told:
        return
    last = batch.predictions.aggregate(last=Max("position"))["last"] or 0
    place = 1 + max([last, *(row["position"] for row in batch.rejected)])
    rows = []
    for number, one in enumerate(told[:MOST_LEFT_OUT]):
        name, message = _left_out(one)
        rows.append(
            {
                "position": place + number,
                "filename": display_name(name),
                "code": "left_out",
                "message": message[:MESSAGE_LENGTH],
            }
        )
    batch.rejected = [*batch.rejected, *rows]
    batch.save(update_fields=["rejected"])


def _left_out(told: str) -> tuple[str, str]:
    """Name and reason; what a page of an earlier release sends is a reason as a whole."""
    try:
        values = json.loads(told)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        return "", told
    name, message = (values.get(key) for key in ("name", "message"))
    return name if isinstance(name, str) else "", message if isinstance(message, str) else ""
