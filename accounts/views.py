from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import exports, guests, registry, second_factor
from accounts.forms import ApiTokenForm, TimeZoneForm
from accounts.models import ApiToken, User
from accounts.ways_back import page_of


class OwnRequest(HttpRequest):
    """A request after ``login_required``."""

    user: User


only_get_and_post = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@login_required
@only_get_and_post
def account(request: OwnRequest) -> HttpResponse:
    """The account page; POST changes the time zone."""
    if request.method != "POST":
        return _page(request)
    # Its own instance: a form writes even a wrong value there, and the page shows request.user.
    form = TimeZoneForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, zone_form=form)
    form.save()
    messages.success(request, _("Your time zone is now %(zone)s.") % {"zone": form.instance.time_zone})
    return redirect("accounts:account")


@never_cache
@login_required
@only_get_and_post
def make_token(request: OwnRequest) -> HttpResponse:
    """Makes an API token and shows its key, in this answer and never again."""
    if request.method != "POST":  # Somebody who had to log in first comes back with a GET.
        return redirect("accounts:account")
    form = ApiTokenForm(request.POST, owner=request.user)
    if not form.is_valid():
        return _page(request, token_form=form)
    token, key = ApiToken.objects.issue(request.user, form.cleaned_data["name"])
    return render(request, "accounts/token_made.html", {"token": token, "key": key})


@never_cache
@login_required
@only_get_and_post
def revoke_token(request: OwnRequest, pk: int) -> HttpResponse:
    """Revokes one of one's own API tokens."""
    token = get_object_or_404(ApiToken, pk=pk, owner=request.user)
    if request.method == "POST":
        token.delete()
        messages.success(request, _("The token “%(name)s” is revoked.") % {"name": token.name})
    return redirect("accounts:account")


@never_cache
@login_required
@only_get_and_post
def keep_guest(request: OwnRequest) -> HttpResponse:
    """Takes over what was tried in this session before the login."""
    # Mergers say what they took over.
    if request.method == "POST" and not guests.merge(request, request.user):
        messages.info(request, _("There is nothing to keep any more: the time without an account is over."))
    return _back(request)


@never_cache
@login_required
@only_get_and_post
def refuse_guest(request: OwnRequest) -> HttpResponse:
    """Erases what somebody else tried in this session before the login."""
    if request.method == "POST":
        guests.refuse(request)
        messages.success(request, _("What was tried here before you logged in is erased."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page whose form it was."""
    return redirect(page_of(request, resolve_url(settings.LOGIN_REDIRECT_URL)))


def _sections(request: HttpRequest, *, first: bool = False) -> list[SafeString]:
    """What the other apps show here."""
    return [
        render_to_string(template, context, request)
        for template, context in registry.sections(request, first=first)
    ]


def _page(
    request: OwnRequest,
    zone_form: TimeZoneForm | None = None,
    token_form: ApiTokenForm | None = None,
) -> HttpResponse:
    context = {
        "zone_form": zone_form or TimeZoneForm(instance=request.user),
        "token_form": token_form or ApiTokenForm(owner=request.user),
        "tokens": request.user.api_tokens.all(),
        "second_factor": second_factor.is_set_up(request.user),
        "export": exports.latest(request.user),
        "first_sections": _sections(request, first=True),
        "sections": _sections(request),
    }
    return render(request, "accounts/account.html", context, status=422 if zone_form or token_form else 200)
