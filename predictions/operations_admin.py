"""The operations page in the admin: how the queue, the workers and the storage are, and trying again what failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from predictions import lifecycle, operations
from predictions.access import id_of
from predictions.models import Prediction

SEE = "predictions.view_heartbeat"
RETRY = "predictions.change_prediction"
RETRY_SECONDS = 5.0
MOST_SELECTED = 500

View = Callable[[HttpRequest], HttpResponse]


def _for_operators(view: View) -> Any:
    """Behind the admin's own door, and for those who may see the workers."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(SEE):
            raise PermissionDenied
        return view(request)

    @wraps(view)
    def behind_the_door(request: HttpRequest) -> Any:
        # Asked for now and not when this module is read: the site may be another one by then.
        return admin.site.admin_view(guarded)(request)

    return behind_the_door


@_for_operators
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everything at once. ``?email=`` looks for accounts in the storage, ``?code=`` for one reason of failures."""
    email = request.GET.get("email", "")[:254].replace("\0", "").strip()
    if not request.user.has_perm("accounts.view_user"):
        # Whoever may not see accounts cannot find out which addresses have one.
        email = ""
    context = {
        **admin.site.each_context(request),
        "title": _("Operations"),
        **_now(request),
        "storage": operations.storage(email),
        "quota": operations.QUOTA_BYTES,
    }
    return render(request, "admin/operations.html", context)


@_for_operators
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """What changes from minute to minute, as it stands on the page: for a page that keeps itself up to date."""
    return render(request, "admin/operations_now.html", _now(request))


def _now(request: HttpRequest) -> dict[str, Any]:
    moment = timezone.now()
    ended = operations.ended(moment)
    workers = operations.workers()
    code = request.GET.get("code", "")[:40].replace("\0", "")
    query = urlencode({"code": code}) if code else ""
    return {
        "queue": operations.queue(),
        "running": operations.running(),
        "throughput": operations.throughput(moment, ended),
        "workers": workers,
        "networks": operations.networks(workers, ended),
        "exports": operations.exports(),
        "deletions": operations.deletions(),
        "failures": operations.failures(code),
        "days": operations.FAILED_DAYS,
        "late_seconds": int(operations.LATE.total_seconds()),
        "may_retry": request.user.has_perm(RETRY),
        "may_see_runs": request.user.has_perm("predictions.view_prediction"),
        "may_see_users": request.user.has_perm("accounts.view_user"),
        "now_address": reverse("operations:now") + (f"?{query}" if query else ""),
    }


@_for_operators
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Queues failed predictions again: ``only``, one of them; ``group``, all of one reason and network; else those
    that were selected as ``run``.
    """
    if not request.user.has_perm(RETRY):
        raise PermissionDenied
    runs = _chosen(request)
    address = f"{reverse('operations:page')}#failures"
    if runs is None:
        messages.warning(request, _("Select the predictions that are to be tried again."))
        return redirect(address)
    end = time.monotonic() + RETRY_SECONDS
    count = more = lifecycle.retry_failed(runs)
    while more == lifecycle.RETRIED_AT_ONCE and time.monotonic() < end:
        more = lifecycle.retry_failed(runs)
        count += more
    if count:
        said = ngettext("%d prediction is queued again.", "%d predictions are queued again.", count) % count
        if more == lifecycle.RETRIED_AT_ONCE:
            said += " " + _("There are more: try them again as well.")
        messages.success(request, said)
    else:
        messages.info(
            request, _("There was nothing to try again: it was done, deleted or its picture is gone.")
        )
    return redirect(address)


def _chosen(request: HttpRequest) -> QuerySet[Prediction] | None:
    """The predictions that the form names; None when it names none."""
    sent = request.POST
    if group := sent.get("group", ""):
        code, _slash, network = group.rpartition("/")
        return operations.failed().filter(error_code=code, model=network)
    named = [sent["only"]] if sent.get("only") else sent.getlist("run")[:MOST_SELECTED]
    ids = [pk for value in named if (pk := id_of(value))]
    return Prediction.objects.filter(pk__in=ids) if ids else None
