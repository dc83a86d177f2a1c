"""What may be pressed has changed, so that a page that shows the order from before is stale."""

from collections.abc import Collection, Sequence

from django.db.models import F

from config.kernel.fastpath import set_in_rows
from orders.models import Order


def count_up(order_ids: Collection[int]) -> None:
    """Add one to the version of locked orders: one statement, none for nobody."""
    if order_ids:
        Order.objects.filter(pk__in=order_ids).update(version=F("version") + 1)


def count_up_once(orders: Sequence[Order], versions: Collection[tuple[int, int]]) -> None:
    """Let the versions of locked orders, whatever was written of them since, be one more than `versions` by id."""
    values = {pk: (version + 1,) for pk, version in versions}
    set_in_rows(Order, ("version",), values)
    for order in orders:
        order.version = values[order.pk][0]
