"""What an owner makes of a prediction: a star, another file name, a note."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from predictions import lifecycle
from predictions.access import OwnRequest, for_owners, problem, wants_json
from predictions.history_views import history_address, nothing_selected, sent_ids
from predictions.images import FILENAME_LENGTH, NameUnfit, own_name
from predictions.models import NOTE_LENGTH, Prediction


class NoteField(forms.CharField):
    """Some lines of text. Browsers send two characters for the end of a line, which count as one."""

    def to_python(self, value: str | None) -> str:
        return super().to_python("\n".join((value or "").splitlines())) or ""


class EditForm(forms.Form):
    """A file name and a note; a field that was not sent leaves what is there."""

    filename = forms.CharField(
        max_length=FILENAME_LENGTH,
        error_messages={"required": gettext_lazy("A picture needs a file name. Write one.")},
    )
    note = NoteField(required=False, max_length=NOTE_LENGTH)

    def clean_filename(self) -> str:
        try:
            return own_name(self.cleaned_data["filename"])
        except NameUnfit as error:
            raise forms.ValidationError(str(error), code="empty") from error


@for_owners
@require_POST
def star(request: OwnRequest) -> HttpResponse:
    """Stars one's own predictions (``starred=1``) or takes the star away (``starred=0``)."""
    ids = sent_ids(request)
    starred = request.POST.get("starred") != "0"
    count = lifecycle.mark(request.user, ids, starred=starred)
    if wants_json(request):
        if starred:
            says = ngettext("The prediction is starred.", "%(count)d predictions are starred.", count)
        else:
            says = ngettext("The star is gone.", "%(count)d stars are gone.", count)
        return JsonResponse({"starred": starred, "count": count, "message": says % {"count": count}})
    if not ids:
        messages.error(request, nothing_selected())
    return redirect(_way_back(request, ids[0] if len(ids) == 1 else None))


@for_owners
@require_POST
def edit(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Renames a prediction's picture and keeps a note on the prediction."""
    run = Prediction.objects.of(request.user).select_related("upload").filter(pk=pk).first()
    if run is None:
        raise Http404(
            _("There is no prediction here. It may have been deleted, or the address may be wrong.")
        )
    now = {"filename": run.upload.filename, "note": run.note}
    form = EditForm({name: request.POST.get(name, value) for name, value in now.items()})
    if not form.is_valid():
        sentences = {name: [str(one) for one in errors] for name, errors in form.errors.items()}
        first = next(iter(sentences.values()))[0]
        if wants_json(request):
            return problem(422, "invalid", first, sentences)
        messages.error(request, first)
        return redirect(_way_back(request, pk))
    if form.cleaned_data["filename"] != run.upload.filename:
        lifecycle.rename(request.user, run.upload, form.cleaned_data["filename"])
    if form.cleaned_data["note"] != run.note:
        lifecycle.annotate(request.user, pk, form.cleaned_data["note"])
    run = Prediction.objects.select_related("upload").get(pk=pk)
    if wants_json(request):
        return JsonResponse({"filename": run.upload.filename, "note": run.note, "message": _("Saved.")})
    messages.success(request, _("Saved."))
    return redirect(_way_back(request, pk))


def _way_back(request: OwnRequest, pk: uuid.UUID | None) -> str:
    """The history page that the form stood on; the prediction's own page where the form names none."""
    if pk is not None and "query" not in request.POST:
        return reverse("predictions:detail", args=[pk])
    return history_address(request)
