"""Placing and lifting holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.events import Entry, Thread, record_events
from config.kernel.outbox import record_facts
from config.kernel.results import Results
from orders.enums import HoldKind, ImportStatus, OrderStatus
from orders.errors import ImportOpen, OrderClosed
from orders.mail_kinds import hold_facts, news_of
from orders.models import Hold, ImportRun, Order
from orders.selectors.holds import open_holds, refused_steps
from orders.services.auto_confirm import record_confirmable
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.texts import limit_of
from orders.services.unpaid_stock import keep_stock, limit_stock
from orders.services.versions import count_up

HOLD_ORDER = "orders.hold_order"
PLACED, LIFTED = "hold_placed", "hold_lifted"


@verb
def place_hold(
    order_ids: Sequence[int],
    *,
    kind: HoldKind,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    actor: Actor,
) -> Results[int]:
    """Hold orders for a named reason, so that the steps it names are refused until it is lifted.

    At most 200 ids. Locks the orders by ascending pk. An order that is held so already comes back `unchanged`;
    manual holds are the same only when their reasons are and the open one refuses all that the new one would, so
    that of two with one reason the stricter counts. `facts` are codes, ids and amounts as text. Of one that
    only the buyer can mend they hear by the fact `order.hold_needs_buyer`.

    Refuses: `OrderClosed`, `NotFound`. Raises `NotAllowed`, and `InvalidInput` for a reason that is too long or
    a manual hold without one.
    """
    actor.require(HOLD_ORDER)
    _check_reason(kind, reason)
    wanted = Hold(kind=kind, reason=reason, facts=dict(facts or {}))
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        held = open_holds(order_ids)
        refuse_unknown(results, orders)
        for order in orders:
            if order.is_closed:
                results.refuse(order.pk, OrderClosed(order.number, order.status))
            elif any(covers(hold, wanted) for hold in held.get(order.pk, ())):
                results.unchanged(order.pk)
            else:
                results.done(order.pk)
        chosen = [order for order in orders if results.is_done(order.pk)]
        holds = raise_holds(chosen, kind=kind, reason=reason, facts=facts, actor=actor)
        count_up(results.done_ids)
        record_facts(hold_facts(holds))
    return results


def raise_holds(
    orders: Sequence[Order],
    *,
    kind: HoldKind,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    actor: Actor,
) -> list[Hold]:
    """Hold locked orders that are not held so, and tell their timelines: two statements. No rights are asked here.

    With an unpaid hold their reservations get an end where the channel sets one: four statements more.
    """
    at = clock.now()
    holds = Hold.objects.bulk_create(
        Hold(
            order=order, kind=kind, reason=reason, facts=dict(facts or {}), opened_at=at, opened_by=actor.kind
        )
        for order in orders
    )
    record_events([hold_entry(hold, PLACED) for hold in holds], actor=actor)
    if kind == HoldKind.UNPAID:
        limit_stock(orders, actor=actor)
    return holds


@verb
def release_holds(
    order_ids: Sequence[int], *, kind: HoldKind, reason: str = "", actor: Actor
) -> Results[int]:
    """Lift one kind of hold from orders, so that the steps it refused are open again.

    At most 200 ids. Locks the orders by ascending pk. An order without such a hold comes back `unchanged`;
    repeating the call changes nothing. Of manual holds all are lifted, or those of
    one `reason`.

    Where the channel confirms by itself and nothing refuses it any more, the fact `order.confirmable` is recorded.
    What buyers could not be told while their import could be rolled back is due now.

    Refuses: `OrderClosed`, but not for a hold that stayed open when its order was completed, `ImportOpen` for an
    import's hold while that can be rolled back, `NotFound`. Raises `NotAllowed`.
    """
    actor.require(HOLD_ORDER)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        held = open_holds(order_ids)
        refuse_unknown(results, orders)
        unfinished = _of_open_imports(held) if kind == HoldKind.IMPORT else set()
        lifted: list[Hold] = []
        for order in orders:
            holds = [
                hold for hold in held.get(order.pk, ()) if hold.kind == kind and reason in ("", hold.reason)
            ]
            if order.is_closed and not (holds and order.status == OrderStatus.COMPLETED):
                results.refuse(order.pk, OrderClosed(order.number, order.status))
            elif not holds:
                results.unchanged(order.pk)
            elif order.pk in unfinished:
                results.refuse(order.pk, ImportOpen(number=order.number))
            else:
                results.done(order.pk)
                lifted += holds
        lift(lifted, actor=actor)
        count_up(results.done_ids)
        kept = {pk: [hold for hold in holds if hold not in lifted] for pk, holds in held.items()}
        let_go = [order for order in orders if results.is_done(order.pk)]
        record_confirmable(let_go, kept)
        if kind == HoldKind.IMPORT:
            record_facts(news_of(let_go, kept))
    return results


def lift(holds: Sequence[Hold], *, actor: Actor) -> None:
    """Close open holds of locked orders and tell their timelines: two statements. No rights are asked here.

    With an unpaid hold the end of the order's reservations goes: six statements more.
    """
    if not holds:
        return
    at = clock.now()
    Hold.objects.filter(pk__in=[hold.pk for hold in holds]).update(lifted_at=at, lifted_by=actor.kind)
    record_events([hold_entry(hold, LIFTED) for hold in holds], actor=actor)
    keep_stock({hold.order_id for hold in holds if hold.kind == HoldKind.UNPAID}, actor=actor)


def _of_open_imports(held: Mapping[int, Sequence[Hold]]) -> set[int]:
    """Orders whose import can still be rolled back; one statement. The hold names the run that brought or changed
    its order."""
    runs = {
        pk: hold.facts.get("run")
        for pk, holds in held.items()
        for hold in holds
        if hold.kind == HoldKind.IMPORT
    }
    open_ids = set(
        ImportRun.objects.filter(pk__in={run for run in runs.values() if run is not None})
        .exclude(status__in=(ImportStatus.FINISHED, ImportStatus.ROLLED_BACK))
        .values_list("pk", flat=True)
    )
    return {pk for pk, run in runs.items() if run in open_ids}


def hold_entry(hold: Hold, kind: str) -> Entry:
    """The timeline's event of a hold that was placed or lifted."""
    facts = {**hold.facts, "hold": hold.pk, "kind": str(hold.kind)}
    return Entry(("order", hold.order_id), Thread("order", hold.order_id), kind, facts=facts)


def _check_reason(kind: HoldKind, reason: str) -> None:
    if len(reason) > limit_of(Hold, "reason") or (kind == HoldKind.MANUAL and not reason.strip()):
        raise InvalidInput(field="reason", value=reason[:80], accepted=_("accepted are 1 to 300 characters"))


def covers(hold: Hold, wanted: Hold) -> bool:
    """Whether an open hold says and refuses already what the wanted one would."""
    if hold.kind != wanted.kind:
        return False
    is_named_alike = wanted.kind != HoldKind.MANUAL or hold.reason == wanted.reason
    return is_named_alike and refused_steps(wanted) <= refused_steps(hold)
