from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # allauth calls its own app "Accounts" too; in the admin site it holds nothing but addresses.
        apps.get_app_config("account").verbose_name = _("E-mail addresses")
