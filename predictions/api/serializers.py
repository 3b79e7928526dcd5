"""The API's shapes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from predictions.api.strict import StrictBooleanField, StrictCharField, StrictSerializer, StrictUUIDField
from predictions.corruption import MAX_BARS, BarsInvalid, parse_bars
from predictions.crop import CropInvalid, parse_crop
from predictions.images import FILENAME_LENGTH, NameUnfit, own_name
from predictions.intake import MAX_PICTURES
from predictions.models import NOTE_LENGTH, Batch, Job, Prediction
from predictions.services import RejectedPicture

MAX_IDS = 1000


class AnswerSerializer(serializers.Serializer):
    """One of the five likeliest classes; ``probability`` is that of the full softmax."""

    index = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    probability = serializers.FloatField(min_value=0, max_value=1)


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class PlaceSerializer(serializers.Serializer):
    """Where a prediction that waits stands in the line."""

    place = serializers.IntegerField(min_value=1, help_text="1 is the next that a worker takes.")
    seconds = serializers.FloatField(
        allow_null=True, help_text="Until it is answered, as things are now; null where nobody can say."
    )
    says = serializers.CharField(
        allow_blank=True, help_text="The estimate in words, or that no worker is running."
    )


class PredictionSerializer(serializers.ModelSerializer):
    """A run of one network on one picture, or the reason why there is none."""

    id = serializers.UUIDField(allow_null=True, help_text="Null for a picture that was rejected.")
    model = serializers.CharField(source="model_id", allow_null=True)
    batch = serializers.UUIDField(source="batch_id")
    picture = serializers.UUIDField(
        source="upload_id", allow_null=True, help_text="The same in every prediction on one picture."
    )
    clean = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=[*Job.Status.values, "rejected"])
    filename = serializers.CharField(source="upload.filename")
    bars = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    )
    crop = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        min_length=4,
        max_length=4,
        allow_null=True,
        help_text=(
            "The part that went in: [x, y, width, height], fractions of the upright picture, square in its pixels; "
            "[0, 0, 1, 1] is the whole picture, squeezed into the network's square. Null where the network's own "
            "preprocessing decided."
        ),
    )
    artifact = serializers.SerializerMethodField()
    outside = serializers.BooleanField(
        allow_null=True,
        help_text=(
            "True when the picture is unlike those that the network learned from, so that its answer means little. "
            "Null while there is no answer, and for networks that cannot tell."
        ),
    )
    top5 = serializers.SerializerMethodField()
    image_url = serializers.SerializerMethodField()
    image_removed = serializers.DateTimeField(
        source="upload.expired",
        allow_null=True,
        help_text="When the picture was removed because of its age. From then on `image_url` answers 410.",
    )
    url = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    wait = serializers.SerializerMethodField(
        help_text="While it is queued and asked for by itself; null in lists and otherwise."
    )

    class Meta:
        model = Prediction
        fields = (
            "id",
            "batch",
            "picture",
            "status",
            "model",
            "filename",
            "bars",
            "crop",
            "clean",
            "top5",
            "outside",
            "artifact",
            "image_url",
            "image_removed",
            "url",
            "created",
            "finished",
            "error",
            "starred",
            "note",
            "wait",
        )
        read_only_fields = ("created", "finished", "starred", "note")

    @extend_schema_field({"type": "string", "format": "uuid", "nullable": True})
    def get_clean(self, run: Prediction) -> str | None:
        # A clean run that was deleted answers 404, so it is not named either.
        return str(run.clean_run_id) if run.clean_run and run.clean_run.deleted is None else None

    @extend_schema_field({"type": "string", "nullable": True})
    def get_artifact(self, run: Prediction) -> str | None:
        return run.artifact or None

    @extend_schema_field(AnswerSerializer(many=True, allow_null=True))
    def get_top5(self, run: Prediction) -> list[dict[str, Any]] | None:
        answers = run.answers
        return answers and [{key: row[key] for key in ("index", "label", "probability")} for row in answers]

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_image_url(self, run: Prediction) -> str:
        return reverse("prediction-image", args=[run.pk], request=self.context.get("request"))

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_url(self, run: Prediction) -> str:
        return reverse("predictions:detail", args=[run.pk], request=self.context.get("request"))

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, run: Prediction) -> dict[str, str] | None:
        return {"code": run.error_code, "message": run.error_sentence} if run.error_code else None

    @extend_schema_field(PlaceSerializer(allow_null=True))
    def get_wait(self, run: Prediction) -> dict[str, Any] | None:
        wait = self.context.get("waits", {}).get(run.pk)
        return wait and {"place": wait.place, "seconds": wait.seconds, "says": wait.says}

    def to_representation(self, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, RejectedPicture):
            return super().to_representation(entry)
        values: dict[str, Any] = dict.fromkeys(self.Meta.fields)
        batch: Batch = self.context["batch"]
        return {
            **values,
            "batch": str(batch.pk),
            "status": "rejected",
            "filename": entry.filename,
            "bars": [],
            "starred": False,
            "note": "",
            "created": serializers.DateTimeField().to_representation(batch.created),
            "error": {"code": entry.code, "message": entry.message},
        }


class BatchSerializer(serializers.Serializer):
    """What a POST made: image by image in the order sent, networks in the order asked."""

    batch = serializers.UUIDField()
    results = PredictionSerializer(many=True)


class DaySerializer(serializers.Serializer):
    day = serializers.DateField()
    count = serializers.IntegerField(min_value=1)


class ActivitySerializer(serializers.Serializer):
    """How many predictions there are of each day."""

    first = serializers.DateField(help_text="The first day that was counted.")
    last = serializers.DateField(help_text="The last one.")
    total = serializers.IntegerField(help_text="Of all these days.")
    days = DaySerializer(many=True, help_text="Days of UTC in their order; those without any are left out.")


class ProbabilitiesSerializer(serializers.Serializer):
    """What the network says about every one of its classes."""

    id = serializers.UUIDField()
    model = serializers.CharField()
    artifact = serializers.CharField()
    probabilities = AnswerSerializer(many=True, help_text="In the order of the network's classes.")


class PairSerializer(serializers.Serializer):
    """Which two predictions."""

    a = StrictUUIDField()
    b = StrictUUIDField()


class ClassChangeSerializer(serializers.Serializer):
    """One class in both predictions; ``difference`` is b minus a."""

    label = serializers.CharField()  # type: ignore[assignment]
    a = serializers.FloatField(allow_null=True)
    b = serializers.FloatField(allow_null=True)
    difference = serializers.FloatField(allow_null=True)


class ComparisonSerializer(serializers.Serializer):
    a = PredictionSerializer()
    b = PredictionSerializer()
    same_picture = serializers.BooleanField()
    classes = ClassChangeSerializer(many=True)


class ChangeSerializer(StrictSerializer):
    """What its owner may change; what is left out stays."""

    filename = StrictCharField(
        required=False,
        max_length=FILENAME_LENGTH,
        help_text="The picture's name, in every prediction of it; without folders and invisible characters.",
    )
    note = StrictCharField(
        required=False, max_length=NOTE_LENGTH, allow_blank=True, help_text="Empty text removes it."
    )
    starred = StrictBooleanField(required=False)

    def validate_filename(self, given: str) -> str:
        try:
            return own_name(given)
        except NameUnfit as error:
            raise serializers.ValidationError(str(error)) from error


class IdsSerializer(StrictSerializer):
    """Which predictions; ids that are not of one's own predictions are passed over."""

    ids = serializers.ListField(child=StrictUUIDField(), min_length=1, max_length=MAX_IDS)


class DeletedSerializer(serializers.Serializer):
    deleted = serializers.ListField(child=serializers.UUIDField(), help_text="Those that were deleted now.")
    seconds = serializers.IntegerField(help_text="For so long they can be brought back.")


class RestoredSerializer(serializers.Serializer):
    restored = serializers.IntegerField(help_text="How many of them came back.")


class SubmissionSerializer(serializers.Serializer):
    """What a POST sends."""

    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=None),
        min_length=1,
        max_length=MAX_PICTURES,
        error_messages={
            "required": _("Send at least one picture as a part called image."),
            "min_length": _("Send at least one picture as a part called image."),
            "max_length": _("Send at most {max_length} pictures at once."),
        },
    )
    model = serializers.ListField(
        child=serializers.CharField(max_length=80, allow_blank=True), required=False, max_length=50
    )
    bars = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=f"A JSON list of at most {MAX_BARS} [x, y, width, height], fractions of the upright picture.",
    )

    crop = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=(
            "The part of each picture that goes in. `auto` (the default): a square where there is most to see, the "
            "whole picture when it is square. `whole`: all of it, squeezed into a square. Or JSON [x, y, width, "
            "height], fractions of the upright picture, square in its pixels (two pixels or 2% are forgiven, and "
            "what was cut out comes back in `crop`). With several pictures the same fractions hold for each; one on "
            "which they are not square is rejected with `box_not_square`, and the others go on. Bars are fractions "
            "of the whole picture all the same."
        ),
    )

    def validate_crop(self, value: str) -> Any:
        try:
            return parse_crop(value)
        except CropInvalid as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_bars(self, value: str) -> Any:
        try:
            return parse_bars(value)
        except BarsInvalid as error:
            raise serializers.ValidationError(str(error)) from error
