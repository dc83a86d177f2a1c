from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders import invariants, states, subscribers  # noqa: F401  (registers checks and machines)

        subscribers.register()
