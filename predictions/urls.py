"""Addresses of predictions."""

from __future__ import annotations

from django.urls import path

from predictions import history_views, views

app_name = "predictions"
urlpatterns = [
    path("predict/", views.predict, name="predict"),
    path("predict/draft/", views.draft, name="draft"),
    path("predictions/delete/", history_views.delete, name="delete"),
    path("predictions/undo/", history_views.undo, name="undo"),
    path("predictions/<uuid:pk>/", views.detail, name="detail"),
    path("predictions/<uuid:pk>/status/", views.status, name="status"),
    path("predictions/<uuid:pk>/again/", views.ask_again, name="again"),
    path("predictions/<uuid:pk>/input.png", views.network_input, name="input"),
    path("batches/<uuid:pk>/", views.batch, name="batch"),
    path("batches/<uuid:pk>/status/", views.batch_status, name="batch-status"),
    path("history/", history_views.history, name="history"),
    path("pictures/<uuid:pk>/", views.picture, name="picture"),
]
