"""Classes of one's own: the list, one set, and what its owner does with it. For everybody else there is no set."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.throttle import limit_rate
from learn import own_classes, own_network, own_pages, own_results
from learn.own_classes import Refused, Rejected
from learn.own_models import OwnClasses, OwnExample
from learn.own_pages import Tried
from predictions.access import OwnRequest, View, id_of, problem, to_login, wants_json
from predictions.images import PreparedImage, display_name, open_prepared
from predictions.inputs import shrunk
from predictions.intake import take_all
from predictions.media import drawn_response
from predictions.quotas import QuotaExceeded

CHANGES_PER_MINUTE = 120
# A page with scripts sends one picture at a time.
PICTURES_PER_MINUTE = 400
TRAININGS_PER_MINUTE = 20
TRIES_PER_MINUTE = 60
MOST_TRIED = 10
"""Pictures at once; the answers are computed in the web process, where the request arrived."""

CONFLICTS = ("not_trained", "other_version", "other_input", "no_network")


def for_accounts(view: View) -> View:
    """Lets those in who have an account. A guest is nobody here: what guests try is gone after a day."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            try:
                return view(request, *args, **kwargs)
            except (Refused, QuotaExceeded) as error:
                return _refused(request, error, kwargs.get("pk"))
        if wants_json(request):
            return to_login(request)
        # What takes only POST would answer the login's redirect with an error.
        page = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("learn:own-classes")
        return redirect_to_login(page)

    return guarded


def of_owner(view: Callable[..., HttpResponseBase]) -> View:
    """Hands a view the set that its address names, of whoever asks."""

    @for_accounts
    @wraps(view)
    def guarded(request: HttpRequest, pk: uuid.UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, _own(request, pk), *args, **kwargs)

    return guarded


def _own(request: HttpRequest, pk: uuid.UUID | None) -> OwnClasses:
    owned = own_classes.of(request.user, pk) if pk else None
    if owned is None:
        raise Http404(_("There is no such set. It may have been deleted, or the address may be wrong."))
    return owned


def _refused(request: HttpRequest, error: Refused | QuotaExceeded, pk: uuid.UUID | None) -> HttpResponse:
    """Back to the set's page, where the sentence stands on top; scripts read it as they read every refusal."""
    if wants_json(request):
        return problem(409 if error.code in CONFLICTS else 422, error.code, str(error))
    messages.error(request, str(error))
    pk = pk or id_of(request.POST.get("set"))
    return redirect("learn:own-set", pk) if pk else redirect("learn:own-classes")


def _done(request: HttpRequest, owned: OwnClasses, sentence: str = "", part: str = "") -> HttpResponse:
    if wants_json(request):
        owned.refresh_from_db()
        return JsonResponse(own_pages.state(request, owned) | {"message": sentence})
    if sentence:
        messages.success(request, sentence)
    return redirect(f"{owned.get_absolute_url()}{part}")


# --- the list --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponseBase:
    """One's own sets, and the form for a new one; visitors read what this is and how to have one."""
    return _create(request) if request.method == "POST" else _index(request)


def _index(request: HttpRequest, status: int = 200, **values: Any) -> HttpResponse:
    rows: Any = []
    if request.user.is_authenticated:
        rows = (
            OwnClasses.objects.filter(owner=request.user).defer("head").annotate(pictures=Count("examples"))
        )
    context = own_pages.about() | {"sets": rows} | values
    return render(request, "learn/own/index.html", context, status=status)


@for_accounts
@limit_rate("own-classes", CHANGES_PER_MINUTE)
def _create(request: OwnRequest) -> HttpResponse:
    title, text = request.POST.get("title", ""), request.POST.get("names", "")
    try:
        owned = own_classes.create(request.user, title, [line for line in text.splitlines() if line.strip()])
    except (Refused, QuotaExceeded) as error:
        # What was typed stays.
        return _index(request, 422, trouble=str(error), title=title, names=text)
    return redirect(owned)


# --- one set ---------------------------------------------------------------------------------------------------


@of_owner
@require_safe
def detail(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    return _page(request, owned)


def _page(request: HttpRequest, owned: OwnClasses, **values: Any) -> HttpResponse:
    return render(request, "learn/own/detail.html", own_pages.context(owned) | values)


@of_owner
@require_safe
def state(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    """How the training stands, for the page's script; without the parts when ``?seen=`` says that nothing is new."""
    now = own_pages.state(request, owned)
    if request.GET.get("seen") == now["seen"]:
        del now["html"], now["board"]
    return JsonResponse(now)


@of_owner
@require_POST
@limit_rate("own-classes", CHANGES_PER_MINUTE)
def change(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    """``action``: ``title``, ``add``, ``rename`` or ``remove``, with ``name`` and, for a class, ``class``."""
    name, before = request.POST.get("name", ""), request.POST.get("class", "")
    match request.POST.get("action"):
        case "title":
            own_classes.rename(owned, name)
        case "add":
            own_classes.add_class(owned, name)
        case "rename":
            own_classes.rename_class(owned, before, name)
        case "remove":
            own_classes.remove_class(owned, before)
        case _:
            raise Refused("no_action", _("This form says not what to change. Reload the page."))
    return _done(request, owned, part="#pictures")


@for_accounts
@require_POST
@limit_rate("own-pictures", PICTURES_PER_MINUTE)
def add(request: HttpRequest) -> HttpResponse:
    """``set``, ``class`` and any number of ``pictures``; those that cannot be taken are named, the others are kept."""
    owned = _own(request, id_of(request.POST.get("set")))
    found = own_classes.add_pictures(owned, request.POST.get("class", ""), request.FILES.getlist("pictures"))
    sentence = ngettext("%(count)d picture added.", "%(count)d pictures added.", found.taken)
    sentence = sentence % {"count": found.taken} if found.taken else ""
    if wants_json(request):
        owned.refresh_from_db()
        told = {"taken": found.taken, "rejected": [one._asdict() for one in found.rejected]}
        return JsonResponse(own_pages.state(request, owned) | told)
    for one in found.rejected:
        messages.error(request, _named(one))
    return _done(request, owned, sentence, "#pictures")


@of_owner
@require_POST
@limit_rate("own-classes", CHANGES_PER_MINUTE)
def remove(request: HttpRequest, owned: OwnClasses, picture: int) -> HttpResponse:
    """Takes a picture back."""
    if not own_classes.remove_picture(owned, picture):
        raise Http404(_("There is no such picture in this set."))
    return _done(request, owned, part="#pictures")


@of_owner
@require_safe
def picture(request: HttpRequest, owned: OwnClasses, picture: int) -> HttpResponseBase:
    """What the network sees of a picture, pixel for pixel, as PNG."""
    example = OwnExample.objects.filter(owned=owned, pk=picture).first()
    if example is None:
        raise Http404(_("There is no such picture in this set."))
    return drawn_response(request, f"own-{example.pk}", lambda: own_pages.picture_of(example))


@of_owner
@require_POST
@limit_rate("own-training", TRAININGS_PER_MINUTE)
def train(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    own_classes.train(owned)
    return _done(request, owned, part="#training")


@of_owner
@require_POST
@limit_rate("own-classes", CHANGES_PER_MINUTE)
def delete(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    own_classes.delete(owned)
    sentence = _("“%(title)s” is deleted, with its pictures.") % {"title": owned.title}
    if wants_json(request):
        return JsonResponse({"message": sentence})
    messages.success(request, sentence)
    return redirect("learn:own-classes")


# --- trying, taking away, sharing --------------------------------------------------------------------------------


@for_accounts
@require_POST
@limit_rate("own-try", TRIES_PER_MINUTE)
def attempt(request: HttpRequest) -> HttpResponse:
    """``set`` and up to MOST_TRIED ``pictures`` -> the own classes with their probabilities. Nothing is kept."""
    owned = _own(request, id_of(request.POST.get("set")))
    found, rejected = _tried(owned, request.FILES.getlist("pictures"))
    shown = {"tried": found, "rejected": rejected}
    if not wants_json(request):
        return _page(request, owned, **shown)
    return JsonResponse(
        {
            "answers": [
                {"filename": one.filename, "classes": [answer._asdict() for answer in one.answers]}
                for one in found
            ],
            "rejected": [one._asdict() for one in rejected],
            "html": render_to_string("learn/own/_answers.html", shown, request),
        }
    )


def _tried(owned: OwnClasses, files: list[Any]) -> tuple[list[Tried], list[Rejected]]:
    """What the head says of each file, and which are no pictures. Raises Refused."""
    if not owned.trained:
        raise Refused("not_trained", own_classes.not_trained())
    card = own_network.card()
    if card is None:
        raise Refused("no_network", own_classes.no_network())
    if not own_results.is_of(owned, card):
        raise Refused("other_version", own_classes.other_version())
    if not files:
        raise Refused("no_picture", _("Choose a picture first."))
    too_many = _("Try at most %(most)d pictures at once.") % {"most": MOST_TRIED}
    rejected = [Rejected(display_name(file.name or ""), too_many) for file in files[MOST_TRIED:]]
    names, seen = [], []
    for one in take_all(files[:MOST_TRIED]):
        if isinstance(one, PreparedImage):
            names.append(one.filename)
            seen.append(shrunk(open_prepared(one.data), card.preprocessing))
        else:
            rejected.append(Rejected(one.filename, str(one.message)))
    if not seen:
        return [], rejected
    try:
        features = own_network.of_pixels(card, np.stack(seen))
    except own_network.NetworkAway:
        raise Refused("no_network", own_classes.no_network()) from None
    answers = own_results.answers(owned, features)
    return [own_pages.tried(*row) for row in zip(names, seen, answers, strict=True)], rejected


@of_owner
@require_safe
def export(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    """The head as a JSON file; see docs/decisions/0027."""
    response = JsonResponse(own_results.exported(owned), json_dumps_params={"indent": 1})
    name = slugify(owned.title) or "classes"
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response["Cache-Control"] = "private, no-cache"
    return response


@of_owner
@require_POST
@limit_rate("share", CHANGES_PER_MINUTE)
def share(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    token = own_classes.share(owned)
    if wants_json(request):
        return JsonResponse({"url": request.build_absolute_uri(reverse("learn:own-shared", args=[token]))})
    return redirect(f"{owned.get_absolute_url()}#share")


@of_owner
@require_POST
def withdraw(request: HttpRequest, owned: OwnClasses) -> HttpResponse:
    if own_classes.withdraw(owned):
        return _done(request, owned, _("The link is withdrawn. Whoever opens it finds nothing any more."))
    return _done(request, owned, _("The link was withdrawn already."))


def _named(one: Rejected) -> str:
    return _("%(name)s: %(sentence)s") % {"name": one.filename, "sentence": one.message}
