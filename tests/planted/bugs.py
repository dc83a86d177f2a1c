"""Bugs that others shipped, planted in our own functions: what each is, where it goes, and what must notice it.

The families are those of order systems' issue lists: oversold, reserved for ever, orphans, paid or mailed twice,
stuck, half-applied, overtaken, off by a coin. `deeds.py` holds the days that must show them.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import Q

from config.kernel import outbox, sessions, states
from config.kernel.outbox import Owed
from config.kernel.results import Results
from fulfillment.services import cancelling as work_cancelling
from fulfillment.services import releasing as work_releasing
from inventory.models import Reservation, StockLevel
from inventory.services import catalogue, levels, movements
from inventory.services.reservations import consuming, filling, placing, releasing, requeueing
from orders import parts as order_parts
from orders import planner
from orders.enums import MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import TaxLine
from orders.selectors.demand import Line
from orders.services import (
    accepting,
    allocating,
    axes,
    backorders,
    cancelling,
    confirming,
    payments,
    progress,
)
from orders.services.proposals import stock
from tests.planted import deeds, first_units, lines, races
from tests.planted.deeds import Deed

CONFIRMATION = SUBSCRIBERS[MailKind.CONFIRMATION]
Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Bug:
    """`caught_by` begins the line that must be among what the deed answers."""

    name: str
    family: str
    patch: Patch
    deed: Deed
    caught_by: str


def swap(owner: Any, name: str, other: Any) -> Patch:
    return lambda: mock.patch.object(owner, name, other)


def forget(owner: Any, name: str) -> Patch:
    """The function does nothing."""
    return swap(owner, name, lambda *_given, **_named: None)


def both(*patches: Patch) -> Patch:
    def enter() -> AbstractContextManager[Any]:
        stack = ExitStack()
        for patch in patches:
            stack.enter_context(patch())
        return stack

    return enter


def counted_apart(problem: planner.Problem, shipping: set[int]) -> dict[int, Any]:
    """Each wish is checked against all that is free, as if it were alone."""
    allowed: dict[int, Any] = {}
    for demand in problem.demands:
        for wish in demand.wishes:
            alone = replace(problem, demands=(replace(demand, wishes=(wish,)),))
            allowed |= ALLOWANCES(alone, shipping)
    return allowed


ALLOWANCES = planner._allowances
COMPARE, GROW = payments._compare, payments._grow
SETTLE, REFRESH = axes._settle, axes.refresh_axes


def status_alone(found: Any, also: Any = ()) -> None:
    """An order whose status stays as it is keeps its count of reserved units."""
    SETTLE([(order, one) for order, one in found if one.goods != order.fulfillment_status], also)


def without_asked(orders: Any, **_named: Any) -> None:
    REFRESH(orders)


ALLOCATE, REQUEUE = stock.allocate_locked, requeueing._write
HEAD = datetime(2026, 1, 1, tzinfo=UTC)
INSERT, RECORD, TRANSITION = accepting.insert_values, confirming.record_facts, states.apply_transition


def without_queue(problem: planner.Problem, shipping: set[int]) -> dict[int, Any]:
    return ALLOWANCES(replace(problem, waiting=()), shipping)


def before_the_queue(*given: Any, **named: Any) -> None:
    unguarded = both(
        swap(planner, "_allowances", without_queue),
        forget(placing, "refuse_overtaking"),
        forget(filling, "refuse_overtaking"),
    )
    with unguarded():
        ALLOCATE(*given, **named)


def at_the_head(rows: Any, wanted: Any) -> None:
    REQUEUE(rows, wanted)
    Reservation.objects.filter(pk__in=[row.pk for row in rows]).update(queued_at=HEAD)


def rounded_each(total: Decimal, weights: Any, currency: str) -> tuple[Decimal, ...]:
    whole = sum(weights)
    return tuple((total * weight / whole).quantize(Decimal("0.01")) for weight in weights)


def each_time(change: Any, row: Any, one: Any) -> Any:
    """Whatever is reported counts, whether it is known or not."""
    problem = COMPARE(change, row, one)
    if not any(grown is row for grown, _one in change.grown):
        change.grown.append((row, one))
    return problem


def added_up(name: str) -> Patch:
    """What is reported is added to what is known."""

    def grow(change: Any) -> Any:
        known = {row.pk: getattr(row, name) for row, _one in change.grown}
        for row in GROW(change):
            setattr(row, name, known[row.pk] + getattr(row, name))
            yield row

    return both(swap(payments, "_compare", each_time), swap(payments, "_grow", grow))


def without_taxes(model: Any, names: Any, values: Any) -> None:
    if model is not TaxLine:
        INSERT(model, names, values)


def unlocked(sku_ids: Any) -> list[Any]:
    return list(StockLevel.objects.filter(sku_id__in=sku_ids).order_by("pk"))


def skipping(sku_ids: Any) -> list[Any]:
    """The famous wrong fix: what somebody else holds counts as not there."""
    rows = StockLevel.objects.filter(sku_id__in=sku_ids).order_by("pk")
    return list(rows.select_for_update(of=("self",), skip_locked=True))


_turns = count()


def in_any_order(sku_ids: Any) -> list[Any]:
    """Row by row, forwards and backwards in turn."""
    rows = StockLevel.objects.filter(sku_id__in=sku_ids)
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    locked = []
    for pk in pks[:: 1 if next(_turns) % 2 else -1]:
        locked.append(rows.select_for_update(of=("self",)).get(pk=pk))
        time.sleep(1)
    return locked


def sessions_first(claims: Any) -> Q:
    """Whoever is not among those that lived when one looked is dead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity")
        living = [pid for (pid,) in cursor.fetchall()]
    sessions.ended_sessions(())
    return Q(pk__in=list(claims.exclude(held_by__in=living).values_list("pk", flat=True)))


def told_twice(facts: Any) -> None:
    RECORD([*facts, *facts])


def settled_unsent(owed: list[Owed]) -> Results[int]:
    """Marked as delivered before it is sent, as when the worker dies in between."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    for one in owed:
        results.done(one.delivery_id)
    return results


def break_down(*_given: Any, **_named: Any) -> None:
    raise RuntimeError("broken")


def silent(machine: Any, *given: Any, **named: Any) -> None:
    with mock.patch.object(states, "record_events"):
        TRANSITION(machine, *given, **named)


def deaf_mail() -> AbstractContextManager[Any]:
    hearer = replace(outbox.SUBSCRIBERS[CONFIRMATION], handler=settled_unsent)
    return mock.patch.dict(outbox.SUBSCRIBERS, {CONFIRMATION: hearer})


BUGS = [
    Bug("shared kit part checked line by line", "oversell", swap(planner, "_allowances", counted_apart),
        deeds.order_a_part_twice, "raised"),
    Bug("promise given back, units still held", "stuck reservation", forget(releasing, "change_levels"),
        deeds.give_back, "stock.reserved"),
    Bug("promise made, level not told", "negative reservation", forget(placing, "change_levels"),
        deeds.order_a_part_twice, "stock.reserved"),
    Bug("shipped, promise still open", "stuck reservation", forget(consuming, "_close"),
        deeds.sell_and_deliver, "stock.reserved"),
    Bug("reserved, order's counter not told", "drift of counters", forget(allocating, "write_counters"),
        deeds.order_a_part_twice, "orders.allocated"),
    Bug("failed half-way, no transaction around it", "orphan after partial failure",
        both(swap(allocating, "batch_transaction", nullcontext), swap(allocating, "_record", break_down)),
        deeds.fail_in_the_middle, "orphans"),
    Bug("capture told twice, counted twice", "double capture", added_up("captured_amount"),
        deeds.hear_a_payment_twice, "captured"),
    Bug("refund told twice, counted twice", "double refund", added_up("refunded_amount"),
        deeds.hear_a_payment_twice, "refunded"),
    Bug("old news of a payment is refused", "duplicate webhook", swap(payments, "_is_behind", lambda *_given: False),
        deeds.hear_old_news, "answers"),
    Bug("idempotency check looks where nobody writes", "duplicate order", swap(accepting, "_known_orders",
        lambda *_given: {}), deeds.hear_an_order_twice, "second"),
    Bug("confirmed, its stock not promised", "drift of promises", forget(confirming, "promise_stock"),
        deeds.confirm_after_reserving, "orders.promises"),
    Bug("confirmed, mail never due", "lost mail", forget(confirming, "record_facts"),
        deeds.sell_and_deliver, "mails"),
    Bug("confirmed, mail due twice", "duplicated mail", swap(confirming, "record_facts", told_twice),
        deeds.sell_and_deliver, "orders.mails"),
    Bug("mail marked as sent before it is", "lost mail", deaf_mail, deeds.sell_and_deliver,
        "orders.sent_mails"),
    Bug("lease of a dead worker never ends", "stuck queue", swap(outbox, "reclaim", lambda: 0),
        deeds.lose_a_worker, "outbox.age"),
    Bug("units came free, nobody is told", "stuck queue", forget(releasing, "record_freed"),
        deeds.cancel_before_a_waiting_one, "waiting"),
    Bug("order stored without its taxes", "half-applied import", swap(accepting, "insert_values", without_taxes),
        deeds.sell_a_kit_at_odd_coins, "orders.line_amounts"),
    Bug("counter moved, ledger not", "ledger row forgotten", forget(movements, "_write_entries"),
        deeds.give_back, "stock.on_hand_ledger"),
    Bug("set aside, reason's count not told", "ledger and counter drift", forget(movements, "_change_unsellable"),
        deeds.set_broken_goods_aside, "stock.unsellable"),
    Bug("new claims are served before the queue", "overtaking",
        both(swap(planner, "_allowances", without_queue),
             forget(placing, "refuse_overtaking"), forget(filling, "refuse_overtaking")),
        deeds.come_late_to_a_queue, "stock.queue"),
    Bug("whoever is moved in line joins at its head", "overtaking", swap(requeueing, "_write", at_the_head),
        lines.wait_in_line, "place changed"),
    Bug("each process joins by its own clock", "overtaking", swap(Line, "joined", lambda _line, at: at),
        deeds.join_by_a_slow_clock, "late"),
    Bug("orders decided together join at one moment", "overtaking", swap(allocating, "MOMENT", timedelta(0)),
        deeds.join_together_and_lose, "held"),
    Bug("change claims its units before the queue", "overtaking", swap(stock, "allocate_locked", before_the_queue),
        deeds.change_late_in_a_queue, "late"),
    Bug("kit's value rounded part by part", "rounding", swap(order_parts, "split_amount", rounded_each),
        deeds.sell_a_kit_at_odd_coins, "orders.part_values"),
    Bug("status moved, event not written", "forgotten event", swap(confirming, "apply_transition", silent),
        deeds.sell_and_deliver, "events.chain"),
    Bug("cancelled, its units stay promised", "stuck reservation", forget(cancelling, "_give_back"),
        deeds.cancel_before_a_waiting_one, "orders.claims"),
    Bug("rest cancelled, order not ended", "stuck order", forget(cancelling, "complete_delivered"),
        deeds.cancel_the_rest, "orders.ended"),
    Bug("backorder filled, status not derived again", "drift of statuses", forget(backorders, "refresh_axes"),
        deeds.cancel_before_a_waiting_one, "orders.axes"),
    Bug("some of the waiting units came, only the status is looked at", "drift of counters",
        swap(axes, "_settle", status_alone), deeds.ask_the_warehouse, "orders.axes"),
    Bug("released, order not told", "drift of counters", forget(work_releasing, "count_asked"),
        deeds.ask_the_warehouse, "work.asked"),
    Bug("work called back, order not told", "drift of counters", forget(work_cancelling, "count_asked"),
        deeds.ask_the_warehouse, "work.asked"),
    Bug("shipped, still asked for", "drift of counters", swap(progress, "refresh_axes", without_asked),
        deeds.sell_and_deliver, "work.asked"),
]  # fmt: skip

RACES = [
    Bug("stock read without a lock, taken without a condition", "oversell",
        both(swap(levels, "_locked", unlocked), swap(levels, "ENOUGH_FREE", "1 = 1")),
        races.buy_the_last_units, "free"),
    Bug("busy rows skipped", "false sold out", swap(levels, "_locked", skipping),
        races.buy_the_last_units, "answers"),
    Bug("sweep takes what a living worker holds", "effect twice", swap(sessions, "ended_sessions", set),
        races.sweep_beside_a_worker, "effects"),
    Bug("sessions are read before the claims", "effect twice", swap(outbox, "lost", sessions_first),
        races.sweep_beside_a_younger_worker, "taken"),
    Bug("death of a worker is not noticed", "stuck queue", swap(sessions, "ended_sessions", lambda _named: set()),
        races.sweep_after_a_worker, "effects"),
    Bug("session of an earlier claim counts for a later one", "effect twice", swap(sessions, "WITH_ITS_SESSION", Q()),
        races.sweep_beside_an_older_worker, "taken"),
    Bug("nothing there, nothing locked", "overtaking", swap(levels, "_without_level", lambda _ids: []),
        first_units.wait_for_a_first_unit, "held"),
    Bug("becomes a kit beside whom waits for it", "stuck reservation",
        both(swap(levels, "_without_level", lambda _ids: []), swap(catalogue, "uses_of", lambda _ids: {})),
        first_units.wait_for_what_becomes_a_kit, "stock.kits"),
    Bug("rows locked in any order", "unsorted locks", swap(levels, "_locked", in_any_order),
        races.lock_in_opposite_order, "answers"),
]  # fmt: skip
