"""Addresses of the explainers and of the laboratory; the home page is routed by the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from learn import (
    explanation_views,
    laboratory_views,
    network_views,
    own_shared_views,
    own_views,
    progress_views,
    views,
)

app_name = "learn"

explanations = [
    path("", explanation_views.ask, name="explanations"),
    path("find", explanation_views.find, name="explanation-find"),
    path("<uuid:pk>/", explanation_views.status, name="explanation"),
    path("<uuid:pk>/files/<path:name>", explanation_views.member, name="explanation-file"),
]
networks = [
    path("structure.json", network_views.structure, name="structure"),
    path("kernels/<str:layer>/<int:channel>.npy", network_views.kernel, name="kernel"),
    path("normalisations/<str:layer>.npy", network_views.normalisation, name="normalisation"),
    path("dense.npy", network_views.dense, name="dense"),
]
laboratory: list[URLPattern | URLResolver] = [
    path("", laboratory_views.index, name="laboratory"),
    path("explanations/", include(explanations)),
    path("networks/<str:network>/", include(networks)),
    path("<slug:slug>/", laboratory_views.figure, name="laboratory-figure"),
    path("<slug:slug>/lesson/", laboratory_views.in_lesson, name="laboratory-in-lesson"),
    path("<slug:slug>/embed/", laboratory_views.embed, name="laboratory-embed"),
]
own_set = [
    path("", own_views.detail, name="own-set"),
    path("state/", own_views.state, name="own-state"),
    path("change/", own_views.change, name="own-change"),
    path("train/", own_views.train, name="own-train"),
    path("delete/", own_views.delete, name="own-delete"),
    path("export.json", own_views.export, name="own-export"),
    path("share/", own_views.share, name="own-share"),
    path("withdraw/", own_views.withdraw, name="own-withdraw"),
    path("pictures/<int:picture>.png", own_views.picture, name="own-picture"),
    path("pictures/<int:picture>/remove/", own_views.remove, name="own-remove"),
]
own: list[URLPattern | URLResolver] = [
    path("", own_views.index, name="own-classes"),
    # Pictures arrive at fixed addresses: how much may be sent is known before anything is read.
    path("pictures/", own_views.add, name="own-add"),
    path("try/", own_views.attempt, name="own-try"),
    path("shared/<str:token>/", own_shared_views.shared, name="own-shared"),
    path("<uuid:pk>/", include(own_set)),
]

urlpatterns = [
    path("", views.index, name="index"),
    path("laboratory/", include(laboratory)),
    path("own-classes/", include(own)),
    path("progress/", progress_views.note, name="progress"),
    path("<slug:slug>/", views.page, name="page"),
]
