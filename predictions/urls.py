"""Addresses of predictions."""

from __future__ import annotations

from django.urls import path

from predictions import (
    batch_views,
    comparison_views,
    history_views,
    live_views,
    mark_views,
    queue_views,
    views,
)

app_name = "predictions"
urlpatterns = [
    path("predict/", views.predict, name="predict"),
    path("predict/draft/", views.draft, name="draft"),
    path("predict/live/", live_views.ask, name="live"),
    path("predictions/delete/", history_views.delete, name="delete"),
    path("predictions/undo/", history_views.undo, name="undo"),
    path("predictions/star/", mark_views.star, name="star"),
    path("predictions/<uuid:pk>/", views.detail, name="detail"),
    path("predictions/<uuid:pk>/edit/", mark_views.edit, name="edit"),
    path("predictions/<uuid:pk>/status/", views.status, name="status"),
    path("predictions/<uuid:pk>/again/", views.ask_again, name="again"),
    path("predictions/<uuid:pk>/input.png", views.network_input, name="input"),
    path("predictions/<uuid:pk>/cancel/", queue_views.cancel, name="cancel"),
    path("batches/<uuid:pk>/", batch_views.batch, name="batch"),
    path("batches/<uuid:pk>/status/", batch_views.batch_status, name="batch-status"),
    path("batches/<uuid:pk>/results.csv", batch_views.results_csv, name="batch-csv"),
    path("batches/<uuid:pk>/results.json", batch_views.results_json, name="batch-json"),
    path("batches/<uuid:pk>/truths/", batch_views.give_truths, name="batch-truths"),
    path("batches/<uuid:pk>/cancel/", queue_views.cancel_batch, name="batch-cancel"),
    path("batches/<uuid:pk>/retry/", queue_views.retry_batch, name="batch-retry"),
    path("batches/<uuid:pk>/delete/", queue_views.delete_batch, name="batch-delete"),
    path("compare/", comparison_views.compare, name="compare"),
    path("history/", history_views.history, name="history"),
    path("history/activity/", history_views.activity, name="activity"),
    path("history/export.csv", history_views.export, name="history-csv"),
    path("pictures/<uuid:pk>/", views.picture, name="picture"),
]
