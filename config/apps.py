"""The project's own two app configurations: its admin site, and `config` itself (dashboard, composed pages)."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class BancaleAdminConfig(AdminConfig):
    default_site = "config.site.BancaleAdminSite"


class BancaleConfig(AppConfig):
    name = "config"
    verbose_name = _("Bancale")
