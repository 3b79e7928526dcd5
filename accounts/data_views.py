"""A person's data in their own hands: everything as one archive, and the account's end."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import deletion, exports, registry
from accounts.exports import DataExport
from accounts.forms import DeleteAccountForm
from accounts.throttle import View, limit_rate
from accounts.views import OwnRequest, only_get_and_post

logger = logging.getLogger(__name__)

PIECE = 256 * 1024


# --- everything as one archive -----------------------------------------------------------------------------


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _login_required(view: View) -> View:
    """People are sent to the login page, scripts are told so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and _wants_json(request):
            message = _("You are no longer logged in. Log in and try again.")
            return JsonResponse({"error": {"code": "not_logged_in", "message": message}}, status=401)
        return login_required(view)(request, *args, **kwargs)

    return guarded


@never_cache
@_login_required
@only_get_and_post
@limit_rate("data-export", 10)
def export(request: OwnRequest) -> HttpResponse:
    """POST asks for an archive; GET says, to the account page's script, how far it is."""
    if request.method == "POST":
        made, is_new = exports.ask(request.user)
        if not is_new:
            messages.info(request, _kept(made))
    elif _wants_json(request):
        return _status(request)
    return redirect(f"{resolve_url('accounts:account')}#your-data")


def _kept(export: DataExport) -> str:
    if export.is_under_way:
        return _("The archive of your data is being prepared already.")
    return _("The archive of your data was prepared less than an hour ago. Download it below.")


def _status(request: OwnRequest) -> JsonResponse:
    newest = exports.latest(request.user)
    seen = str(newest.status) if newest else ""
    answer: dict[str, Any] = {"seen": seen, "says": "", "final": newest is None or not newest.is_under_way}
    if request.GET.get("seen") != seen:
        answer["html"] = render_to_string("accounts/_export.html", {"export": newest}, request)
        answer["says"] = _says(newest)
    return JsonResponse(answer)


def _says(export: DataExport | None) -> str:
    """For those who hear the page."""
    if export is not None and export.is_there:
        return _("The archive of your data is ready.")
    if export is not None and export.status == DataExport.Status.FAILED:
        return _("The archive of your data could not be prepared.")
    return _("The archive of your data is being prepared.")


@never_cache
@login_required
@require_safe
def export_file(request: OwnRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The archive, for its owner and until it expires."""
    found = get_object_or_404(DataExport, pk=pk, owner=request.user)
    if found.is_under_way:
        return redirect(f"{resolve_url('accounts:account')}#your-data")
    if not found.is_there:
        return _gone(request)
    try:
        file = default_storage.open(str(found.file.name), "rb")
    except FileNotFoundError:
        logger.error("The file of the export %s is missing.", found.pk)
        DataExport.objects.filter(pk=found.pk).update(expires=timezone.now())
        return _gone(request)
    name = f"convoscope-{found.created:%Y-%m-%d}.zip"
    response: HttpResponseBase
    if hasattr(file, "pieces"):
        # A file of a bucket: read the usual way all of it would be fetched before the first byte goes out.
        response = StreamingHttpResponse(_pieces(file), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    else:
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    response["Content-Length"] = str(found.bytes)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _pieces(file: Any) -> Iterator[bytes]:
    try:
        yield from file.pieces(PIECE)
    finally:
        file.close()


def _gone(request: HttpRequest) -> HttpResponse:
    message = _("This archive of your data is no longer there. You can ask for a new one.")
    return render(request, "410.html", {"message": message}, status=410)


# --- the end -----------------------------------------------------------------------------------------------


@sensitive_post_parameters("password")
@never_cache
@login_required
@only_get_and_post
@limit_rate("delete-account", 5)
def delete(request: OwnRequest) -> HttpResponse:
    """Says what is going to be erased and when; with the password it begins."""
    if request.method != "POST":
        return _delete_page(request, DeleteAccountForm(user=request.user))
    form = DeleteAccountForm(request.POST, user=request.user)
    if not form.is_valid():
        return _delete_page(request, form)
    user = request.user
    try:
        begun = deletion.ask(user)
    except deletion.LastSuperuser as error:
        form.add_error(None, str(error))
        return _delete_page(request, form)
    if begun:
        _tell(request, user)
    due = user.deletion_due
    logout(request)
    if due is not None:
        sentence = _("On %(date)s your account is erased. To keep it, log in before then.")
        messages.warning(request, sentence % {"date": _spoken(due)})
    return redirect("home")


def _delete_page(request: OwnRequest, form: DeleteAccountForm) -> HttpResponse:
    context = {
        "form": form,
        "pictures": registry.pictures(request.user),
        "due": timezone.now() + deletion.PAUSE,
        "days": deletion.PAUSE.days,
    }
    return render(request, "accounts/delete.html", context, status=422 if form.is_bound else 200)


def _tell(request: HttpRequest, user: Any) -> None:
    """By e-mail, too: if somebody else did it, the owner has the pause to undo it."""
    context = {"due": user.deletion_due, "keep_url": request.build_absolute_uri(resolve_url("accounts:keep"))}
    try:
        get_adapter().send_mail("account/email/deletion_asked", user.email, context)
    except Exception as error:
        # The account's end does not hang on a mail server; the page has said the same.
        logger.warning("The message about a deletion could not be sent (%s).", type(error).__name__)


def _spoken(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


@never_cache
@login_required
@only_get_and_post
def keep(request: OwnRequest) -> HttpResponse:
    """The one page of an account that is about to be erased: keep it, or log out."""
    user = request.user
    if user.deletion_due is None:
        return redirect("accounts:account")
    if request.method != "POST":
        return render(request, "accounts/keep.html", {"due": user.deletion_due})
    if deletion.keep(user):
        messages.success(request, _("Your account is kept. Links that you shared and API tokens work again."))
        return redirect("accounts:account")
    logout(request)
    messages.error(request, _("The seven days were over: this account is being erased."))
    return redirect("home")
