from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    verbose_name = _("Channels")

    def ready(self) -> None:
        from channels.adapters import ADAPTERS
        from channels.services.intake import read_raw_orders
        from orders.rereading import register_rereader

        register_rereader([kind.value for kind in ADAPTERS], read_raw_orders)
