"""What this room hears of through the outbox."""

from collections import defaultdict
from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, Suppressed, subscribe
from config.kernel.results import Results
from fulfillment.models import Parcel
from fulfillment.selectors.told import parcel_sets
from fulfillment.selectors.work import asked_work, live_work, short_work
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.shipping import PARCEL_SHIPPED
from fulfillment.services.tracking import PARCEL_DELIVERED
from orders.enums import MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import LinePart
from orders.parcels_told import register_parcel_sets
from orders.services.cancelling import CANCELLED, REST_CANCELLED
from orders.services.mailing import send_mails
from orders.warehouse import register_asked_work

CALLED_OFF = (CANCELLED, REST_CANCELLED)
CALL_BACK = "fulfillment.call_back"


def register() -> None:
    """Subscribe, and say what the warehouse is asked for and has sent; called once from `AppConfig.ready()`."""
    subscribe(CALL_BACK, CALLED_OFF, call_work_back)
    subscribe(SUBSCRIBERS[MailKind.SHIPPED], [PARCEL_SHIPPED], send_mails, lane="mail")
    subscribe(SUBSCRIBERS[MailKind.DELIVERED], [PARCEL_DELIVERED], send_mails, lane="mail")
    register_asked_work(asked_work)
    register_parcel_sets(parcel_sets, Parcel.objects.all)


def call_work_back(owed: Sequence[Owed]) -> Results[int]:
    """Cancel the work that asks for units which cancelled orders gave back; a second delivery finds none.

    By then an order may have new goods, or units of the same line: what asks for no more than is reserved stays.
    """
    results: Results[int] = Results(one.delivery_id for one in owed)
    order_ids = [one.subject_id for one in owed]
    parts = LinePart.objects.filter(line__order__in=order_ids).values_list("pk", flat=True)
    work: dict[int, list[int]] = defaultdict(list)
    for short in short_work(parts):
        work[short.order_id].append(short.pk)
    wanted = [pk for ids in work.values() for pk in ids]
    answers = in_batches(cancel_fulfillment_orders, wanted, actor=Actor.system("order cancelled"))
    working = live_work(order_ids)
    for one in owed:
        refused = [answers.refusals[pk] for pk in work.get(one.subject_id, []) if pk in answers.refusals]
        if refused:
            results.refuse(one.delivery_id, refused[0])
        elif one.subject_id in work:
            results.done(one.delivery_id)
        elif one.subject_id in working:
            results.refuse(one.delivery_id, Suppressed("the order has goods left to ship"))
        else:
            results.unchanged(one.delivery_id)
    return results
