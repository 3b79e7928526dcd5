from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.guests import merge_at_login

        user_logged_in.connect(merge_at_login, dispatch_uid="accounts.guests")
        # allauth calls its own app "Accounts" too; in the admin site it holds nothing but addresses.
        apps.get_app_config("account").verbose_name = _("E-mail addresses")
