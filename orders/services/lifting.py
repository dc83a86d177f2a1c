"""Accepting an order as it is: what keeps it from being confirmed is lifted, and it is confirmed."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.results import Results
from orders.enums import HoldKind, OrderStatus, Step
from orders.errors import ImportOpen, OrderClosed
from orders.selectors.holds import open_holds, refusing
from orders.services.confirming import confirm_orders
from orders.services.holds import HOLD_ORDER, lift
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.versions import count_up
from orders.states import CONFIRM


@verb
def lift_and_confirm_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Lift the holds that refuse the confirmation of placed orders, then confirm them; both or neither.

    At most 200 ids. Locks the orders by ascending pk. Holds that refuse later steps only stay. A confirmed order
    is `unchanged`, whatever holds it. Refuses: `OrderClosed`, `IllegalTransition` for a draft, `ImportOpen` for one
    that an unfinished import brought, `NotFound`. Raises `NotAllowed` without the right to confirm or to lift holds.
    """
    actor.require(CONFIRM.permission)
    actor.require(HOLD_ORDER)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        for order in orders:
            if order.is_closed:
                results.refuse(order.pk, OrderClosed(order.number, order.status))
            elif order.status == OrderStatus.CONFIRMED:
                results.unchanged(order.pk)
            elif (problem := CONFIRM.refusal(order.status)) is not None:
                results.refuse(order.pk, problem)
        numbers = {order.pk: order.number for order in orders}
        for order_id, holds in open_holds(results.open_ids).items():
            if any(hold.kind == HoldKind.IMPORT for hold in holds):
                results.refuse(order_id, ImportOpen(number=numbers[order_id]))
        chosen = results.open_ids
        held = open_holds(chosen)
        refused = [hold for pk in chosen for hold in refusing(held.get(pk, ()), Step.CONFIRM)]
        lift(refused, actor=actor)
        count_up({hold.order_id for hold in refused})
        confirmed = confirm_orders(chosen, actor=actor)
        confirmed.raise_refusals()
        results.absorb(confirmed)
    return results
