"""The project's own two app configurations: its admin site, and `config` itself (dashboard, composed pages)."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BancaleAdminConfig(AdminConfig):
    default_site = "config.site.BancaleAdminSite"


class BancaleConfig(AppConfig):
    name = "config"
    verbose_name = _("Bancale")

    def ready(self) -> None:
        from axes.signals import user_locked_out
        from django.contrib.auth.signals import user_logged_in

        from config import (
            celery,  # noqa: F401  (else messages go to Celery's default app, which speaks AMQP)
            dashboard,
            queues,
        )
        from config.access import lockout, sessions, words  # noqa: F401  (words describe its events)
        from config.claimants import channel_claimants
        from config.kernel.admin.list_links import register_list_links
        from config.plain_sheets import catalogue, stock
        from config.plain_sheets.pages import links_of
        from config.roles import ensure_roles
        from inventory.claimants import register_claimants

        dashboard.register(queues.queue_tiles)
        user_logged_in.connect(sessions.begin, dispatch_uid="bancale")
        user_locked_out.connect(lockout.note_lockout, dispatch_uid="bancale")
        register_claimants(channel_claimants)
        catalogue.register()
        stock.register()
        register_list_links(links_of)

        # Told of the last app that is migrated: by then every other one's permissions are there.
        last = [app for app in apps.get_app_configs() if app.models_module is not None][-1]
        post_migrate.connect(ensure_roles, sender=last)
