from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = _("Stock")

    def ready(self) -> None:
        from config.kernel.jobs import register_job
        from inventory import (  # noqa: F401  (each registers its own)
            alert_invariants,
            document_invariants,
            exports,
            invariants,
            queue_invariants,
            states,
            subscribers,
        )
        from inventory.selectors import sight  # noqa: F401  (declares who sees what)
        from inventory.services.health import CHECK_JOB, check_stock

        subscribers.register()
        register_job(CHECK_JOB, check_stock)
        exports.register()
