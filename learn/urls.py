"""Addresses of the explainers; the home page is routed by the site."""

from __future__ import annotations

from django.urls import path

from learn import views

app_name = "learn"

urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:slug>/", views.page, name="page"),
]
