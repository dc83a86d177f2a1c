"""What cancelled units were worth, taken off what their orders cost."""

from collections.abc import Mapping, Sequence

from config.kernel.actors import Actor
from orders.enums import HoldKind
from orders.models import LinePart, Order
from orders.selectors.cancelled import cancelled_values
from orders.selectors.holds import open_holds
from orders.services.holds import lift


def settle_cancelled(orders: Sequence[Order], parts_of: Mapping[int, Sequence[LinePart]]) -> None:
    """Write what is owed no more for the cancelled units of locked orders that go on. The caller refreshes the axes.

    `parts_of` are all parts by order, each with its line as it is stored. One read of taxes where prices are
    without them, and one UPDATE of the orders whose figure moves.
    """
    values = cancelled_values({order: parts_of.get(order.pk, ()) for order in orders})
    moved = [order for order in orders if values[order.pk] != order.cancelled_amount]
    for order in moved:
        order.cancelled_amount = values[order.pk]
    Order.objects.bulk_update(moved, ["cancelled_amount"])


def ask_for_no_money(orders: Sequence[Order], *, actor: Actor) -> None:
    """Lift the unpaid hold of locked orders that cost nothing any more; no statement where all cost something."""
    free = [order.pk for order in orders if order.is_free]
    holds = [hold for some in open_holds(free).values() for hold in some] if free else []
    lift([hold for hold in holds if hold.kind == HoldKind.UNPAID], actor=actor)
