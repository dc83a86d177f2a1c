"""Sales channels as those who claim stock: what the stock room's pages compose their last rows from."""

from collections.abc import Sequence

from config.kernel.admin import admin_url
from inventory.claimants import Claimant
from orders.models import SalesChannel


def channel_claimants() -> Sequence[Claimant]:
    """Active sales channels with the priority that their orders have in line; one statement."""
    return [
        Claimant(row.code, row.name, row.priority, admin_url(SalesChannel, "change", row.pk))
        for row in SalesChannel.objects.filter(is_active=True).order_by("-priority", "name")
    ]
