"""The page of a submission of many pictures: its table, its files, and what is said to be on the pictures."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from predictions import batch_files, sharing, truths
from predictions.access import OwnRequest, for_owners, problem, wants_json
from predictions.accuracy import accuracies
from predictions.batch_table import BatchTable, glance, names_of, rows_changed, table_of

REMOVED_KEY = "truths_removed"


def own_table(request: OwnRequest, pk: uuid.UUID, *, top5: bool = False) -> BatchTable:
    table = table_of(request.user, pk, request.GET.get("sort", ""), top5=top5)
    if table is None:
        raise Http404(_no_batch())
    return table


def batch_address(request: OwnRequest, pk: uuid.UUID) -> str:
    """The batch's page, sorted as the page was that this request came from."""
    query = {"sort": sort} if (sort := request.GET.get("sort", "")[:100]) else {}
    return reverse("predictions:batch", args=[pk]) + (f"?{urlencode(query)}" if query else "")


def _no_batch() -> str:
    return _("There are no predictions here. They may have been deleted, or the address may be wrong.")


@for_owners
@require_safe
def batch(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """A table of many pictures at once, sorted by ``?sort=``."""
    return _page(request, own_table(request, pk), **_removed(request, pk))


def _removed(request: OwnRequest, pk: uuid.UUID) -> dict[str, Any]:
    """The true labels that were just removed, once: to be used again by whoever did not mean it."""
    if REMOVED_KEY not in request.session:
        return {}
    of_batch, removed = request.session.pop(REMOVED_KEY)
    if of_batch != str(pk):
        return {}
    says = _("The true labels are removed. They stand below: use them again to take that back.")
    return {"truths_said": says, "truths_text": removed}


def _page(request: OwnRequest, table: BatchTable, status: int = 200, **more: Any) -> HttpResponse:
    pk = table.batch.pk
    query = urlencode({"sort": str(table.order)})
    context = {
        **_shown(table),
        "status_url": f"{reverse('predictions:batch-status', args=[pk])}?{query}",
        "query": query,
    }
    if table.runs:
        address = reverse("predictions:share-batch", args=[pk])
        context["offer"] = sharing.offer(request.user, address, batch=pk)
    return render(request, "predictions/batch.html", context | more, status=status)


def _shown(table: BatchTable) -> dict[str, Any]:
    return {"table": table, "rows": table.rows, "heads": table.heads, "accuracies": accuracies(table)}


@for_owners
@require_safe
def batch_status(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """What is new since ``?seen=``: nothing, the rows that changed (``partial``), or the whole table."""
    before = request.GET.get("seen", "")
    looked = glance(request.user, pk, request.GET.get("sort", ""))
    if looked is None:
        raise Http404(_no_batch())
    outline, now = looked
    if outline.runs and now == before:
        return JsonResponse({"final": outline.final, "seen": now, "says": outline.says})
    table = own_table(request, pk)
    rows = rows_changed(table, before)
    state = {"final": table.final, "seen": table.seen, "says": table.says, "partial": rows is not None}
    context = _shown(table) if rows is None else {**_shown(table), "rows": rows}
    state["html"] = render_to_string("predictions/_batch.html", context, request)
    return JsonResponse(state)


# --- files --------------------------------------------------------------------------------------------------


@for_owners
@require_safe
def results_csv(request: OwnRequest, pk: uuid.UUID) -> HttpResponseBase:
    """``?form=labels&model=NAME``: file name and label; else all answers, a picture a row."""
    table = own_table(request, pk, top5=True)
    if request.GET.get("form") != "labels":
        return batch_files.all_csv(table)
    names = [network.pk for network in table.networks]
    wanted = request.GET.get("model") or (names[0] if len(names) == 1 else "")
    if wanted not in names:
        # What is asked for is not there, though the batch is.
        sentence = _("Say of which network with ?model=. This batch has: %(names)s.")
        return problem(422, "no_network", sentence % {"names": ", ".join(names) or _("none")})
    return batch_files.labels_csv(table, wanted)


@for_owners
@require_safe
def results_json(request: OwnRequest, pk: uuid.UUID) -> HttpResponseBase:
    """``?form=labels``: for each network an object of file names and labels; else everything."""
    table = own_table(request, pk, top5=True)
    if request.GET.get("form") == "labels":
        return batch_files.labels_json(table)
    return batch_files.all_json(table)


# --- true labels --------------------------------------------------------------------------------------------


@for_owners
@require_POST
def give_truths(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Takes true labels from a file or from pasted text; with ``clear`` forgets those that are there."""
    table = own_table(request, pk)
    if request.POST.get("clear"):
        removed = truths.as_text((name, row.truth) for name, row in names_of(table) if row.truth)
        truths.clear(table.batch)
        if wants_json(request):
            return JsonResponse({"message": _("The true labels are removed.")})
        request.session[REMOVED_KEY] = [str(pk), removed]
        return redirect(f"{batch_address(request, pk)}#truths")
    file = request.FILES.get("file")
    pasted = request.POST.get("text", "")
    try:
        # One byte more than may be read is enough to know that it is too much.
        text = truths.decoded(file.read(truths.MAX_TEXT + 1)) if file else pasted
        reading = truths.read(
            text,
            [truths.Named(name, row.filename, row.upload) for name, row in names_of(table)],
            truths.classes_of(network.pk for network in table.networks),
        )
    except truths.TruthsUnreadable as error:
        return _refused(request, table, str(error), pasted)
    truths.keep(table.batch, reading.found)
    if not reading.left:
        return _done(request, pk, reading.sentence, "accuracy-title")
    return _refused(request, own_table(request, pk), reading.sentence, reading.left)


def _done(request: OwnRequest, pk: uuid.UUID, sentence: str, place: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": sentence})
    messages.success(request, sentence)
    return redirect(f"{batch_address(request, pk)}#{place}")


def _refused(request: OwnRequest, table: BatchTable, sentence: str, text: str) -> HttpResponse:
    """Says what could not be used and leaves it in the form, to be corrected."""
    if wants_json(request):
        return problem(422, "truths_unmatched", sentence)
    return _page(request, table, status=422, truths_trouble=sentence, truths_text=text)
