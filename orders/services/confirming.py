"""Confirming orders: the promise to the buyer begins here."""

from collections.abc import Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import OrderStatus, Step
from orders.errors import HoldOpen, OrderClosed
from orders.selectors.holds import open_holds, refusing
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.promises import dispatch_days, promise_stock
from orders.states import CONFIRM, ORDER

READ = (
    "number", "status", "version", "sales_channel", "legal_entity", "dispatch_by_on", "fulfillment_status",
)  # fmt: skip


@verb
def confirm_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Confirm placed orders and state when they will leave; mail and acknowledgement become due by
    the fact `order.confirmed`.

    At most 200 ids. Locks the orders by ascending pk. A confirmed order is `unchanged`. The dispatch day is the
    channel's working days from today in the legal entity's zone; stock that they have or wait for is promised
    for it from now on.

    Refuses: `HoldOpen` with the holds, `OrderClosed`, `IllegalTransition` for a draft, `NotFound`. Raises
    `NotAllowed`.
    """
    actor.require(CONFIRM.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, columns=READ, actor=actor)
        held = open_holds(order_ids)
        refuse_unknown(results, orders)
        for order in orders:
            refusals = refusing(held.get(order.pk, ()), Step.CONFIRM)
            if order.is_closed:
                results.refuse(order.pk, OrderClosed(order.number, order.status))
            elif order.status == OrderStatus.CONFIRMED:
                results.unchanged(order.pk)
            elif (problem := CONFIRM.refusal(order.status)) is not None:
                results.refuse(order.pk, problem)
            elif refusals:
                results.refuse(order.pk, HoldOpen(Step.CONFIRM, [hold.kind for hold in refusals]))
            else:
                results.done(order.pk)
        chosen = [order for order in orders if results.is_done(order.pk)]
        also = {"confirmed_at": clock.now(), "dispatch_by_on": dispatch_days(chosen)}
        apply_transition(ORDER, CONFIRM, chosen, actor=actor, also=also)
        promise_stock(chosen)
        record_facts([NewFact("order.confirmed", ("order", order.pk)) for order in chosen])
    return results
