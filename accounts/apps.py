from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate, pre_save
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added
        from allauth.usersessions.models import UserSession

        from accounts import moderators, personal, registry, second_factor, sessions
        from accounts.guests import merge_at_login

        registry.register_exporter("account", personal.export)
        registry.register_eraser("account", personal.erase)
        user_logged_in.connect(merge_at_login, dispatch_uid="accounts.guests")
        user_logged_in.connect(sessions.note_login, dispatch_uid="accounts.sessions")
        user_logged_out.connect(sessions.note_logout, dispatch_uid="accounts.sessions")
        pre_save.connect(sessions.shorten, sender=UserSession, dispatch_uid="accounts.sessions")
        authenticator_added.connect(second_factor.log_out_elsewhere, dispatch_uid="accounts.second_factor")
        moderators.register_permissions(
            "accounts.view_user", "accounts.suspend_user", "accounts.view_moderationentry"
        )
        post_migrate.connect(moderators.make_group, dispatch_uid="accounts.moderators")
        # allauth calls its own app "Accounts" too; in the admin site it holds nothing but addresses.
        apps.get_app_config("account").verbose_name = _("E-mail addresses")


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with this site's login."""

    default = False  # for "accounts"; the settings name this one
    default_site = "accounts.admin_site.AdminSite"

    def ready(self) -> None:
        super().ready()
        from accounts import security_admin

        security_admin.register()
