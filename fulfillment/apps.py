from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FulfillmentConfig(AppConfig):
    name = "fulfillment"
    verbose_name = _("Warehouse")

    def ready(self) -> None:
        from fulfillment import invariants, states, subscribers  # noqa: F401  (registers checks and machines)
        from fulfillment.selectors import sight  # noqa: F401  (declares who sees what)
        from fulfillment.selectors.search import orders_of_parcels
        from fulfillment.services.changed_orders import WarehouseEffects
        from fulfillment.services.stock_loss import WarehouseWork
        from inventory.owners import register_owner
        from orders.previews import register_contributor
        from orders.selectors.search import register_order_finder

        subscribers.register()
        register_owner(WarehouseWork.kind, WarehouseWork())
        register_order_finder(orders_of_parcels)
        register_contributor(WarehouseEffects())
