"""The pages on which pictures are sent and answered. Each asks `Prediction.objects.of(user)`."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.throttle import limit_rate
from predictions import live, quotas, retention, samples, services, sharing
from predictions.access import (
    OwnRequest,
    for_owners,
    for_visitors,
    id_of,
    owner_of,
    problem,
    to_login,
    trial_of,
    wants_json,
)
from predictions.batch_table import keep_left_out
from predictions.comparison import of_group
from predictions.corruption import Bar, BarsInvalid, canonical, parse_bars
from predictions.crop import Crop, CropInvalid, canonical_crop, fitted, parse_crop
from predictions.forms import PICTURE_GONE, PredictForm
from predictions.groups import Group, group_of, uploads_of
from predictions.history_entries import of_several
from predictions.inputs import PictureExpired
from predictions.intake import take
from predictions.media import PICTURE_EXPIRED, input_response, picture_response
from predictions.models import Prediction, Upload
from predictions.truths import truths_from_folders


def own_group(request: OwnRequest, pk: uuid.UUID) -> Group:
    group = group_of(request.user, pk)
    if group is None:
        raise Http404(
            _("There is no prediction here. It may have been deleted, or the address may be wrong.")
        )
    return group


# --- sending -----------------------------------------------------------------------------------------------


@for_visitors
@require_http_methods(["GET", "HEAD", "POST"])
@limit_rate("predict", 240)
def predict(request: OwnRequest) -> HttpResponse:
    """The workshop. GET shows it, with a picture from the history in it if one is named; POST asks networks."""
    if request.method != "POST":
        if request.GET.get("upload") and not request.user.is_authenticated:
            return to_login(request)
        return _workshop(request, _fresh_form(request))
    form = PredictForm(request.POST, request.FILES, user=request.user)
    submission = _submit(request, form) if form.is_valid() else None
    if submission is None:
        return _refused(request, form)
    if not submission.repeated:
        keep_left_out(submission.batch, request.POST.getlist("left_out"))
    if (
        len(submission.runs)
        and len({run.upload_id for run in submission.runs}) == 1
        and not submission.batch.rejected
    ):
        address = submission.runs[0].get_absolute_url()
        group = own_group(request, submission.runs[0].pk) if wants_json(request) else None
    else:
        address, group = submission.batch.get_absolute_url(), None
        _take_folders(request, form, submission)
    if not wants_json(request):
        return redirect(address)
    answer: dict[str, Any] = {"batch": str(submission.batch.pk), "url": address, "several": group is None}
    if group:
        answer |= {"fragment": _results(request, group), "status": _status_url(group), **_state(group)}
    return JsonResponse(answer)


def _take_folders(request: OwnRequest, form: PredictForm, submission: services.Submission) -> None:
    """The folders that the drafts came from, sent one beside each, may say what is on the pictures."""
    folders = dict(zip(request.POST.getlist("draft"), request.POST.getlist("folder"), strict=False))
    named = [folders.get(str(upload.pk), "")[:500] for upload in form.uploads]
    truths_from_folders(submission.batch, form.uploads, named)


def _fresh_form(request: OwnRequest) -> PredictForm:
    form = PredictForm(user=request.user)
    wanted = request.GET.getlist("model")
    names = [card.name for card in form.cards]
    form.initial = {
        "key": str(uuid.uuid4()),
        "model": [name for name in names if name in wanted] or names,
        "bars": request.GET.get("bars", ""),
        "crop": request.GET.get("crop", ""),
    }
    if request.GET.get("upload"):
        pk = id_of(request.GET["upload"])
        upload = uploads_of(request.user).filter(pk=pk).first() if pk else None
        if upload is None:
            raise Http404(_("This picture is no longer there. Choose it from your device again."))
        if upload.expired:
            raise Http404(str(PICTURE_EXPIRED))
        form.uploads = [upload]
    return form


def _workshop(request: OwnRequest, form: PredictForm, status: int = 200) -> HttpResponse:
    upload = form.uploads[0] if len(form.uploads) == 1 else None
    try:
        bars = parse_bars(form["bars"].value())
    except BarsInvalid:
        bars = ()
    context: dict[str, Any] = {"form": form, "upload": upload, "bars": canonical(bars) if upload else []}
    context |= {"crop": _box_on(upload, form["crop"].value()), "samples": samples.offered()}
    context["live"] = live.available() and bool(form.cards)
    return render(request, "predictions/predict.html", context, status=status)


def _box_on(upload: Upload | None, value: Any) -> Crop | None:
    """The box to show on the picture; None where none was placed yet, or not on this picture."""
    try:
        crop = parse_crop(value)
        return fitted(crop, upload.width, upload.height) if upload and isinstance(crop, Crop) else None
    except CropInvalid:
        return None


def _submit(request: OwnRequest, form: PredictForm) -> services.Submission | None:
    """Asks the networks; None when that cannot be, with the reason on the form."""
    key = form.submission_key()
    if key and request.user.is_authenticated and (earlier := services.recall(request.user, key)):
        return earlier
    try:
        # Before the work of reading the pictures.
        services.check_early(request.user, *form.size)
    except services.QuotaExceeded as error:
        form.add_error(None, ValidationError(str(error), code=error.code))
        return None
    pictures = form.pictures()
    rejected = [picture for picture in pictures if isinstance(picture, services.RejectedPicture)]
    if len(rejected) == len(pictures):
        _reject(form, rejected)
        return None
    asked = [form.cleaned_data[name] for name in ("model", "bars", "crop")]
    try:
        submission = services.submit(owner_of(request), pictures, *asked, key=key)
    except services.QuotaExceeded as error:
        form.add_error(None, ValidationError(str(error), code=error.code))
        return None
    except services.NoNetwork as error:
        form.add_error(None, str(error))
        return None
    except (services.PictureGone, FileNotFoundError):
        if not form.uploads:
            raise
        # The last prediction of a picture from the history was removed for good a moment ago.
        form.add_error("image", ValidationError(PICTURE_GONE, code="picture_gone"))
        form.uploads = []
        return None
    if not submission.runs:
        # Every picture is held for review.
        _reject(form, [one for one in submission.entries if isinstance(one, services.RejectedPicture)])
        return None
    return submission


def _reject(form: PredictForm, pictures: list[services.RejectedPicture]) -> None:
    """Says on the form why none of the pictures can be asked about."""
    for picture in pictures:
        named = f"{picture.filename}: {picture.message}" if len(pictures) > 1 else picture.message
        form.add_error("image", ValidationError(named, code=picture.code))


def _refused(request: OwnRequest, form: PredictForm) -> HttpResponse:
    if not wants_json(request):
        return _workshop(request, form, status=422)
    fields = {name: [str(sentence) for sentence in sentences] for name, sentences in form.errors.items()}
    code = next(iter(form.errors.as_data().values()))[0].code or "invalid"
    return problem(422, code, next(iter(fields.values()))[0], fields)


@for_visitors
@require_POST
@limit_rate("draft", 300)
def draft(request: OwnRequest) -> HttpResponse:
    """Takes one picture in before anything is asked about it."""
    file = request.FILES.get("image")
    if file is None:
        return problem(422, "no_picture", _("Choose a picture first."))
    try:
        # To look at what the site itself offers costs a visitor nothing.
        ours = samples.is_ours(file)
        quotas.check_trial(request.user, 0 if ours else 1)
        picture = take(file)
        if isinstance(picture, services.RejectedPicture):
            return problem(422, picture.code, picture.message)
        upload = services.draft(owner_of(request), picture, ours=ours)
    except services.QuotaExceeded as error:
        return problem(422, error.code, str(error))
    if isinstance(upload, services.RejectedPicture):
        return problem(422, upload.code, upload.message)
    answer = {name: getattr(upload, name) for name in ("width", "height", "source_width", "source_height")}
    answer |= {"id": str(upload.pk), "filename": upload.filename, "warning": _small(upload)}
    if trial := trial_of(request):
        answer["trial"] = {"left": trial.left, "says": trial.says}
    return JsonResponse(
        answer | {"picture_url": reverse("predictions:picture", args=[upload.pk])}, status=201
    )


def _small(upload: Upload) -> str:
    """A word of warning for a source with fewer pixels than a network takes in."""
    side = max((card.size for card in services.offered()), default=0)
    if min(upload.source_width, upload.source_height) >= side:
        return ""
    sizes = {"width": upload.source_width, "height": upload.source_height, "side": side}
    return (
        _(
            "This picture has only %(width)d × %(height)d pixels, fewer than the %(side)d × %(side)d that go in."
        )
        % sizes
    )


# --- results -----------------------------------------------------------------------------------------------


@for_owners
@require_safe
def detail(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """One picture and what every network asked with it said."""
    return _page(request, own_group(request, pk), pk)


def _page(
    request: OwnRequest, group: Group, pk: uuid.UUID, refused: str = "", status: int = 200
) -> HttpResponse:
    again = {"upload": str(group.upload.pk), "model": [run.model_id for run in group.runs]}
    if group.bars:
        again["bars"] = str(group.bars).replace(" ", "")
    if group.crop:
        again["crop"] = str(canonical_crop(group.crop)).replace(" ", "")
    context = {
        **_shown(group),
        # Star and note belong to the run of this address, which the history listed.
        "marked": next((run for run in group.runs if run.pk == pk), group.runs[0]),
        "of_several": Prediction.objects.filter(pk=group.runs[0].pk).filter(of_several()).exists(),
        "status_url": _status_url(group),
        "offer": sharing.offer(request.user, reverse("predictions:share", args=[pk]), run=group.runs[0]),
        "removed_on": retention.removal_of(group.upload),
        "again_url": f"{reverse('predictions:predict')}?{urlencode(again, doseq=True)}",
        "key": uuid.uuid4(),
        "refused": refused,
    }
    return render(request, "predictions/detail.html", context, status=status)


@for_owners
@require_safe
def status(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """The results of one group, rendered as on its page; without them when `?seen=` says nothing is new."""
    group = own_group(request, pk)
    state = _state(group)
    if request.GET.get("seen") != state["seen"]:
        state["html"] = _results(request, group)
    return JsonResponse(state)


def _state(shown: Group) -> dict[str, Any]:
    return {"final": shown.final, "seen": shown.seen, "says": shown.says}


def _status_url(group: Group) -> str:
    return reverse("predictions:status", args=[group.runs[0].pk])


def _results(request: OwnRequest, group: Group) -> str:
    context = {**_shown(group), "key": uuid.uuid4()}
    return render_to_string("predictions/_results.html", context, request)


def _shown(group: Group) -> dict[str, Any]:
    return {"group": group, "comparison": of_group(group)}


@for_owners
@require_POST
@limit_rate("predict", 240)
def ask_again(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """The same picture, bars and box once more: of one network when it is named, else of all of the group."""
    group = own_group(request, pk)
    named = request.POST.get("model")
    runs = [run for run in group.runs if named in (None, "", run.model_id)] or group.runs
    names = [run.model_id for run in runs]
    bars = tuple(Bar(*bar) for bar in group.bars)
    try:
        submission = services.submit(
            request.user, [group.upload], names, bars, group.crop, key=_again_key(request, group, names)
        )
    except PictureExpired:
        if wants_json(request):
            return problem(410, "picture_expired", str(PICTURE_EXPIRED))
        return _page(request, group, pk, str(PICTURE_EXPIRED), 410)
    except (services.PictureGone, FileNotFoundError):
        raise Http404(str(PICTURE_GONE)) from None
    except (services.QuotaExceeded, services.NoNetwork) as error:
        if wants_json(request):
            return problem(422, "refused", str(error))
        return _page(request, group, pk, str(error), 422)
    return redirect(submission.runs[0])


def _again_key(request: OwnRequest, group: Group, names: list[str]) -> str | None:
    """Keeps a double click from asking twice, but not two buttons of one page from asking two networks."""
    given = request.POST.get("key", "")
    if not given:
        return None
    return hashlib.sha256("|".join([given, str(group.batch.pk), *names]).encode()).hexdigest()


# --- pictures ----------------------------------------------------------------------------------------------


@for_owners
@require_safe
def picture(request: OwnRequest, pk: uuid.UUID) -> HttpResponseBase:
    """One's own picture, or a thumbnail of it with `?size=thumb`."""
    upload = get_object_or_404(uploads_of(request.user), pk=pk)
    return picture_response(request, upload)


@for_owners
@require_safe
def network_input(request: OwnRequest, pk: uuid.UUID) -> HttpResponseBase:
    """What the network of one's own run saw."""
    run = get_object_or_404(Prediction.objects.of(request.user).select_related("network_input"), pk=pk)
    return input_response(request, run.network_input)
