"""The holds of changed orders, brought in step with what they are now."""

from collections import defaultdict
from collections.abc import Sequence

from config.kernel import clock
from config.kernel.actors import Actor
from orders.enums import SENT_BACK, HoldKind
from orders.intake_rules import why_unpaid
from orders.models import Hold, Order, Payment
from orders.selectors.holds import open_holds
from orders.services.auto_confirm import record_confirmable
from orders.services.filling_holds import HoldChanges, write_holds
from orders.services.holds import raise_holds
from orders.services.proposals.foreseeing import Planned
from orders.services.readdressed import is_readdressed
from orders.services.unknown_skus import follow_unknown_skus


def follow_holds(chosen: Sequence[Planned], *, actor: Actor) -> None:
    """Lift what a change settles (a new address, also an awaited one, nothing owed, no unknown line left), raise what
    it calls for.

    The totals hold stays as it is: the change moves what is owed and what we compute by the same amount.
    """
    orders = [one.order for one in chosen]
    held = open_holds([order.pk for order in orders])
    settled = {(one.order.pk, kind) for one in chosen for kind in _settled(one)}
    moved = {one.order.pk for one in chosen if one.plan.new_address}
    changes = HoldChanges(held, clock.now(), actor)
    changes.lifted += [
        hold
        for holds in held.values()
        for hold in holds
        if (hold.order_id, hold.kind) in settled or (hold.order_id in moved and is_readdressed(hold))
    ]
    for order in orders:
        if order.pk in moved:
            changes.know(order, "address")
    write_holds(changes)
    follow_unknown_skus(orders, actor=actor)
    _ask_for_money(chosen, actor)
    now = open_holds([order.pk for order in orders])
    freed = [order for order in orders if len(now.get(order.pk, ())) < len(held.get(order.pk, ()))]
    record_confirmable(freed, now)


def _settled(one: Planned) -> list[HoldKind]:
    settled = [HoldKind.ADDRESS] if one.plan.new_address else []
    if one.order.is_free:
        settled.append(HoldKind.UNPAID)
    return settled


def _ask_for_money(chosen: Sequence[Planned], actor: Actor) -> None:
    """Hold until it is paid, as a new one would be, an order that cost nothing and costs something now, or one of
    which all had left and that gets goods that cost something, when its money does not stand any more."""
    costly = [
        one.order
        for one in chosen
        if (_cost_nothing(one) or _adds_to_what_had_left(one)) and not one.order.is_free
    ]
    if not costly:
        return
    payments: dict[int, list[Payment]] = defaultdict(list)
    for row in Payment.objects.filter(order__in=costly):
        payments[row.order_id].append(row)
    held = set(
        Hold.objects.filter(order__in=costly, kind=HoldKind.UNPAID, lifted_at=None).values_list(
            "order_id", flat=True
        )
    )
    asked: dict[str, list[Order]] = {"": [], SENT_BACK: []}
    for order in costly:
        why = why_unpaid(payments[order.pk], has_goods=True)
        if why is not None and order.pk not in held:
            asked[why.get("cause", "")].append(order)
    for cause, orders in asked.items():
        raise_holds(orders, kind=HoldKind.UNPAID, facts={"cause": cause} if cause else {}, actor=actor)


def _cost_nothing(one: Planned) -> bool:
    owed, added = one.order.owed_amount, one.plan.added_amount
    return owed is not None and added is not None and owed - added <= 0


def _adds_to_what_had_left(one: Planned) -> bool:
    added = one.plan.added_amount
    return one.had_left and bool(one.plan.growing) and (added is None or added > 0)
