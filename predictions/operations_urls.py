"""The operations page. It stands before the admin's own addresses, which are made from its registry of models."""

from __future__ import annotations

from django.urls import path

from predictions import operations_admin

app_name = "operations"

urlpatterns = [
    path("", operations_admin.page, name="page"),
    path("now/", operations_admin.now, name="now"),
    path("retry/", operations_admin.retry, name="retry"),
]
