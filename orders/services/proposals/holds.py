"""The holds of changed orders, brought in step with what they are now."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from orders.enums import HoldKind
from orders.intake_rules import PAID, stands
from orders.models import Hold, Payment
from orders.selectors.holds import open_holds
from orders.services.auto_confirm import record_confirmable
from orders.services.holds import lift, raise_holds
from orders.services.proposals.foreseeing import Planned
from orders.services.unknown_skus import follow_unknown_skus


def follow_holds(chosen: Sequence[Planned], *, actor: Actor) -> None:
    """Lift what a change settles (a new address, nothing owed, no unknown line left), raise what it calls for.

    The totals hold stays as it is: the change moves what is owed and what we compute by the same amount.
    """
    orders = [one.order for one in chosen]
    held = open_holds([order.pk for order in orders])
    settled = {(one.order.pk, kind) for one in chosen for kind in _settled(one)}
    lifted = [hold for holds in held.values() for hold in holds if (hold.order_id, hold.kind) in settled]
    lift(lifted, actor=actor)
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
    """An order that cost nothing and costs something now is held until it is paid, as a new one would be."""
    costly = [one.order for one in chosen if _cost_nothing(one) and not one.order.is_free]
    if not costly:
        return
    paid = {row.order_id for row in Payment.objects.filter(order__in=costly, status__in=PAID) if stands(row)}
    held = set(
        Hold.objects.filter(order__in=costly, kind=HoldKind.UNPAID, lifted_at=None).values_list(
            "order_id", flat=True
        )
    )
    asked = [order for order in costly if order.pk not in paid | held]
    raise_holds(asked, kind=HoldKind.UNPAID, actor=actor)


def _cost_nothing(one: Planned) -> bool:
    owed, added = one.order.owed_amount, one.plan.added_amount
    return owed is not None and added is not None and owed - added <= 0
