"""The API of predictions: one POST classifies up to 200 pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.schema import answer, errors, request_example
from predictions import lifecycle, quotas, services
from predictions.api import examples, idempotency
from predictions.api.answers import TAG, AnswersMixin
from predictions.api.filter_schema import FILTERS, Filters
from predictions.api.pagination import SortedPages
from predictions.api.problems import (
    KeyReused,
    NotEnded,
    NotWaiting,
    PictureExpired,
    PictureRejected,
    QuotasTold,
)
from predictions.api.serializers import (
    BatchSerializer,
    ChangeSerializer,
    DeletedSerializer,
    IdsSerializer,
    PredictionSerializer,
    RestoredSerializer,
    SubmissionSerializer,
)
from predictions.api.summaries import SUMMARIES, SummariesMixin
from predictions.crop import AUTO
from predictions.filters import ApiPredictionFilter
from predictions.intake import take_all
from predictions.models import UNDO, Job, Prediction
from predictions.waiting import waits


@extend_schema_view(
    list=extend_schema(
        operation_id="predictions_list",
        tags=TAG,
        summary="Your predictions, newest first",
        description="With `batch`, what its POST returned; runs in all states unless `status` says otherwise.",
        parameters=FILTERS,
        responses={
            200: answer(PredictionSerializer(many=True), "A page of them.", examples.DONE),
            **errors(400, 401, 404, 429, e404=("not_found", "Invalid cursor")),
        },
    ),
    retrieve=extend_schema(
        operation_id="predictions_retrieve",
        tags=TAG,
        summary="One prediction",
        responses={
            200: OpenApiResponse(
                PredictionSerializer,
                "The prediction as it stands now.",
                examples=[OpenApiExample("Done", examples.DONE), OpenApiExample("Waiting", examples.WAITING)],
            ),
            **errors(401, 404, 429),
        },
    ),
    destroy=extend_schema(
        operation_id="predictions_destroy",
        tags=TAG,
        summary="Delete a prediction",
        description="It can be brought back for ten seconds; then it is gone, the picture with its last prediction.",
        responses={204: answer(None, "It is deleted."), **errors(401, 403, 404, 429)},
    ),
)
class PredictionViewSet(
    QuotasTold,
    AnswersMixin,
    SummariesMixin,
    mixins.ListModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """Runs of networks on your pictures."""

    queryset = Prediction.objects.none()
    serializer_class = PredictionSerializer
    filterset_class = ApiPredictionFilter
    filter_backends = [Filters]
    pagination_class = SortedPages
    parser_classes = [JSONParser]
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Prediction]:
        if getattr(self, "swagger_fake_view", False):
            return Prediction.objects.none()
        own = Prediction.objects.of(self.request.user)
        # Where many are sorted or counted, rows are fetched once it is known which.
        return own if self.action in (*SUMMARIES, "list") else own.with_answers()

    def rows(self, ids: Iterable[Any]) -> dict[Any, Prediction]:
        return Prediction.objects.visible().with_answers().in_bulk(list(ids))

    def get_parsers(self) -> list[Any]:
        # Asked for before the framework notes which action this is.
        method = (self.request.method or "").lower() if self.request else ""
        if getattr(self, "action_map", {}).get(method) == "create":
            return [MultiPartParser()]
        return super().get_parsers()

    def get_throttles(self) -> list[Any]:
        # A scope on the class would count polling as well.
        scopes = {"create": "predict", "retry": "predict", **SUMMARIES}
        self.throttle_scope = scopes.get(self.action)
        return super().get_throttles()

    def retrieve(self, request: Request, pk: Any = None) -> Response:
        return self._shown(self.get_object())

    def _answer(self, run: Prediction) -> Response:
        """The prediction as it stands now."""
        return self._shown(self.get_queryset().get(pk=run.pk))

    def _shown(self, run: Prediction) -> Response:
        """A single prediction: with its place while it waits, which in lists would be a question a row."""
        context = {**self.get_serializer_context(), "waits": waits([run])}
        return Response(PredictionSerializer(run, context=context).data)

    # --- asking ---------------------------------------------------------------------------------------------

    @extend_schema(
        operation_id="predictions_create",
        tags=TAG,
        summary="Classify pictures",
        description=(
            "`image` (1 to 200 parts of at most 10 MB), `model` (repeatable; absent: every network), `bars` and "
            "`crop` (both optional). Answers at once with one entry for each picture and network; ask for them "
            "again until `status` is final. "
            "With `bars` each entry is the covered run and names the clean one in `clean`."
        ),
        parameters=idempotency.PARAMETERS,
        request={"multipart/form-data": SubmissionSerializer},
        examples=[
            request_example(
                {"image": ["cat.jpg"], "model": ["vgg"], "bars": "[[0.4, 0, 0.2, 1]]", "crop": "auto"},
                "multipart/form-data",
            )
        ],
        responses={
            202: answer(
                BatchSerializer,
                "The pictures are taken; what could not be is in its place.",
                examples.SUBMITTED,
            ),
            **errors(400, 401, 403, 413, 415, 422, 429),
        },
    )
    def create(self, request: Request) -> Response:
        key = idempotency.key_of(request)
        sent = self._sent(request)
        models, bars, crop = sent.get("model", ()), sent.get("bars") or (), sent.get("crop", AUTO)
        fingerprint = idempotency.fingerprint(models, bars, crop, sent["image"]) if key else ""
        owner = cast(User, request.user)
        try:
            # Before the pictures are read: an answered request, an unknown network and a used-up quota cost nothing.
            submission = services.recall(owner, key, fingerprint) if key else None
            if submission is None:
                asked = len(services.chosen(models)) * (2 if bars else 1)
                with transaction.atomic():
                    quotas.check_early(owner, len(sent["image"]), len(sent["image"]) * asked)
                pictures = services.fitting(take_all(sent["image"]), crop)
                if len(pictures) == 1 and isinstance(only := pictures[0], services.RejectedPicture):
                    raise PictureRejected(only.message, only.code)
                submission = services.submit(
                    owner, pictures, models, bars, crop, key=key, fingerprint=fingerprint
                )
        except services.NoNetwork as error:
            raise serializers.ValidationError({"model": [str(error)]}) from error
        except services.KeyReused as error:
            raise KeyReused(str(error)) from error
        if len(sent["image"]) == 1 and isinstance(first := submission.entries[0], services.RejectedPicture):
            # It is held for review.
            raise PictureRejected(first.message, first.code)
        context = {**self.get_serializer_context(), "batch": submission.batch}
        results = PredictionSerializer(submission.entries, many=True, context=context).data
        return Response(
            {"batch": submission.batch.pk, "results": results},
            status=status.HTTP_202_ACCEPTED,
            headers={idempotency.REPLAYED: "true"} if submission.repeated else None,
        )

    @staticmethod
    def _sent(request: Request) -> dict[str, Any]:
        # The only parser is the one for forms.
        sent_fields = cast(QueryDict, request.data)
        values: dict[str, Any] = {"image": request.FILES.getlist("image")}
        if "model" in sent_fields:
            values["model"] = sent_fields.getlist("model")
        for name in ("bars", "crop"):
            if name in sent_fields:
                values[name] = sent_fields[name]
        form = SubmissionSerializer(data=values)
        form.is_valid(raise_exception=True)
        sent: dict[str, Any] = form.validated_data
        return sent

    @extend_schema(
        operation_id="predictions_cancel",
        tags=TAG,
        summary="Cancel a prediction that waits",
        request=None,
        responses={
            200: answer(PredictionSerializer, "It is cancelled.", examples.CANCELLED),
            **errors(401, 403, 404, 409, 429, e409=("not_waiting", str(NotWaiting.default_detail))),
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        run = self.get_object()
        lifecycle.cancel(request.user, pk=run.pk)
        run.refresh_from_db(fields=["status"])
        if run.status != Job.Status.CANCELLED:
            raise NotWaiting
        return self._answer(run)

    @extend_schema(
        operation_id="predictions_retry",
        tags=TAG,
        summary="Retry a prediction that failed or was cancelled",
        description="A clean run is retried together with the covered run that it stands beside.",
        request=None,
        responses={
            200: answer(PredictionSerializer, "It waits again.", examples.WAITING),
            **errors(401, 403, 404, 409, 410, 429, e409=("nothing_to_retry", str(NotEnded.default_detail))),
        },
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        run = self.get_object()
        if run.status not in (Job.Status.FAILED, Job.Status.CANCELLED):
            raise NotEnded
        if run.upload.expired:
            raise PictureExpired
        lifecycle.retry(request.user, **({"pk": run.pk} if run.asked else {"clean_run": run.pk}))
        return self._answer(run)

    # --- what its owner makes of it -------------------------------------------------------------------------

    @extend_schema(
        operation_id="predictions_partial_update",
        tags=TAG,
        summary="Rename, note, star",
        request=ChangeSerializer,
        examples=[
            request_example(
                {"filename": "leopard.jpg", "note": "Only the spots are visible.", "starred": True}
            )
        ],
        responses={
            200: answer(PredictionSerializer, "The prediction as it stands now.", examples.CHANGED),
            **errors(400, 401, 403, 404, 413, 415, 429),
        },
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        run = self.get_object()
        form = ChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        with transaction.atomic():
            if "filename" in sent:
                lifecycle.rename(request.user, run.upload, sent["filename"])
            if "note" in sent:
                lifecycle.annotate(request.user, run.pk, sent["note"])
            if "starred" in sent:
                lifecycle.mark(request.user, [run.pk], starred=sent["starred"])
        return self._answer(run)

    def perform_destroy(self, run: Prediction) -> None:
        lifecycle.delete(self.request.user, [run.pk])

    @extend_schema(
        operation_id="predictions_delete_many",
        tags=TAG,
        summary="Delete many predictions",
        description="Ids of what is not there, or not yours, are passed over. `undo` takes it back for ten seconds.",
        request=IdsSerializer,
        examples=[request_example({"ids": [examples.RUN, examples.OTHER_RUN]})],
        responses={
            200: answer(
                DeletedSerializer,
                "They are deleted.",
                {"deleted": [examples.RUN, examples.OTHER_RUN], "seconds": 10},
            ),
            **errors(400, 401, 403, 413, 415, 429),
        },
    )
    @action(detail=False, methods=["post"], url_path="delete", url_name="delete-many", filterset_class=None)
    def delete_many(self, request: Request) -> Response:
        deleted = lifecycle.delete(request.user, self._ids(request))
        return Response({"deleted": deleted, "seconds": int(UNDO.total_seconds())})

    @extend_schema(
        operation_id="predictions_undo",
        tags=TAG,
        summary="Bring back what was just deleted",
        request=IdsSerializer,
        examples=[request_example({"ids": [examples.RUN, examples.OTHER_RUN]})],
        responses={
            200: answer(RestoredSerializer, "So many came back; 0 when it was too late.", {"restored": 2}),
            **errors(400, 401, 403, 413, 415, 429),
        },
    )
    @action(detail=False, methods=["post"], filterset_class=None)
    def undo(self, request: Request) -> Response:
        return Response({"restored": lifecycle.undo(request.user, self._ids(request))})

    @staticmethod
    def _ids(request: Request) -> list[Any]:
        form = IdsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids: list[Any] = form.validated_data["ids"]
        return ids
