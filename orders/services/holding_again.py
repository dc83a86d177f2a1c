"""Taking back that holds were lifted: the same holds again, where the order still is one that can be held."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import F

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.events import record_events
from config.kernel.outbox import record_facts
from config.kernel.results import Results
from orders.enums import HoldKind, MailKind
from orders.errors import OrderClosed
from orders.intake_rules import stands
from orders.mail_kinds import hold_facts
from orders.models import Hold, LinePart, Notification, Order, Payment
from orders.selectors.holds import open_holds
from orders.services.holds import HOLD_ORDER, PLACED, covers, hold_entry
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.unpaid_stock import limit_stock
from orders.services.versions import count_up


@verb
def hold_again(order_ids: Sequence[int], *, kind: HoldKind, since: datetime, actor: Actor) -> Results[int]:
    """Place again the holds of one kind that were lifted since a moment, with their reasons and what they refuse.

    At most 200 ids. Locks the orders by ascending pk. An order of which none was lifted, that is held so again, or
    that was paid or whose SKUs became known meanwhile, so that such a hold would never be lifted by itself, is
    `unchanged`. A buyer who was asked by the first hold is not asked once more.

    Refuses: `OrderClosed`, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(HOLD_ORDER)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        held = open_holds(order_ids)
        lifted = _lifted(order_ids, kind, since)
        refuse_unknown(results, orders)
        settled = _settled(orders, kind)
        wanted: list[Hold] = []
        for order in orders:
            missing = [
                hold
                for hold in lifted.get(order.pk, ())
                if not any(covers(one, hold) for one in held.get(order.pk, ()))
            ]
            if order.is_closed:
                results.refuse(order.pk, OrderClosed(order.number, order.status))
            elif missing and order.pk not in settled:
                results.done(order.pk)
                wanted += missing
            else:
                results.unchanged(order.pk)
        _place(wanted, [order for order in orders if results.is_done(order.pk)], actor)
        count_up(results.done_ids)
    return results


def _lifted(order_ids: Sequence[int], kind: HoldKind, since: datetime) -> Mapping[int, list[Hold]]:
    """One hold of each reason and strictness an order, the newest; of other kinds than manual only one can be open."""
    rows = Hold.objects.filter(order__in=order_ids, kind=kind, lifted_at__gte=since).order_by("-pk")
    found: dict[int, list[Hold]] = defaultdict(list)
    for hold in rows:
        if not any(covers(one, hold) for one in found[hold.order_id]):
            found[hold.order_id].append(hold)
    return found


def _settled(orders: Sequence[Order], kind: HoldKind) -> set[int]:
    """Orders that no new hold of this kind would be raised for any more; one statement, none for most kinds."""
    pks = {order.pk for order in orders}
    if kind == HoldKind.UNPAID:
        paid = {row.order_id for row in Payment.objects.filter(order__in=pks) if stands(row)}
        return paid | {order.pk for order in orders if order.is_free}
    if kind == HoldKind.UNKNOWN_SKU:
        owed = LinePart.objects.filter(line__order__in=pks, sku=None, ordered__gt=F("cancelled"))
        return pks - set(owed.values_list("line__order_id", flat=True))
    return set()


def _place(wanted: Sequence[Hold], orders: Sequence[Order], actor: Actor) -> None:
    if not wanted:
        return
    at = clock.now()
    holds = Hold.objects.bulk_create(
        Hold(
            order_id=old.order_id, kind=old.kind, reason=old.reason, facts=old.facts,
            opened_at=at, opened_by=actor.kind,
        )
        for old in wanted
    )  # fmt: skip
    record_events([hold_entry(hold, PLACED) for hold in holds], actor=actor)
    if any(hold.kind == HoldKind.UNPAID for hold in holds):
        limit_stock(orders, actor=actor)
    asked = set(
        Notification.objects.filter(
            kind=MailKind.HOLD, parcel_set__in=[f"hold:{old.pk}" for old in wanted]
        ).values_list("parcel_set", flat=True)
    )
    news = [new for old, new in zip(wanted, holds, strict=True) if f"hold:{old.pk}" not in asked]
    record_facts(hold_facts(news))
