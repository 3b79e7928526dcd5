"""What a student sends from the predict page."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from predictions import services
from predictions.corruption import Bar, BarsInvalid, canonical, parse_bars
from predictions.crop import AUTO, Crop, CropInvalid, parse_crop
from predictions.groups import uploads_of
from predictions.images import PreparedImage
from predictions.intake import MAX_PICTURES, take_all
from predictions.media import PICTURE_EXPIRED
from predictions.models import Upload

ACCEPT = "image/jpeg,image/png,image/webp,image/gif,image/avif,image/heic,image/heif,.heic,.heif,.avif"


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Any number of files, empty ones included: `images.prepare` says what is wrong with each."""

    widget = PicturesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return [file for file in data or [] if file]


class IdsField(forms.Field):
    """Ids of pictures that were sent before, one field each."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[uuid.UUID]:
        try:
            return list(dict.fromkeys(uuid.UUID(str(one)) for one in value or [] if one))
        except ValueError as error:
            raise ValidationError(PICTURE_GONE, code="picture_gone") from error


PICTURE_GONE = _("A picture is no longer there. Choose it again.")


class PredictForm(forms.Form):
    """Pictures, as files or as drafts sent before; networks; bars and a box on a single picture."""

    image = PicturesField(
        required=False,
        label=_("Pictures"),
        help_text=_("JPEG, PNG, WebP, GIF, HEIC or AVIF; at most 10 MB each."),
    )
    draft = IdsField(required=False)
    model = forms.MultipleChoiceField(
        label=_("Networks"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one network."),
            "invalid_choice": _("There is no network “%(value)s”. Choose one that is listed."),
        },
    )
    bars = forms.CharField(required=False, widget=forms.HiddenInput)
    crop = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.cards = services.offered()
        networks: Any = self.fields["model"]
        networks.choices = [(card.name, card.title) for card in self.cards]
        self.fields["image"].widget.attrs["accept"] = ACCEPT
        self.uploads: list[Upload] = []

    def clean_bars(self) -> tuple[Bar, ...]:
        try:
            return parse_bars(self.cleaned_data["bars"])
        except BarsInvalid as error:
            raise ValidationError(str(error), code="bars_invalid") from error

    def clean_crop(self) -> Crop | str:
        try:
            return parse_crop(self.cleaned_data["crop"])
        except CropInvalid as error:
            raise ValidationError(str(error), code="crop_invalid") from error

    def clean_draft(self) -> list[uuid.UUID]:
        ids = self.cleaned_data["draft"]
        mine = uploads_of(self.user) if self.user.is_authenticated else Upload.objects.none()
        found = {upload.pk: upload for upload in mine.filter(pk__in=ids)}
        if len(found) < len(ids):
            raise ValidationError(PICTURE_GONE, code="picture_gone")
        if any(upload.expired for upload in found.values()):
            raise ValidationError(PICTURE_EXPIRED, code="picture_expired")
        self.uploads = [found[pk] for pk in ids]
        return ids

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        # A file chosen now stands for what was there before.
        if values.get("image"):
            if self.uploads:
                # The bars and the box belonged to the picture that it replaces.
                values["bars"] = ()
                values["crop"] = AUTO
            self.uploads = []
        count = len(values.get("image") or self.uploads)
        if not count and "draft" not in self.errors:
            self.add_error("image", ValidationError(_("Choose a picture first."), code="no_picture"))
        if count > MAX_PICTURES:
            self.add_error(
                "image", ValidationError(_("Send at most 200 pictures at a time."), code="too_many_pictures")
            )
        if count > 1 and values.get("bars"):
            self.add_error(
                "bars",
                ValidationError(_("Bars can be drawn on one picture at a time."), code="bars_on_several"),
            )
        if count > 1 and isinstance(values.get("crop"), Crop):
            self.add_error(
                "crop",
                ValidationError(_("The box can be placed on one picture at a time."), code="crop_on_several"),
            )
        return values

    @property
    def size(self) -> tuple[int, int]:
        """How many pictures are new, and how many runs this asks for, if none is rejected."""
        values = self.cleaned_data
        new = len(values["image"])
        return new, (new or len(self.uploads)) * len(values["model"]) * (2 if values["bars"] else 1)

    def pictures(self) -> list[Upload | PreparedImage | services.RejectedPicture]:
        """What was sent, in its order, each prepared or rejected with a sentence."""
        sent: list[Upload | PreparedImage | services.RejectedPicture]
        sent = [*take_all(self.cleaned_data["image"])] or [*self.uploads]
        return services.fitting(sent, self.cleaned_data["crop"])

    def submission_key(self) -> str | None:
        """The page's key together with what is asked: the same again is a double click, anything else is not."""
        key = self.cleaned_data["key"][:36]
        if not key:
            return None
        asked = [
            [str(upload.pk) for upload in self.uploads],
            self.cleaned_data["model"],
            canonical(self.cleaned_data["bars"]),
            self.cleaned_data["crop"],
        ]
        digest = hashlib.sha256(json.dumps(asked).encode())
        for file in self.cleaned_data["image"]:
            file.seek(0)
            for chunk in file.chunks():
                digest.update(chunk)
            digest.update(f"{file.name}:{file.size}".encode())
        return f"{key}:{digest.hexdigest()[:40]}"
