"""Promised days that have passed: noted once, so that the buyer hears of it before asking."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Exists, OuterRef

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.models import Fact
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from orders.enums import OrderStatus
from orders.mail_kinds import DELAYED
from orders.models import Order
from orders.selectors.work import late
from orders.services.locking import lock_orders, refuse_unknown
from orders.states import CONFIRM

# A promise broken longer ago is no news; nobody who begins with old orders writes to all their buyers.
NEWS_FOR = timedelta(days=7)
AT_ONCE = 2_000


def unnoted_delays() -> list[int]:
    """Confirmed orders that became late within the last days and whose buyers were not told, ascending."""
    noted = Fact.objects.filter(subject_type="order", subject_id=OuterRef("pk"), kind=DELAYED)
    rows = late(Order.objects.filter(status=OrderStatus.CONFIRMED, is_history=False))
    recent = rows.filter(dispatch_by_on__gte=clock.now().date() - NEWS_FOR)
    return list(recent.exclude(Exists(noted)).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


@verb
def note_delays(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Note that the promised day of confirmed orders has passed: the fact `order.delayed`, once an order.

    At most 200 ids. Locks the orders by ascending pk. One that is noted already, or is late no longer, is
    `unchanged`. Refuses: `NotFound`. Raises `NotAllowed`.
    """
    actor.require(CONFIRM.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        noted = Fact.objects.filter(subject_type="order", subject_id__in=order_ids, kind=DELAYED)
        told = set(noted.values_list("subject_id", flat=True))
        overdue = set(late(Order.objects.filter(pk__in=order_ids)).values_list("pk", flat=True))
        for order in orders:
            if order.status == OrderStatus.CONFIRMED and order.pk in overdue - told:
                results.done(order.pk)
            else:
                results.unchanged(order.pk)
        record_facts(
            [
                NewFact(DELAYED, ("order", order.pk), {"day": order.dispatch_by_on.isoformat()})
                for order in orders
                if results.is_done(order.pk) and order.dispatch_by_on
            ]
        )
    return results
