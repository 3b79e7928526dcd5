"""A batch as a file to download: everything about it, or only file names with labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http.response import HttpResponseBase, JsonResponse
from django.utils.http import content_disposition_header

from predictions.batch_table import BatchRow, BatchTable, names_of
from predictions.models import RANKS, Job
from predictions.tables import csv_response

# Heads of columns are for programs, so they are the same in every language.
FILE_NAME, LABEL, TRUE_LABEL = "file name", "label", "true label"


def labels_csv(table: BatchTable, network: str) -> HttpResponseBase:
    """``file name,label`` of one network, for the pictures that it has answered."""
    return csv_response(
        _filename(table, f"-{network}-labels.csv"), (FILE_NAME, LABEL), _labels(table, network)
    )


def labels_json(table: BatchTable) -> HttpResponseBase:
    """Network -> {file name: label}."""
    body = {network.pk: dict(_labels(table, network.pk)) for network in table.networks}
    return _json(table, body, "-labels.json")


def _labels(table: BatchTable, network: str) -> Iterator[tuple[str, str]]:
    place = [one.pk for one in table.networks].index(network)
    for name, row in names_of(table):
        cell = row.cells[place] if row.cells else None
        if cell and cell.name:
            yield name, cell.name


def all_csv(table: BatchTable) -> HttpResponseBase:
    """Every row with the five answers of each network."""
    header = [FILE_NAME, "status", "error", TRUE_LABEL, "agreement"]
    for network in table.networks:
        header += [f"{network.pk} {column}" for column in ("status", "error", "version")]
        for rank in RANKS:
            header += [f"{network.pk} label {rank}", f"{network.pk} probability {rank}"]
    return csv_response(_filename(table, ".csv"), header, (_cells(table, *pair) for pair in names_of(table)))


def _cells(table: BatchTable, name: str, row: BatchRow) -> list[Any]:
    agreement = {None: "", True: "same", False: "different"}[row.agree]
    cells: list[Any] = [name, "taken" if row.upload else "rejected", row.message, row.truth, agreement]
    for cell in row.cells or [None] * len(table.networks):
        if cell is None:
            cells += [""] * (3 + 2 * len(RANKS))
            continue
        answers = cell.run.answers or []
        cells += [cell.run.status, cell.run.error_sentence, cell.run.artifact]
        for answer in answers:
            cells += [answer["label"], answer["probability"]]
        cells += [""] * (2 * (len(RANKS) - len(answers)))
    return cells


def all_json(table: BatchTable) -> HttpResponseBase:
    """Everything that the page shows, and the five answers of each network."""
    counts = table.counts
    body = {
        "batch": str(table.batch.pk),
        "created": table.batch.created.isoformat(),
        "networks": [network.pk for network in table.networks],
        "totals": {
            **{
                name: counts[name] for name in ("pictures", "rejected", "runs", "done", "failed", "cancelled")
            },
            "agreement": table.agreement["share"],
        },
        "pictures": [_picture(table, name, row) for name, row in names_of(table)],
    }
    return _json(table, body, ".json")


def _picture(table: BatchTable, name: str, row: BatchRow) -> dict[str, Any]:
    if not row.upload:
        return {"file_name": name, "status": "rejected", "error": row.message}
    networks = {}
    for network, cell in zip(table.networks, row.cells, strict=True):
        if cell is None:
            continue
        run = cell.run
        top5 = [{key: one[key] for key in ("index", "label", "probability")} for one in run.answers or []]
        networks[network.pk] = {
            "id": str(run.pk),
            "status": run.status,
            "version": run.artifact or None,
            "error": run.error_sentence if run.status == Job.Status.FAILED else None,
            "top5": top5 or None,
        }
    return {
        "file_name": name,
        "status": "taken",
        "true_label": row.truth or None,
        "agreement": row.agree,
        "networks": networks,
    }


def _json(table: BatchTable, body: dict[str, Any], ending: str) -> JsonResponse:
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = (
        content_disposition_header(True, _filename(table, ending)) or "attachment"
    )
    return response


def _filename(table: BatchTable, ending: str) -> str:
    return f"batch-{str(table.batch.pk)[:8]}{ending}"
