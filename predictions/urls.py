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
    report_views,
    share_views,
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
    path("compare/share/", share_views.share_comparison, name="share-comparison"),
    path("predictions/<uuid:pk>/share/", share_views.share_prediction, name="share"),
    path("batches/<uuid:pk>/share/", share_views.share_batch, name="share-batch"),
    path("shares/<uuid:pk>/withdraw/", share_views.withdraw, name="withdraw"),
    path("s/<str:token>/", share_views.shared, name="shared"),
    path("s/<str:token>/status/", share_views.status, name="shared-status"),
    path("s/<str:token>/pictures/<uuid:pk>/", share_views.picture, name="shared-picture"),
    path("s/<str:token>/inputs/<uuid:pk>.png", share_views.network_input, name="shared-input"),
    path("s/<str:token>/preview.png", share_views.preview, name="shared-preview"),
    path("history/", history_views.history, name="history"),
    path("history/activity/", history_views.activity, name="activity"),
    path("history/export.csv", history_views.export, name="history-csv"),
    path("pictures/<uuid:pk>/", views.picture, name="picture"),
    path("s/<str:token>/report/", report_views.report, name="report"),
    path("reports/<uuid:pk>/", report_views.status, name="report-status"),
]
