"""Which mails there are: the facts that ask for them, and who sends them."""

from collections.abc import Iterable, Mapping, Sequence

from config.kernel.outbox import NewFact
from orders.enums import NEEDS_BUYER, FulfillmentStatus, MailKind
from orders.models import Hold, Order

HOLD_NEEDS_BUYER, BACKORDERED, DELAYED = "order.hold_needs_buyer", "order.backordered", "order.delayed"
CALLED_OFF, UNITS_CALLED_OFF = "order.called_off", "order.units_called_off"
# A mail that a person sends once more is no kind of its own.
AGAIN, AGAIN_MAIL = "order.mail_again", "orders.again_mail"

SUBSCRIBERS = {kind: f"orders.{kind.value}_mail" for kind in MailKind}
MAILS = (*SUBSCRIBERS.values(), AGAIN_MAIL)
KINDS = {name: kind for kind, name in SUBSCRIBERS.items()}


def hold_facts(holds: Iterable[Hold]) -> list[NewFact]:
    """The facts by which buyers hear of holds that only they can mend; the holds are written."""
    return [
        NewFact(HOLD_NEEDS_BUYER, ("order", hold.order_id), {"hold": hold.pk})
        for hold in holds
        if hold.kind in NEEDS_BUYER
    ]


def news_of(orders: Iterable[Order], held: Mapping[int, Sequence[Hold]]) -> list[NewFact]:
    """The facts by which buyers hear how their orders stand; `held` are the open holds. A second mail is never sent."""
    orders = list(orders)
    waiting = [order for order in orders if order.fulfillment_status == FulfillmentStatus.BACKORDERED]
    return hold_facts(hold for order in orders for hold in held.get(order.pk, ())) + [
        NewFact(BACKORDERED, ("order", order.pk)) for order in waiting
    ]
