from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from inventory.owners import register_owner
        from inventory.uses import register_uses
        from orders import exports, imports, invariants, states, subscribers  # noqa: F401  (registers checks and machines)
        from orders.selectors import sight  # noqa: F401  (declares who sees what)
        from orders.selectors.sku_use import skus_ordered
        from orders.services.stock_loss import OrderDemand

        subscribers.register()
        imports.register()
        exports.register()
        register_owner(OrderDemand.kind, OrderDemand())
        register_uses(skus_ordered)
