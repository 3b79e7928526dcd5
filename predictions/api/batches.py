"""The API of batches: what one POST asked for, as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors, or_empty, request_example
from predictions import batch_files, lifecycle
from predictions.api import examples
from predictions.api.batch_serializers import (
    BatchDetailSerializer,
    BatchRowSerializer,
    CancelledSerializer,
    RetriedSerializer,
    TruthsSerializer,
    detail,
    outlines,
)
from predictions.api.pagination import Pages
from predictions.api.problems import QuotasTold
from predictions.batch_table import BatchTable, table_of
from predictions.models import Batch, Prediction

TAG = ["batches"]
FORM = OpenApiParameter("form", or_empty(type="string", enum=["all", "labels"], default="all"))
MODEL = OpenApiParameter(
    "model", str, description="With `form=labels`: of which network. Needed where the batch has several."
)


class BatchViewSet(QuotasTold, GenericViewSet):
    """What your POSTs asked for."""

    queryset = Batch.objects.none()
    serializer_class = BatchRowSerializer
    pagination_class = Pages
    parser_classes = [JSONParser]
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Batch]:
        """One's own batches of which something is left; without one picture taken there is the list of refusals."""
        if getattr(self, "swagger_fake_view", False):
            return Batch.objects.none()
        runs = Prediction.objects.filter(batch=OuterRef("pk"))
        refusals = ~Q(rejected=[]) & ~Q(Exists(runs.exclude(upload__held=True)))
        own: QuerySet[Batch] = Batch.objects.filter(owner_id=self.request.user.pk)
        return own.filter(Q(Exists(runs.visible().filter(asked=True))) | refusals)

    def rows(self, ids: Iterable[Any]) -> dict[Any, Batch]:
        return Batch.objects.in_bulk(list(ids))

    def get_throttles(self) -> list[Any]:
        self.throttle_scope = "predict" if self.action == "retry" else None
        return super().get_throttles()

    def _table(self, pk: Any, *, top5: bool = False) -> BatchTable:
        table = table_of(self.request.user, pk, top5=top5)
        if table is None:
            raise NotFound(
                _("There is no batch here. It may have been deleted, or the address may be wrong.")
            )
        return table

    @extend_schema(
        operation_id="batches_list",
        tags=TAG,
        summary="Your batches, newest first",
        responses={
            200: answer(BatchRowSerializer(many=True), "A page of them.", examples.BATCH_ROW),
            **errors(400, 401, 404, 429, e404=("not_found", "Invalid cursor")),
        },
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {**self.get_serializer_context(), "outlines": outlines(page)}
        return self.get_paginated_response(BatchRowSerializer(page, many=True, context=context).data)

    @extend_schema(
        operation_id="batches_retrieve",
        tags=TAG,
        summary="One batch: counts, agreement, estimate, accuracy",
        responses={
            200: answer(BatchDetailSerializer, "The batch as it stands now.", examples.BATCH_DETAIL),
            **errors(401, 404, 429, e404=examples.NO_BATCH),
        },
    )
    def retrieve(self, request: Request, pk: Any = None) -> Response:
        return Response(detail(self._table(pk), request))

    @extend_schema(
        operation_id="batches_destroy",
        tags=TAG,
        summary="Delete a batch with its predictions",
        description="`predictions/undo/` brings predictions back for ten seconds.",
        responses={204: answer(None, "It is deleted."), **errors(401, 403, 404, 429, e404=examples.NO_BATCH)},
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        table = self._table(pk)
        if table.runs:
            lifecycle.delete(request.user, [run.pk for run in table.runs])
        else:
            # Nothing was taken: there is only the list of refusals.
            Batch.objects.filter(pk=table.batch.pk, predictions__isnull=True).delete()
        return Response(status=204)

    @extend_schema(
        operation_id="batches_cancel",
        tags=TAG,
        summary="Cancel what still waits",
        request=None,
        responses={
            200: answer(
                CancelledSerializer, "So many were cancelled; 0 when nothing waits.", {"cancelled": 12}
            ),
            **errors(401, 403, 404, 429, e404=examples.NO_BATCH),
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any = None) -> Response:
        batch = self._table(pk).batch
        return Response({"cancelled": lifecycle.cancel(request.user, batch=batch)})

    @extend_schema(
        operation_id="batches_retry",
        tags=TAG,
        summary="Retry what failed or was cancelled",
        request=None,
        responses={
            200: answer(RetriedSerializer, "So many wait again; 0 when nothing failed.", {"retried": 1}),
            **errors(401, 403, 404, 429, e404=examples.NO_BATCH),
        },
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        batch = self._table(pk).batch
        return Response({"retried": lifecycle.retry(request.user, batch=batch)})

    @extend_schema(
        operation_id="batches_truths",
        tags=TAG,
        summary="Say what is on the pictures",
        description=(
            "Replaces the true labels of the batch; from then on it has an accuracy and a confusion matrix. Nothing is "
            "kept when a name or a class is not known."
        ),
        request=TruthsSerializer,
        examples=[request_example({"truths": {"cat.jpg": "leopard", examples.PICTURE: "tiger"}})],
        responses={
            200: answer(BatchDetailSerializer, "The batch as it stands now.", examples.BATCH_DETAIL),
            **errors(400, 401, 403, 404, 413, 415, 429, e404=examples.NO_BATCH),
        },
    )
    @action(detail=True, methods=["put"])
    def truths(self, request: Request, pk: Any = None) -> Response:
        table = self._table(pk)
        form = TruthsSerializer(data=request.data, context={"table": table})
        form.is_valid(raise_exception=True)
        Batch.objects.filter(pk=table.batch.pk).update(truths=form.validated_data["truths"])
        return Response(detail(self._table(pk), request))

    # --- files ----------------------------------------------------------------------------------------------

    @extend_schema(
        operation_id="batches_results_csv",
        tags=TAG,
        summary="All answers as CSV",
        description=(
            "A picture a row with the five answers of each network, or with `form=labels` `file name,label` of one "
            "network. Cells that a spreadsheet would take for formulas begin with an apostrophe."
        ),
        parameters=[FORM, MODEL],
        responses={
            (200, "text/csv"): answer(OpenApiTypes.STR, "The file.", examples.RESULTS_CSV),
            **errors(400, 401, 404, 429, e404=examples.NO_BATCH),
        },
    )
    def results_csv(self, request: Request, pk: Any = None) -> HttpResponseBase:
        table = self._table(pk, top5=True)
        if self._form(request) == "all":
            return batch_files.all_csv(table)
        names = [network.pk for network in table.networks]
        wanted = request.query_params.get("model") or (names[0] if len(names) == 1 else "")
        if wanted not in names:
            sentence = _("Say of which network. This batch has: %(names)s.")
            raise serializers.ValidationError(
                {"model": [sentence % {"names": ", ".join(names) or _("none")}]}
            )
        return batch_files.labels_csv(table, wanted)

    @extend_schema(
        operation_id="batches_results_json",
        tags=TAG,
        summary="All answers as JSON",
        description="Everything that the batch's page shows, or with `form=labels` network -> {file name: label}.",
        parameters=[FORM],
        responses={
            200: answer(OpenApiTypes.OBJECT, "The file.", examples.RESULTS_JSON),
            **errors(400, 401, 404, 429, e404=examples.NO_BATCH),
        },
    )
    def results_json(self, request: Request, pk: Any = None) -> HttpResponseBase:
        table = self._table(pk, top5=True)
        return batch_files.all_json(table) if self._form(request) == "all" else batch_files.labels_json(table)

    @staticmethod
    def _form(request: Request) -> str:
        form = request.query_params.get("form") or "all"
        if form not in ("all", "labels"):
            raise serializers.ValidationError({"form": [_("Choose “all” or “labels”.")]})
        return form
