from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    name = "config.kernel"
    label = "kernel"
    verbose_name = _("System")

    def ready(self) -> None:
        from config.kernel import invariants, sight  # noqa: F401  (register their own)

        # Not by autodiscovery: our admin site itself is made of `config.kernel.admin`.
        from config.kernel.admin import export_files, jobs, outbox, records  # noqa: F401
