"""Which mails there are: the facts that ask for them, who sends them, and which words may stand in their texts."""

from collections.abc import Iterable, Mapping, Sequence

from config.kernel.outbox import NewFact
from orders.enums import NEEDS_BUYER, FulfillmentStatus, MailKind
from orders.models import Hold, Order

HOLD_NEEDS_BUYER, BACKORDERED, DELAYED = "order.hold_needs_buyer", "order.backordered", "order.delayed"
CALLED_OFF, UNITS_CALLED_OFF = "order.called_off", "order.units_called_off"
# A mail that a person sends once more is no kind of its own.
AGAIN, AGAIN_MAIL = "order.mail_again", "orders.again_mail"

SUBSCRIBERS = {kind: f"orders.{kind.value}_mail" for kind in MailKind}
KINDS = {name: kind for kind, name in SUBSCRIBERS.items()}

_ALWAYS = ("greeting", "buyer_name", "order_number", "order_date", "order_total", "shop_name", "company_name")
_PARCELS = ("items", "carrier", "tracking_number", "ship_to")
PLACEHOLDERS = {
    MailKind.CONFIRMATION: (*_ALWAYS, "dispatch_day", "ship_to", "order_summary"),
    MailKind.HOLD: (*_ALWAYS, "ship_to"),
    MailKind.BACKORDER: (*_ALWAYS, "items", "dispatch_day"),
    MailKind.DELAY: (*_ALWAYS, "dispatch_day", "order_summary"),
    MailKind.CANCELLATION: (*_ALWAYS, "order_summary"),
    MailKind.PART_CANCELLATION: (*_ALWAYS, "items"),
    MailKind.SHIPPED: (*_ALWAYS, *_PARCELS),
    MailKind.DELIVERED: (*_ALWAYS, *_PARCELS),
}


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
