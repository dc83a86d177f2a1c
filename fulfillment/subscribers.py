"""What this room hears of through the outbox."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, Suppressed, subscribe
from config.kernel.results import Results
from fulfillment.models import Parcel
from fulfillment.selectors.told import parcel_sets
from fulfillment.selectors.work import asked_work, live_work
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.shipping import PARCEL_SHIPPED
from fulfillment.services.tracking import PARCEL_DELIVERED
from orders.enums import FulfillmentStatus, MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import Order
from orders.parcels_told import register_parcel_sets
from orders.services.cancelling import CANCELLED, REST_CANCELLED
from orders.services.mailing import send_mails
from orders.warehouse import register_asked_work

CALLED_OFF = (CANCELLED, REST_CANCELLED)
NOTHING_LEFT = frozenset(
    {FulfillmentStatus.NOTHING_TO_SHIP, FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED}
)
CALL_BACK = "fulfillment.call_back"


def register() -> None:
    """Subscribe, and say what the warehouse is asked for and has sent; called once from `AppConfig.ready()`."""
    subscribe(CALL_BACK, CALLED_OFF, call_work_back)
    subscribe(SUBSCRIBERS[MailKind.SHIPPED], [PARCEL_SHIPPED], send_mails, lane="mail")
    subscribe(SUBSCRIBERS[MailKind.DELIVERED], [PARCEL_DELIVERED], send_mails, lane="mail")
    register_asked_work(asked_work)
    register_parcel_sets(parcel_sets, Parcel.objects.all)


def call_work_back(owed: Sequence[Owed]) -> Results[int]:
    """Cancel the live fulfillment orders of orders that have nothing left to ship; a second delivery finds none."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    order_ids = [one.subject_id for one in owed]
    closed = {
        order.pk
        for order in Order.objects.filter(pk__in=order_ids)
        if order.is_closed or order.fulfillment_status in NOTHING_LEFT
    }
    work = live_work(closed)
    wanted = [pk for ids in work.values() for pk in ids]
    answers = in_batches(cancel_fulfillment_orders, wanted, actor=Actor.system("order cancelled"))
    for one in owed:
        refused = [answers.refusals[pk] for pk in work.get(one.subject_id, []) if pk in answers.refusals]
        if one.subject_id not in closed:
            results.refuse(one.delivery_id, Suppressed("the order has goods left to ship"))
        elif refused:
            results.refuse(one.delivery_id, refused[0])
        elif one.subject_id in work:
            results.done(one.delivery_id)
        else:
            results.unchanged(one.delivery_id)
    return results
