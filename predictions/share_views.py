"""What somebody sees who was given a link, and how an owner makes one and takes it back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.throttle import limit_rate
from accounts.ways_back import page_of
from predictions import comparison, share_preview, sharing
from predictions.access import OwnRequest, for_owners, id_of, problem, unlisted, wants_json
from predictions.accuracy import accuracies
from predictions.batch_table import BatchTable
from predictions.groups import Group, side_of
from predictions.media import drawn_response, input_response, picture_response
from predictions.models import Prediction, Share
from predictions.sharing import Shown

READING = ("GET", "HEAD")
PREVIEWS_PER_MINUTE = 120
SHARES_PER_MINUTE = 60
LINKS_ON_A_PAGE = 20


# --- for whoever has the link -----------------------------------------------------------------------------------


def for_link_holders(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Hands a view what the token in its address shows; where that is nothing, it is told so.

    Asked anew for each request: what is withdrawn, deleted or hidden is gone with the next one.
    """

    @unlisted
    @wraps(view)
    def guarded(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        shown = sharing.find(token)
        if shown is None:
            return gone(request)
        try:
            return view(request, shown, *args, **kwargs)
        except Http404:
            return gone(request)

    return guarded


def gone(request: HttpRequest) -> HttpResponse:
    """That a link shows nothing: the same words whether it ever did."""
    if wants_json(request):
        return problem(404, "nothing_shared", _("This link shows nothing any more."))
    return render(request, "predictions/shared_gone.html", status=404)


@for_link_holders
@require_safe
def shared(request: HttpRequest, shown: Shown) -> HttpResponse:
    """The prediction, comparison or batch; with ``?picture=`` one picture of a batch."""
    context = _about(request, shown)
    if shown.share.kind == Share.Kind.COMPARISON:
        context |= _compared(shown)
    elif shown.share.kind == Share.Kind.BATCH and "picture" not in request.GET:
        table = _table(request, shown)
        context |= _listed(table)
        context |= {"seen": table.seen, "final": table.final, "made": table.batch.created}
    else:
        group = _group(request, shown)
        context |= _said(group)
        context |= {"seen": group.seen, "final": group.final, "made": group.batch.created}
    return render(request, "predictions/shared.html", context)


@for_link_holders
@require_safe
def status(request: HttpRequest, shown: Shown) -> HttpResponse:
    """The answers as on the page; without them when ``?seen=`` says that nothing is new."""
    if shown.share.kind == Share.Kind.COMPARISON:
        raise Http404
    found: BatchTable | Group
    if shown.share.kind == Share.Kind.BATCH and "picture" not in request.GET:
        found = _table(request, shown)
        template, context = "predictions/_batch.html", _listed(found)
    else:
        found = _group(request, shown)
        template, context = "predictions/_results.html", _said(found)
    state: dict[str, Any] = {"final": found.final, "seen": found.seen, "says": found.says}
    if request.GET.get("seen") != found.seen:
        state["html"] = render_to_string(template, {**context, "shared": shown}, request)
    return JsonResponse(state)


@for_link_holders
@require_safe
def picture(request: HttpRequest, shown: Shown, pk: uuid.UUID) -> HttpResponseBase:
    """One of the pictures that the link shows, or a thumbnail of it with ``?size=thumb``."""
    upload = shown.upload(pk)
    if upload is None:
        raise Http404
    return picture_response(request, upload)


@for_link_holders
@require_safe
def network_input(request: HttpRequest, shown: Shown, pk: uuid.UUID) -> HttpResponseBase:
    """What a network saw in one of the runs that the link shows."""
    run = shown.run(pk)
    if run is None:
        raise Http404
    return input_response(request, run.network_input)


@for_link_holders
@require_safe
@limit_rate("shared-preview", PREVIEWS_PER_MINUTE, methods=READING)
def preview(request: HttpRequest, shown: Shown) -> HttpResponseBase:
    """What stands for the link where it is passed on. Kept nowhere but by whoever asked, who asks again each time."""
    return drawn_response(request, share_preview.name_of(shown), lambda: share_preview.draw(shown))


def _about(request: HttpRequest, shown: Shown) -> dict[str, Any]:
    token = shown.share.token
    query = {name: request.GET[name][:100] for name in ("sort", "picture") if name in request.GET}
    status_url = reverse("predictions:shared-status", args=[token])
    return {
        "shared": shown,
        "own": request.user == shown.owner,
        "address": request.build_absolute_uri(shown.share.get_absolute_url()),
        "preview_url": request.build_absolute_uri(reverse("predictions:shared-preview", args=[token])),
        "preview": share_preview,
        "status_url": f"{status_url}?{urlencode(query)}" if query else status_url,
        "final": True,
    }


def _table(request: HttpRequest, shown: Shown) -> BatchTable:
    table = shown.table(request.GET.get("sort", "")[:100])
    if table is None:
        raise Http404
    return table


def _group(request: HttpRequest, shown: Shown) -> Group:
    of_batch = shown.share.kind == Share.Kind.BATCH
    pk = id_of(request.GET.get("picture")) if of_batch else None
    group = None if of_batch and pk is None else shown.group(pk)
    if group is None:
        raise Http404
    return group


def _listed(table: BatchTable) -> dict[str, Any]:
    return {"table": table, "rows": table.rows, "heads": table.heads, "accuracies": accuracies(table)}


def _said(group: Group) -> dict[str, Any]:
    return {"group": group, "comparison": comparison.of_group(group)}


def _compared(shown: Shown) -> dict[str, Any]:
    runs = shown.sides()
    if len(runs) != 2:
        raise Http404
    first, second = runs
    return {
        "sides": [side_of(run, covered=run.covered) for run in runs],
        "comparison": comparison.of_runs(first, second),
    }


# --- for owners -------------------------------------------------------------------------------------------------


@for_owners
@require_POST
@limit_rate("share", SHARES_PER_MINUTE)
def share_prediction(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Makes the link of one's own prediction, or finds it."""
    return _share(request, reverse("predictions:detail", args=[pk]), run=pk)


@for_owners
@require_POST
@limit_rate("share", SHARES_PER_MINUTE)
def share_batch(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """The same of a batch."""
    return _share(request, reverse("predictions:batch", args=[pk]), batch=pk)


@for_owners
@require_POST
@limit_rate("share", SHARES_PER_MINUTE)
def share_comparison(request: OwnRequest) -> HttpResponse:
    """The same of two of one's own predictions, ``a`` and ``b``."""
    first, second = (id_of(request.POST.get(name)) for name in ("a", "b"))
    if first is None or second is None or first == second:
        sentence = _("Two predictions are needed. Mark two in the history, then choose “Compare two”.")
        if wants_json(request):
            return problem(422, "two_needed", sentence)
        messages.error(request, sentence)
        return redirect("predictions:history")
    back = f"{reverse('predictions:compare')}?{urlencode({'a': first, 'b': second})}"
    return _share(request, back, run=first, other=second)


def _share(request: OwnRequest, back: str, **what: Any) -> HttpResponse:
    """Back to the page, which shows the link from now on."""
    try:
        made = sharing.share(request.user, **what)
    except sharing.AccountNeeded as error:
        if wants_json(request):
            return problem(403, "account_needed", str(error))
        messages.error(request, str(error))
        return redirect(back)
    except sharing.NothingToShare as error:
        raise Http404(str(error)) from error
    if wants_json(request):
        address = request.build_absolute_uri(made.get_absolute_url())
        return JsonResponse({"id": str(made.pk), "url": address})
    return redirect(f"{back}#share")


@for_owners
@require_POST
def withdraw(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Ends one of one's own links, and leads back to where the form stood."""
    if not Share.objects.filter(owner=request.user, pk=pk).exists():
        raise Http404(_("There is no such link. What it showed may have been deleted, and the link with it."))
    if sharing.withdraw(request.user, pk):
        sentence, level = (
            _("The link is withdrawn. Whoever opens it finds nothing any more."),
            messages.SUCCESS,
        )
    else:
        sentence, level = _("The link was withdrawn already."), messages.INFO
    if wants_json(request):
        return JsonResponse({"message": sentence})
    messages.add_message(request, level, sentence)
    return redirect(page_of(request, f"{reverse('accounts:account')}#links"))


def _pictures_in(batches: list[Any]) -> dict[Any, int]:
    """How many pictures there are to be seen in each of these batches."""
    runs = Prediction.objects.visible().filter(batch__in=batches, asked=True).order_by()
    return dict(
        runs.values("batch").annotate(count=Count("upload", distinct=True)).values_list("batch", "count")
    )


def account_section(request: HttpRequest) -> tuple[str, dict[str, Any]] | None:
    """One's links on the account page, the newest first; nothing for somebody who never shared."""
    own = Share.objects.live().filter(owner=request.user.pk)
    named = own.select_related("run__upload", "run__model", "other__upload", "other__model")
    page = Paginator(named.order_by("-created", "-pk"), LINKS_ON_A_PAGE).get_page(request.GET.get("links"))
    if not page.object_list:
        return None
    showing = set(
        Share.objects.showing().filter(pk__in=[one.pk for one in page]).values_list("pk", flat=True)
    )
    pictures = _pictures_in([one.batch_id for one in page if one.batch_id])
    links = [
        {"share": one, "showing": one.pk in showing, "pictures": pictures.get(one.batch_id, 0)}
        for one in page
    ]
    return "accounts/_shares.html", {"page": page, "links": links}
