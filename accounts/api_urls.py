from django.urls import path

from accounts.api import TokenView

app_name = "accounts_api"

urlpatterns = [path("token/", TokenView.as_view(), name="token")]
