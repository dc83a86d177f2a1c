"""Handing orders over to the warehouse: one fulfillment order a location."""

from collections.abc import Mapping, Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import BancaleError, NotFound
from config.kernel.events import record_events
from config.kernel.numbering import next_numbers
from config.kernel.results import Results
from config.kernel.states import apply_transition
from fulfillment.enums import FulfillmentOrderStatus
from fulfillment.errors import NoAddress, NothingToRelease, NotReleasable, OrderHeld
from fulfillment.models import FulfillmentOrder, FulfillmentOrderLine
from fulfillment.selectors.work import live_work, uncovered_units
from fulfillment.services.asking import count_asked
from fulfillment.states import FULFILLMENT_ORDER, RELEASE
from inventory.errors import LocationClosed
from orders.enums import OrderStatus, Step
from orders.errors import OrderIsTest
from orders.models import Hold, Order
from orders.selectors.holds import open_holds, refusing
from orders.services.locking import lock_orders

Wanted = Mapping[int, Mapping[int, int]]


@verb
def release_orders(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Ask the locations for the units they have reserved: one fulfillment order an order and location, released.

    At most 200 ids. Locks the orders by ascending pk. The value is the list of the order's live fulfillment
    orders. Only reserved units that no live fulfillment order asks for yet are asked, so a second call comes
    back `unchanged`, and units that were filled meanwhile make a further fulfillment order. The address is kept
    as it stands now.

    Refuses: `NotFound`; `NotReleasable` unless the order is confirmed; `OrderIsTest`; `OrderHeld`;
    `NothingToRelease`; `LocationClosed` where units are reserved at a location that is not active; `NoAddress`.
    """
    actor.require(RELEASE.permission)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = {order.pk: order for order in lock_orders(order_ids, actor=actor)}
        holds = open_holds(order_ids)
        uncovered = uncovered_units(order_ids)
        wanted = uncovered.units
        work = live_work(order_ids)
        for pk in results.keys:
            order = orders.get(pk)
            problem = NotFound() if order is None else refusal(order, holds.get(pk, []))
            if problem is None and pk not in wanted and pk in work:
                results.unchanged(pk, work[pk])
            elif problem is not None or order is None:
                results.refuse(pk, problem or NotFound())
            elif pk not in wanted:
                results.refuse(pk, NothingToRelease(number=order.number))
            elif closed := uncovered.closed_of(pk):
                results.refuse(pk, LocationClosed(location=closed))
            elif order.ship_to_id is None:
                results.refuse(pk, NoAddress(number=order.number))
        chosen = {pk: wanted[pk] for pk in results.open_ids}
        for created in _create([orders[pk] for pk in chosen], chosen, actor=actor):
            work[created.order_id].append(created.pk)
        for pk in chosen:
            results.done(pk, work[pk])
    return results


def refusal(order: Order, holds: Sequence[Hold]) -> BancaleError | None:
    """Why an order may not be handed to the warehouse now, or None; no query."""
    if order.status != OrderStatus.CONFIRMED:
        return NotReleasable(number=order.number, status=order.get_status_display())
    if order.is_test:
        return OrderIsTest(number=order.number)
    return held(order, holds, Step.RELEASE)


def held(order: Order, holds: Sequence[Hold], step: Step) -> OrderHeld | None:
    """The refusal of a step by the order's open holds, or None; no query."""
    stopping = refusing(holds, step)
    if not stopping:
        return None
    names = ", ".join(str(hold.get_kind_display()) for hold in stopping)
    return OrderHeld(number=order.number, names=names, holds=[hold.kind for hold in stopping])


def _create(orders: Sequence[Order], wanted: Mapping[int, Wanted], *, actor: Actor) -> list[FulfillmentOrder]:
    """Write the fulfillment orders with their lines, and release them: seven statements and the numbers."""
    spots = [(order, location_id) for order in orders for location_id in sorted(wanted[order.pk])]
    if not spots:
        return []
    at = clock.now()
    numbers = next_numbers("fulfillment_order", len(spots), prefix="F-")
    created = FulfillmentOrder.objects.bulk_create(
        FulfillmentOrder(
            number=number,
            order=order,
            location_id=location_id,
            status=FulfillmentOrderStatus.OPEN,
            ship_to_id=order.ship_to_id,
            created_at=at,
        )
        for (order, location_id), number in zip(spots, numbers, strict=True)
    )
    FulfillmentOrderLine.objects.bulk_create(
        FulfillmentOrderLine(fulfillment_order=work, line_part_id=part_id, quantity=units)
        for work in created
        for part_id, units in wanted[work.order_id][work.location_id].items()
    )
    record_events([FULFILLMENT_ORDER.created_entry(work, _facts(work)) for work in created], actor=actor)
    apply_transition(
        FULFILLMENT_ORDER,
        RELEASE,
        created,
        actor=actor,
        facts={work.pk: _facts(work) for work in created},
        also={"released_at": at},
    )
    count_asked(created)
    return created


def _facts(work: FulfillmentOrder) -> dict[str, int | str]:
    return {"number": work.number, "location_id": work.location_id}
