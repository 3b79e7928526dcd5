"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import languages
from classifier_site import health, legal
from learn.views import home

admin.site.site_header = admin.site.site_title = "Convoscope"

handler400 = "classifier_site.errors.bad_request"
handler403 = "classifier_site.errors.permission_denied"
handler404 = "classifier_site.errors.page_not_found"
handler500 = "classifier_site.errors.server_error"


def favicon(request: HttpRequest) -> HttpResponse:
    """For pages that name no icon, such as the admin's."""
    return redirect(static("img/favicon.svg"))


api_v1 = [
    path("", include("predictions.api.urls")),
    path("", include("learn.api.urls")),
    path("", include("accounts.api_urls")),
]

urlpatterns = [
    path("", home, name="home"),
    path("favicon.ico", favicon),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("language/", languages.choose, name="choose-language"),
    path("privacy/", legal.privacy, name="privacy"),
    path("terms/", legal.terms, name="terms"),
    path("account/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("learn/", include("learn.urls")),
    path("api/v1/", include(api_v1)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("admin/operations/", include("predictions.operations_urls")),
    path("admin/", admin.site.urls),
    path("", include("predictions.urls")),
]
