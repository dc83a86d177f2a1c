"""What this room hears of through the outbox."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, Suppressed, subscribe
from config.kernel.results import Results
from fulfillment.selectors.work import live_work
from fulfillment.services.cancelling import cancel_fulfillment_orders
from orders.models import Order

ORDER_CANCELLED = "order.cancelled"
CALL_BACK = "fulfillment.call_back"


def register() -> None:
    """Subscribe; called once from `AppConfig.ready()`."""
    subscribe(CALL_BACK, [ORDER_CANCELLED], call_work_back)


def call_work_back(owed: Sequence[Owed]) -> Results[int]:
    """Cancel the live fulfillment orders of orders that are closed; a second delivery finds none."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    order_ids = [one.subject_id for one in owed]
    closed = {order.pk for order in Order.objects.filter(pk__in=order_ids) if order.is_closed}
    work = live_work(closed)
    wanted = [pk for ids in work.values() for pk in ids]
    answers = in_batches(cancel_fulfillment_orders, wanted, actor=Actor.system("order cancelled"))
    for one in owed:
        refused = [answers.refusals[pk] for pk in work.get(one.subject_id, []) if pk in answers.refusals]
        if one.subject_id not in closed:
            results.refuse(one.delivery_id, Suppressed("the order is open"))
        elif refused:
            results.refuse(one.delivery_id, refused[0])
        elif one.subject_id in work:
            results.done(one.delivery_id)
        else:
            results.unchanged(one.delivery_id)
    return results
