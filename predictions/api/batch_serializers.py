"""The API's shapes of batches and networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.reverse import reverse

from predictions.accuracy import Accuracy, Share, accuracies
from predictions.api.strict import StrictCharField, StrictSerializer
from predictions.batch_table import BatchTable, names_of
from predictions.models import Batch, Job, Prediction
from predictions.truths import class_of, classes_of, keys_of

MOST_TRUTHS = 1000
ERRORS_SHOWN = 20
TOTALS = ("pictures", "rejected", "runs", *Job.Status.values)


class CountsSerializer(serializers.Serializer):
    """How many pictures were taken and rejected, and in which states their runs are."""

    pictures = serializers.IntegerField()
    rejected = serializers.IntegerField()
    runs = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class BatchRowSerializer(serializers.ModelSerializer):
    """A batch in the list of batches. Its context holds ``counts`` and ``models``, made by `outlines`."""

    id = serializers.UUIDField(read_only=True)
    url = serializers.SerializerMethodField()
    created = serializers.DateTimeField(read_only=True)
    models = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = ("id", "url", "created", "models", "counts")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, batch: Batch) -> str:
        return reverse("predictions:batch", args=[batch.pk], request=self.context.get("request"))

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_models(self, batch: Batch) -> list[str]:
        models: list[str] = self.context["outlines"][batch.pk]["models"]
        return models

    @extend_schema_field(CountsSerializer)
    def get_counts(self, batch: Batch) -> dict[str, int]:
        counts: dict[str, int] = self.context["outlines"][batch.pk]["counts"]
        return counts


def outlines(batches: Iterable[Batch]) -> dict[Any, dict[str, Any]]:
    """Batch id -> its networks and counts, in two queries however many there are."""
    found: dict[Any, dict[str, Any]] = {
        batch.pk: {"models": [], "counts": dict.fromkeys(TOTALS, 0) | {"rejected": len(batch.rejected)}}
        for batch in batches
    }
    runs = Prediction.objects.visible().filter(batch__in=list(found), asked=True).order_by()
    for batch, network, status, count in runs.values_list("batch", "model", "status").annotate(Count("pk")):
        one = found[batch]
        one["models"] = sorted({*one["models"], network})
        one["counts"][status] += count
        one["counts"]["runs"] += count
    for batch, count in runs.values_list("batch").annotate(Count("upload", distinct=True)):
        found[batch]["counts"]["pictures"] = count
    return found


class WaitSerializer(serializers.Serializer):
    """Until the last of what waits is answered, as things are now."""

    ahead = serializers.IntegerField(help_text="So many runs are computed before, everybody's.")
    seconds = serializers.FloatField(
        allow_null=True, help_text="Null where no worker has said how fast it is."
    )
    worker = serializers.BooleanField(help_text="Whether any worker runs.")


class AgreementSerializer(serializers.Serializer):
    """On how many of the pictures that every network has answered all name the same class."""

    same = serializers.IntegerField()
    of = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)


class LabelCountSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()


class TotalsSerializer(serializers.Serializer):
    """One network on all pictures of the batch."""

    model = serializers.CharField()
    done = serializers.IntegerField()
    mean_confidence = serializers.FloatField(allow_null=True)
    labels = LabelCountSerializer(many=True, help_text="The most frequent first answers.")
    more_labels = serializers.IntegerField(help_text="So many other classes were named too.")


class ShareSerializer(serializers.Serializer):
    """``right`` of ``n``; with a probability of 95% the true share lies between ``low`` and ``high``."""

    right = serializers.IntegerField()
    n = serializers.IntegerField()
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class ConfusionSerializer(serializers.Serializer):
    """True classes down, answers across; the most frequent classes only."""

    classes = serializers.ListField(child=serializers.CharField())
    counts = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    left_out = serializers.IntegerField(
        help_text="Pictures whose true class or answer is not among these classes."
    )


class AccuracySerializer(serializers.Serializer):
    """One network against the true labels."""

    model = serializers.CharField()
    top1 = ShareSerializer(allow_null=True)
    top5 = ShareSerializer(allow_null=True)
    confusion = ConfusionSerializer(allow_null=True)
    unknown = serializers.IntegerField(help_text="Pictures of classes that this network does not have.")


class BatchDetailSerializer(serializers.Serializer):
    """A batch with what its page says about it."""

    id = serializers.UUIDField()
    url = serializers.URLField()
    created = serializers.DateTimeField()
    models = serializers.ListField(child=serializers.CharField(), help_text="In the order asked.")
    counts = CountsSerializer()
    wait = WaitSerializer(allow_null=True, help_text="Null when nothing waits.")
    agreement = AgreementSerializer()
    totals = TotalsSerializer(many=True)
    truths = serializers.DictField(child=serializers.CharField(), help_text="Picture id -> true label.")
    accuracy = AccuracySerializer(many=True, help_text="Empty without true labels.")


def detail(table: BatchTable, request: Any) -> dict[str, Any]:
    """What `BatchDetailSerializer` describes."""
    counts = dict.fromkeys(TOTALS, 0) | {
        "pictures": table.counts["pictures"],
        "rejected": table.counts["rejected"],
    }
    for run in table.runs:
        counts[run.status] += 1
        counts["runs"] += 1
    own = {str(row.upload.pk) for row in table.pictures if row.upload}
    return {
        "id": str(table.batch.pk),
        "url": reverse("predictions:batch", args=[table.batch.pk], request=request),
        "created": serializers.DateTimeField().to_representation(table.batch.created),
        "models": [network.pk for network in table.networks],
        "counts": counts,
        "wait": {"ahead": table.wait.ahead, "seconds": table.wait.seconds, "worker": table.wait.worker}
        if table.wait
        else None,
        "agreement": table.agreement,
        "totals": [
            {
                "model": total.network.pk,
                "done": total.done,
                "mean_confidence": total.confidence,
                "labels": [{"label": name, "count": count} for name, count in total.labels],
                "more_labels": total.more_labels,
            }
            for total in table.totals
        ],
        "truths": {pk: label for pk, label in table.batch.truths.items() if pk in own},
        "accuracy": [_accuracy(one) for one in accuracies(table)],
    }


def _accuracy(one: Accuracy) -> dict[str, Any]:
    matrix = one.matrix
    confusion = matrix and {
        "classes": matrix.classes,
        "counts": [[square.count for square in row.squares] for row in matrix.rows],
        "left_out": matrix.left_out,
    }
    shares = {"top1": _share(one.top1), "top5": _share(one.top5)}
    return {"model": one.network.pk, **shares, "confusion": confusion, "unknown": one.unknown}


def _share(share: Share | None) -> dict[str, Any] | None:
    return share and {
        "right": share.right,
        "n": share.n,
        "share": share.value,
        "low": share.low,
        "high": share.high,
    }


class CancelledSerializer(serializers.Serializer):
    cancelled = serializers.IntegerField(help_text="Runs, with the clean ones beside covered ones.")


class RetriedSerializer(serializers.Serializer):
    retried = serializers.IntegerField(help_text="Runs, with the clean ones beside covered ones.")


# --- what is sent ------------------------------------------------------------------------------------------


class TruthsSerializer(StrictSerializer):
    """What is on the pictures: file name or picture id -> class. It replaces what was said before.

    Needs ``table`` in its context; ``validated_data["truths"]`` is by picture id, with the classes' own names.
    """

    truths = serializers.DictField(
        child=StrictCharField(max_length=120),
        help_text=(
            "Picture ids, or file names as `results.csv` has them. A name that several pictures were sent with is that "
            "of all of them, but for those that are named singly. Empty: none are known any more."
        ),
    )

    def validate_truths(self, given: dict[str, str]) -> dict[str, str]:
        if len(given) > MOST_TRUTHS:
            raise serializers.ValidationError(
                _("Send at most %(most)d true labels at once.") % {"most": MOST_TRUTHS}
            )
        table: BatchTable = self.context["table"]
        names = _Names(table)
        classes = classes_of(network.pk for network in table.networks)
        found: dict[str, str] = {}
        of_one: dict[str, str] = {}
        wrong: dict[str, list[str]] = {}
        for name, label in given.items():
            ids = names.pictures(name)
            own = class_of(label, classes)
            if not ids:
                wrong[name[:120]] = [_("No picture of this batch has this name or id.")]
            elif own is None:
                sentence = _("These networks have no class “%(label)s”.")
                wrong[name[:120]] = [sentence % {"label": label[:60]}]
            elif len(ids) == 1:
                of_one[ids[0]] = own
            else:
                found |= dict.fromkeys(ids, own)
        if wrong:
            raise serializers.ValidationError(dict(list(wrong.items())[:ERRORS_SHOWN]))
        # What is said of one picture alone counts, whatever is said of all that are called alike.
        return found | of_one


class _Names:
    """What the pictures of a batch are called: by id, as the batch's files number them, and as they were sent."""

    def __init__(self, table: BatchTable) -> None:
        self.ids: set[str] = set()
        self.numbered: dict[str, list[str]] = {}
        self.sent: dict[str, list[str]] = {}
        for name, row in names_of(table):
            # A rejected picture has a name all the same.
            own = [str(row.upload.pk)] if row.upload else []
            self.ids.update(own)
            self.numbered[name.casefold()] = own
            self.sent.setdefault(row.filename.casefold(), []).extend(own)

    def pictures(self, name: str) -> list[str]:
        """The ids of those that a name means."""
        if name in self.ids:
            return [name]
        key = next((one for one in keys_of(name) if one in self.sent or one in self.numbered), "")
        return self.sent.get(key) or self.numbered.get(key, [])


# --- networks ----------------------------------------------------------------------------------------------


class MetricsSerializer(serializers.Serializer):
    """Measured on the test set, as served; null where it was not."""

    top1 = serializers.FloatField(allow_null=True, help_text="Share of pictures whose first answer is right.")
    top5 = serializers.FloatField(allow_null=True, help_text="Share whose class is among the first five.")
    ece = serializers.FloatField(allow_null=True, help_text="Expected calibration error.")
    nll = serializers.FloatField(allow_null=True, help_text="Mean negative log-likelihood.")
    n = serializers.IntegerField(allow_null=True, help_text="So many pictures.")


class NetworkSerializer(serializers.Serializer):
    """A network that can be asked; ``name`` is what `model` takes."""

    name = serializers.CharField()
    title = serializers.CharField()
    version = serializers.CharField()
    size = serializers.IntegerField(help_text="Side of its square input in pixels.")
    classes = serializers.IntegerField()
    labels = serializers.ListField(
        child=serializers.CharField(), help_text="The classes' own names, by index."
    )
    metrics = MetricsSerializer()


# Every network in one answer, although the call is a list by its name.
@extend_schema_serializer(many=False)
class NetworksSerializer(serializers.Serializer):
    results = NetworkSerializer(many=True)
