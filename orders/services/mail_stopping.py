"""Mails that never leave, because a person says so: one that is owed, or all that an order would still send."""

from collections.abc import Mapping, Sequence

from django.db.models import F

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.enums import DeliveryState
from config.kernel.errors import NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.machines import DELIVERY, SUPPRESS
from config.kernel.mail import BeingSent
from config.kernel.models import Delivery
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.mail_kinds import MAILS
from orders.models import Order
from orders.selectors.owed_mails import HELD_BACK, order_id_of, set_kinds
from orders.services.locking import lock_orders, refuse_unknown

STOP_MAILS = "orders.suppress_notification"


@verb
def suppress_mails(delivery_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say of mails that are owed that they never leave; `reason` stands on the delivery and on the timeline.

    At most 200 ids. Locks the orders, then the deliveries, by ascending pk. One that is suppressed is `unchanged`.
    Refuses: `NotFound` also for an order that the actor does not see, `BeingSent` for one that left or may be
    leaving. Raises `NotAllowed`.
    """
    actor.require(STOP_MAILS)
    results: Results[int] = Results(delivery_ids)
    with batch_transaction():
        mails = Delivery.objects.filter(pk__in=delivery_ids, subscriber__in=MAILS)
        named = mails.values_list("pk", "fact__payload", "fact__subject_id")
        order_ids = {pk: order_id_of(payload, subject_id) for pk, payload, subject_id in named}
        seen = {order.pk for order in lock_orders(set(order_ids.values()), actor=actor)}
        locked = mails.select_for_update(of=("self",)).select_related("fact").order_by("pk")
        rows = {row.pk: row for row in locked if order_ids[row.pk] in seen}
        for pk in results.keys:
            _judge(results, pk, rows.get(pk))
        chosen = [rows[pk] for pk in results.done_ids]
        set_kinds(chosen)
        record_events([_entry(row, order_ids[row.pk], reason) for row in chosen], actor=actor)
        also = {"settled_at": clock.now(), "last_error": reason}
        apply_transition(DELIVERY, SUPPRESS, chosen, actor=actor, also=also)
    return results


def _judge(results: Results[int], pk: int, row: Delivery | None) -> None:
    if row is None:
        results.refuse(pk, NotFound())
    elif row.state == DeliveryState.SUPPRESSED:
        results.unchanged(pk)
    elif row.state not in HELD_BACK:
        results.refuse(pk, BeingSent())
    else:
        results.done(pk)


def _entry(row: Delivery, order_id: int, reason: str) -> Entry:
    facts: Mapping[str, object] = {"mail": row.mail_kind or "", "delivery": row.pk, "reason": reason}  # type: ignore[attr-defined]
    return Entry(("order", order_id), Thread("order", order_id), "mail_suppressed", facts=facts)


@verb
def stop_mails(order_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Let no mail of orders leave any more, until `allow_mails`: what becomes due meanwhile is suppressed for good.

    At most 200 ids. Locks the orders by ascending pk; their versions move by one. One whose mails are stopped is
    `unchanged`. Refuses: `NotFound`. Raises `NotAllowed`.
    """
    return _set_stopped(order_ids, True, "mails_stopped", {"reason": reason}, actor)


@verb
def allow_mails(order_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Take `stop_mails` back for what becomes due from now on. Locks, `unchanged` and refusals as there."""
    return _set_stopped(order_ids, False, "mails_allowed", {}, actor)


def _set_stopped(
    order_ids: Sequence[int], stopped: bool, kind: str, facts: Mapping[str, str], actor: Actor
) -> Results[int]:
    actor.require(STOP_MAILS)
    results: Results[int] = Results(order_ids)
    with batch_transaction():
        orders = lock_orders(order_ids, actor=actor)
        refuse_unknown(results, orders)
        for order in orders:
            if order.mails_stopped == stopped:
                results.unchanged(order.pk)
            else:
                results.done(order.pk)
        ids = results.done_ids
        if ids:
            Order.objects.filter(pk__in=ids).update(mails_stopped=stopped, version=F("version") + 1)
        entries = [Entry(("order", pk), Thread("order", pk), kind, facts=facts) for pk in ids]
        record_events(entries, actor=actor)
    return results
