"""Orders of channels that confirm by themselves: as soon as no hold refuses it."""

from collections.abc import Iterable, Mapping, Sequence

from config.kernel.actors import Actor
from config.kernel.outbox import NewFact, record_facts
from orders.enums import OrderStatus, Step
from orders.models import Hold, Order
from orders.selectors.holds import refusing

CONFIRMABLE = "order.confirmable"
CONFIRMER = Actor.rule("auto-confirm")


def confirmable_facts(orders: Iterable[Order], held: Mapping[int, Sequence[Hold]]) -> list[NewFact]:
    """The fact that a rule may confirm, for placed orders whose channel wants it and that no open hold refuses."""
    return [
        NewFact(CONFIRMABLE, ("order", order.pk))
        for order in orders
        if order.sales_channel.auto_confirm
        and order.status == OrderStatus.PLACED
        and not refusing(held.get(order.pk, ()), Step.CONFIRM)
    ]


def record_confirmable(orders: Iterable[Order], held: Mapping[int, Sequence[Hold]]) -> None:
    """Record that fact for locked orders; `held` are the holds that are open now."""
    if facts := confirmable_facts(orders, held):
        record_facts(facts)
