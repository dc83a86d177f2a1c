"""Take the Northwind book through the product's own verbs, as a live replay or as history.

Live: each order is accepted, confirmed and allocated on its day and shipped on its day, by the kernel's clock.
The orders that never left come after all that did, under their own dates, and get what then is on the shelf.
History: shipped orders enter completed, without stock or mail, the others live. Stock is received once, on the
first day: what the file has on the shelf at the end, plus (live) what left in between. Every step is a verb that
changes nothing the second time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from config.kernel import clock, outbox
from config.kernel.batches import in_batches
from config.kernel.results import Results
from config.northwind.neutral import ORDERED_AT, SHIPPED_AT, moment, neutral_order, raw_body
from config.northwind.reading import Book, BookOrder
from config.northwind.setup import ACTOR, Shop, prepare
from config.northwind.totals import GONE
from fulfillment.selectors.work import released_ids_by_order
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from inventory.services.receiving import Receipt, receive_stock
from orders.models import Order
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from orders.services.raw import RawEntry, store_raw_orders

Say = Callable[[str], None]


def load(book: Book, *, as_history: bool, say: Say) -> None:
    """Load the book; call again to finish an interrupted load. Raises the first refusal, which is a defect."""
    first = book.orders[0].ordered_on
    with clock.frozen(moment(first - timedelta(days=1), ORDERED_AT)):
        shop = prepare(book)
        _receive(book, shop, with_shipped=not as_history)
    say("stock received")
    ids: dict[int, int] = {}
    for gone in (True, False):
        orders = [order for order in book.orders if (order.shipped_on is not None) is gone]
        for day, ordered, shipped in _days(orders):
            _live_a_day(day, ordered, shipped, shop, ids, as_history=as_history and gone)
            if ordered and ordered[-1].order_id % 100 == 0:
                say(f"{len(ids)} orders, {day}")
    say(f"{len(ids)} orders loaded")


def _live_a_day(
    day: date,
    ordered: Sequence[BookOrder],
    shipped: Sequence[BookOrder],
    shop: Shop,
    ids: dict[int, int],
    *,
    as_history: bool,
) -> None:
    with clock.frozen(moment(day, ORDERED_AT)):
        ids |= _accept(ordered, shop, as_history=as_history)
        if not as_history:
            _run(confirm_orders, [ids[order.order_id] for order in ordered])
            _run(allocate_orders, [ids[order.order_id] for order in ordered])
    with clock.frozen(moment(day, SHIPPED_AT)):
        if not as_history:
            _ship(shipped, ids)
        _deliver()


def _deliver() -> None:
    """Let the outbox have its day too, so that what it owes is dated like its cause."""
    for lane in outbox.LANES:
        outbox.deliver_due(lane)


def _days(orders: Sequence[BookOrder]) -> Iterable[tuple[date, list[BookOrder], list[BookOrder]]]:
    """Each day with the orders placed and the orders shipped on it."""
    ordered, shipped = defaultdict(list), defaultdict(list)
    for order in orders:
        ordered[order.ordered_on].append(order)
        if order.shipped_on:
            shipped[order.shipped_on].append(order)
    for day in sorted({*ordered, *shipped}):
        yield day, ordered[day], shipped[day]


def _run(verb: Callable[..., Results[int]], ids: Sequence[int]) -> None:
    in_batches(verb, ids, actor=ACTOR).raise_refusals()


def _receive(book: Book, shop: Shop, *, with_shipped: bool) -> None:
    left = book.shipped_units if with_shipped else {}
    receipts = [
        Receipt(
            f"northwind:{product.product_id}", shop.sku_ids[product.product_id], shop.location_id, quantity
        )
        for product in book.products.values()
        if (quantity := product.in_stock + left.get(product.product_id, 0))
    ]
    reference = ("northwind", 1)
    in_batches(receive_stock, receipts, reference=reference, actor=ACTOR).raise_refusals()


def _accept(orders: Sequence[BookOrder], shop: Shop, *, as_history: bool) -> dict[int, int]:
    """Order pk by the book's id."""
    if not orders:
        return {}
    entries = [
        RawEntry(str(order.order_id), "northwind", str(order.order_id), raw_body(order)) for order in orders
    ]
    raw = store_raw_orders(entries, sales_channel_id=shop.channel_id)
    incoming = [
        Incoming(
            neutral_order(order, shop.names),
            raw_id=raw.values[str(order.order_id)],
            is_history=as_history,
        )
        for order in orders
    ]
    results = accept_orders(incoming, sales_channel_id=shop.channel_id, actor=ACTOR)
    results.raise_refusals()
    return {int(external_id): pk for external_id, pk in results.values.items()}


def _ship(orders: Sequence[BookOrder], ids: dict[int, int]) -> None:
    owed = set(
        Order.objects.filter(pk__in=[ids[order.order_id] for order in orders])
        .exclude(fulfillment_status__in=GONE)
        .values_list("pk", flat=True)
    )
    wanted = {pk: order for order in orders if (pk := ids[order.order_id]) in owed}
    _run(release_orders, list(wanted))
    requests = [
        HandShipment(work_id, wanted[order_id].carrier, f"NW{wanted[order_id].order_id}")
        for order_id, work_ids in released_ids_by_order(list(wanted)).items()
        for work_id in work_ids
    ]
    in_batches(ship_by_hand, requests, actor=ACTOR).raise_refusals()
