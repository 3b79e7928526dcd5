"""The shapes of the laboratory in the API."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from learn import explanations, kinds
from learn.explanation_views import CONTENT_TYPES, MAX_PARAMETERS
from learn.models import Explanation
from predictions import explainable
from predictions.api.strict import StrictCharField, StrictSerializer, StrictUUIDField
from predictions.corruption import MAX_BARS
from predictions.jobs import Job

NAME_LENGTH = 40


# --- asking ------------------------------------------------------------------------------------------------------


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MAX_BARS,
        "items": {
            "type": "array",
            "minItems": 4,
            "maxItems": 4,
            "items": {"type": "number", "minimum": 0, "maximum": 1},
        },
    }
)
class BarsField(serializers.Field):
    """Bars as a list; what is wrong with them is said where they are read."""

    default_error_messages = {"invalid": _("The bars must be a list of [x, y, width, height].")}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("invalid")
        return list(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ParametersField(serializers.Field):
    """An object that a kind of explanation reads; what it may hold is that kind's to say."""

    default_error_messages = {
        "invalid": _("The parameters must be a JSON object."),
        "long": _("These are too many changes at once. Take some of them back."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        try:
            # Numbers beyond every float and halves of characters are no JSON, though Python reads them.
            text = json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            self.fail("invalid")
        if len(text) > MAX_PARAMETERS:
            self.fail("long")
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


class QuestionSerializer(StrictSerializer):
    """What is asked, of whatever picture."""

    network = StrictCharField(
        required=False,
        max_length=NAME_LENGTH,
        help_text="A network's name. Absent: the prediction's own; of a sample picture the first that has layers.",
    )
    kind = StrictCharField(
        max_length=NAME_LENGTH,
        help_text=(
            "`xray`, `class_map`, `layer_map`, `occlusion`, `trust`, `dose`, `snapshots`, `surgery`, `mix` or "
            "`answers`."
        ),
    )
    parameters = ParametersField(required=False, help_text="What the kind can be told; absent: its defaults.")
    bars = BarsField(
        required=False,
        help_text=(
            "Black bars in place of the prediction's own, or of the one that belongs to the sample picture: "
            "[x, y, width, height], fractions of the upright picture; [] for none."
        ),
    )


class NewPredictionExplanationSerializer(QuestionSerializer):
    """About the picture of one of your predictions."""

    prediction = StrictUUIDField()


class NewSampleExplanationSerializer(QuestionSerializer):
    """About one of the site's sample pictures."""

    sample = StrictCharField(max_length=NAME_LENGTH, help_text="Its name, such as `apple`.")


NEW_EXPLANATION = (NewPredictionExplanationSerializer, NewSampleExplanationSerializer)


class FilterSerializer(serializers.Serializer):
    """What the list is narrowed to; what is wrong is said and never left out."""

    prediction = StrictUUIDField(required=False)
    kind = serializers.CharField(required=False)
    network = serializers.CharField(required=False, max_length=NAME_LENGTH)
    status = serializers.ChoiceField(Job.Status.values, required=False)

    def validate_kind(self, name: str) -> str:
        try:
            return kinds.find(name).name
        except kinds.KindError as error:
            raise serializers.ValidationError(str(error)) from error


# --- answers -----------------------------------------------------------------------------------------------------


class FileSerializer(serializers.Serializer):
    """One file of an explanation."""

    name = serializers.CharField(help_text="Slashes of layers' names are dots: `clean/block1.conv1.npy`.")
    url = serializers.URLField()
    bytes = serializers.IntegerField(min_value=0)
    type = serializers.ChoiceField(sorted(set(CONTENT_TYPES.values())))


class FailureSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField(allow_blank=True)


class ExplanationSerializer(serializers.ModelSerializer):
    """What was computed to explain a network's answer, or that it waits."""

    prediction = serializers.SerializerMethodField(
        help_text=(
            "Your prediction on this picture: the newest by this network and with these bars, else the newest. "
            "Null for a sample picture."
        )
    )
    sample = serializers.SerializerMethodField(help_text="The name of the sample picture, or null.")
    bars = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4),
        help_text="Empty also for kinds that do not look at bars.",
    )
    parameters = serializers.SerializerMethodField(help_text="As they were understood, defaults written out.")
    result = serializers.SerializerMethodField(
        help_text="What the figure says in numbers, by kind. Null in lists and until it is done."
    )
    files = serializers.SerializerMethodField(help_text="Null in lists and until it is done.")
    error = serializers.SerializerMethodField(help_text="Why it failed, else null.")

    class Meta:
        model = Explanation
        fields = (
            "id",
            "status",
            "kind",
            "network",
            "artifact",
            "prediction",
            "sample",
            "bars",
            "parameters",
            "result",
            "files",
            "created",
            "finished",
            "error",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uuid", "nullable": True})
    def get_prediction(self, found: Explanation) -> str | None:
        runs = self.context["predictions"].get(found.network_input_id)
        if not runs:
            return None
        kind = kinds.every().get(found.kind)
        blind = kind is not None and not kind.looks_at_bars
        # Of those that fit equally well the first is taken, which is the newest.
        return str(max(runs, key=lambda r: (r.network == found.network, blind or r.bars == found.bars)).id)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_sample(self, found: Explanation) -> str | None:
        return found.sample or None

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_parameters(self, found: Explanation) -> dict[str, Any]:
        parameters: dict[str, Any] = found.parameters
        return parameters

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_result(self, found: Explanation) -> dict[str, Any] | None:
        if self.context["listed"] or found.status != Job.Status.DONE:
            return None
        result: dict[str, Any] = found.result
        return result

    @extend_schema_field(FileSerializer(many=True, allow_null=True))
    def get_files(self, found: Explanation) -> list[dict[str, Any]] | None:
        if self.context["listed"] or found.status != Job.Status.DONE:
            return None
        request = self.context.get("request")
        return [
            {
                "name": name,
                "url": reverse("explanation-file", args=[found.pk, name], request=request),
                "bytes": size,
                "type": CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
            }
            for name, size in sorted(explanations.sizes(found).items())
        ]

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_error(self, found: Explanation) -> dict[str, str] | None:
        if not found.is_final or found.status == Job.Status.DONE:
            return None
        return {"code": found.error_code or found.status, "message": found.error_sentence}


def described(found: list[Explanation], request: Any, *, listed: bool = False) -> Any:
    """Explanations as the API shows them. Raises FileNotFoundError where one has lost its file; listed: never."""
    anchors = [one.network_input_id for one in found if one.network_input_id is not None]
    on = explainable.predictions_on(request.user, anchors) if anchors else {}
    context = {"request": request, "predictions": on, "listed": listed}
    return ExplanationSerializer(found, many=True, context=context).data


# --- maps and layers ---------------------------------------------------------------------------------------------


class ClassSerializer(serializers.Serializer):
    index = serializers.IntegerField(min_value=0)
    label = serializers.CharField()  # type: ignore[assignment]


class SumSerializer(serializers.Serializer):
    """Mean of the map plus bias is the logit."""

    mean = serializers.FloatField()
    bias = serializers.FloatField()
    logit = serializers.FloatField()


class MapSerializer(serializers.Serializer):
    """A heat map of one class, or of one against another, over the square that went into the network."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(["class_map", "layer_map", "occlusion"])
    network = serializers.CharField()
    artifact = serializers.CharField()
    versus = ClassSerializer(allow_null=True)
    unit = serializers.ChoiceField(
        ["logits", "log-odds"],
        help_text="Of `values`. Log-odds are by how much they change when that square is black.",
    )
    shape = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=2, max_length=2)
    scale = serializers.FloatField(min_value=0, help_text="The greatest absolute value.")
    values = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), help_text="Row by row from the top left."
    )
    sum = SumSerializer(allow_null=True, help_text="Of a class map; else null.")
    before = serializers.FloatField(
        allow_null=True, help_text="The class's probability with nothing covered; null for other kinds."
    )
    after = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        allow_null=True,
        help_text="The same with each square black; null for other kinds.",
    )

    def get_fields(self) -> dict[str, Any]:
        # The name is one that Python keeps for itself.
        return {**super().get_fields(), "class": ClassSerializer()}


class LayerSerializer(serializers.Serializer):
    """One layer; `shape` is that of its output: channels, height, width."""

    name = serializers.CharField()
    kind = serializers.CharField()
    inputs = serializers.ListField(child=serializers.CharField(), help_text="Names of layers.")
    shape = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=3, max_length=3)
    kernel = serializers.IntegerField(help_text="Cells a side that an output cell reads.")
    stride = serializers.IntegerField()
    padding = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        min_length=4,
        max_length=4,
        help_text="Top, left, bottom, right.",
    )
    multiply_adds = serializers.IntegerField()
    epsilon = serializers.FloatField(help_text="Of a batch normalisation; else 0.")


class LayersSerializer(serializers.Serializer):
    """The layers of a network in computing order. The first one, `pictures`, is the normalised picture."""

    name = serializers.CharField()
    title = serializers.CharField()
    version = serializers.CharField()
    size = serializers.IntegerField(help_text="Pixels a side of the square that goes in.")
    mean = serializers.ListField(
        child=serializers.FloatField(), help_text="Subtracted from pixels of 0 to 1, by channel."
    )
    std = serializers.ListField(child=serializers.FloatField(), help_text="What they are divided by then.")
    labels = serializers.IntegerField(help_text="How many classes it has.")
    pre_activation = serializers.BooleanField(
        help_text="Whether normalisation and ReLU come before each convolution and not behind it."
    )
    layers = LayerSerializer(many=True)
