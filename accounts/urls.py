from django.urls import path

from accounts import data_views, session_views, views

app_name = "accounts"

urlpatterns = [
    path("", views.account, name="account"),
    path("tokens/", views.make_token, name="make-token"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke-token"),
    path("sessions/<int:pk>/end/", session_views.end_session, name="end-session"),
    path("export/", data_views.export, name="export"),
    path("export/<uuid:pk>/", data_views.export_file, name="export-file"),
    path("delete/", data_views.delete, name="delete"),
    path("keep/", data_views.keep, name="keep"),
    path("guest/keep/", views.keep_guest, name="keep-guest"),
    path("guest/refuse/", views.refuse_guest, name="refuse-guest"),
]
