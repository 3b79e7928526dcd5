from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.account, name="account"),
    path("tokens/", views.make_token, name="make-token"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke-token"),
    path("guest/keep/", views.keep_guest, name="keep-guest"),
    path("guest/refuse/", views.refuse_guest, name="refuse-guest"),
]
