"""Accepting orders: many neutral orders in, each stored whole in one transaction, or refused with its reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, batch_transaction, retried, verb
from config.kernel.compiled_reads import CompiledRead
from config.kernel.errors import Conflict, InvalidInput, NotFound, TooMany
from config.kernel.events import record_events
from config.kernel.fastpath import Among, attach, insert_rows, insert_values, new_row
from config.kernel.numbering import next_numbers, reserve_numbers
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import ImportStatus, OrderStatus
from orders.intake_rules import Findings, holds_for, is_key, refusal_of, too_many_units
from orders.mail_kinds import hold_facts
from orders.models import (
    Address,
    Charge,
    DiscountShare,
    Hold,
    LinePart,
    Order,
    OrderLine,
    Payment,
    SalesChannel,
    TaxLine,
)
from orders.neutral import NeutralOrder
from orders.parts import KnownSku
from orders.services.auto_confirm import confirmable_facts
from orders.services.customers import find_or_make_customers, language_of
from orders.services.duplicates import find_repeats
from orders.services.holds import PLACED, hold_entry
from orders.services.importing.runs import hold_runs
from orders.services.known_skus import find_skus
from orders.services.locking import read_channels
from orders.services.order_rows import (
    DISCOUNT_COLUMNS,
    PART_COLUMNS,
    TAX_COLUMNS,
    Context,
    Draft,
    build,
    stated_search_text,
    take_order_ids,
)
from orders.services.payments import amount_facts
from orders.services.raw import record_problems, settle_raw_orders
from orders.states import CANCEL, ORDER, PAYMENT, PLACE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One order at the door, with the raw order it was read from, or the import that brings it.

    History is completed from the start. A live order of an import is held until the import is finished.
    """

    order: NeutralOrder
    raw_id: int | None = None
    is_history: bool = False
    import_run_id: int | None = None

    @property
    def key(self) -> str:
        return self.order.external_id


@dataclass(frozen=True, slots=True)
class Door:
    """What was found out before the transaction: orders we have by key, numbers for the others, faults by key."""

    channel: SalesChannel
    known: Mapping[str, int]
    numbers: Mapping[str, str]
    faults: Mapping[str, InvalidInput | None]


def accept_orders(incoming: Sequence[Incoming], *, sales_channel_id: int, actor: Actor) -> Results[str]:
    """Store up to 200 orders of one channel; the value of each external id is the order's pk.

    New orders stand as `placed` with their holds, and the fact `order.accepted` is recorded,
    `order.confirmable` too where the channel confirms by itself and no hold refuses it, and
    `order.hold_needs_buyer` for a hold that only the buyer can mend. One that the channel cancelled before we
    saw it is accepted and cancelled at once (fact `order.cancelled`; its buyer has heard of it there). One that had
    left whole before we saw it, or but for what the channel cancelled, and history stand as `completed`, what left
    as delivered, without hold or fact. An external id that the channel
    used before is `unchanged` with the pk it has; nothing of that order is touched. Of two under one external id in
    one call the first is taken, however they differ. Raw orders are linked in the same transaction.
    `exchange_rate` is 1 for the legal entity's own currency, else unknown.

    Orders of an import are stored only while that import is applied: its row is locked first (`ImportStopped`).

    The number of statements does not depend on the number of orders (PostgreSQL). Order numbers are taken in a
    short transaction before, so that intakes run side by side; one that is rolled back leaves a gap. Inside a
    caller's transaction a key that a rival stored in between raises `IntegrityError`, and nothing of the call stays.

    Refuses: `InvalidInput` for an order that cannot be stored (no line, a quantity of 0, a key twice …), and
    `Conflict`; nothing of it is written but the problem on its raw order. Raises `NotAllowed`, `NotFound` for
    the channel, `TooMany`.
    """
    actor.require(PLACE.permission)
    channels = read_channels([sales_channel_id])
    if not channels:
        raise NotFound()
    channel = channels[0]
    first: dict[str, Incoming] = {}
    for one in incoming:
        first.setdefault(one.key, one)
    faults = {key: refusal_of(one.order) for key, one in first.items()}
    known = _known_orders(channel, [key for key in faults if is_key(key)])
    numbers = _take_numbers([key for key, fault in faults.items() if fault is None and key not in known])
    door = Door(channel, known, numbers, faults)
    results = _accept(list(first.values()), door=door, actor=actor)
    if lost := [one for one in first.values() if isinstance(results.refusals.get(one.key), Conflict)]:
        # A rival stored the same key between our look and our insert: by now it can be seen.
        for one in lost:
            del results.refusals[one.key]
        seen = replace(door, known=_known_orders(channel, [one.key for one in lost]))
        results.absorb(_accept(lost, door=seen, actor=actor))
    raws = {one.raw_id: one.key for one in incoming if one.raw_id is not None}
    _settle_repeated(incoming, results)
    record_problems({raw: results.refusals[key] for raw, key in raws.items() if key in results.refusals})
    return results


def _take_numbers(keys: Sequence[str]) -> dict[str, str]:
    """A number for each key that looks new and sound."""
    if len(keys) > MAX_BATCH:
        raise TooMany(limit=MAX_BATCH, count=len(keys))
    numbers = retried(partial(reserve_numbers, "order", len(keys)))
    return dict(zip(keys, numbers, strict=True))


@verb
def _accept(incoming: Sequence[Incoming], *, door: Door, actor: Actor) -> Results[str]:
    results: Results[str] = Results(one.key for one in incoming)
    channel = door.channel
    with batch_transaction():
        if runs := {one.import_run_id for one in incoming if one.import_run_id is not None}:
            hold_runs(runs, status=ImportStatus.APPLYING)
        for one in incoming:
            if one.key in door.known:
                results.unchanged(one.key, door.known[one.key])
            elif (problem := door.faults[one.key]) is not None:
                results.refuse(one.key, problem)
        lines = [line for one in _open(incoming, results) for line in one.order.lines]
        skus = find_skus({line.sku_code.strip() for line in lines}, sales_channel_id=channel.pk)
        for one in _open(incoming, results):
            if (problem := too_many_units(one.order, skus)) is not None:
                results.refuse(one.key, problem)
        drafts = _draft(_open(incoming, results), channel, skus, actor)
        if drafts:
            _number(drafts, door.numbers)
            _insert(drafts)
            _cancel_at_once([draft for draft in drafts if draft.is_cancelled], actor)
            _tell(drafts, actor)
        for draft in drafts:
            results.done(draft.neutral.external_id, draft.order.pk)
        settle_raw_orders(
            {
                one.raw_id: results.values[one.key]
                for one in incoming
                if one.raw_id and one.key in results.values
            }
        )
    return results


def _known_orders(channel: SalesChannel, external_ids: Sequence[str]) -> dict[str, int]:
    return dict(_by_key(external_ids, channel.pk))


_by_key: CompiledRead[tuple[str, int]] = CompiledRead(
    lambda keys, channel_id: (
        Order.objects.filter(Among("external_id", keys), sales_channel=channel_id)
        .exclude(status=OrderStatus.VOID)
        .order_by()
        .values_list("external_id", "pk")
    )
)


def _open(incoming: Sequence[Incoming], results: Results[str]) -> list[Incoming]:
    wanted = set(results.open_ids)
    return [one for one in incoming if one.key in wanted]


def _draft(
    incoming: Sequence[Incoming], channel: SalesChannel, skus: Mapping[str, KnownSku], actor: Actor
) -> list[Draft]:
    orders = [one.order for one in incoming]
    customers = find_or_make_customers((order, language_of(order, channel.language)) for order in orders)
    at = clock.now()
    context = Context(channel, skus, customers, take_order_ids(orders), at)
    drafts = [build(one.order, context, is_history=one.is_history) for one in incoming]
    for draft, one in zip(drafts, incoming, strict=True):
        draft.order.import_run_id = one.import_run_id
    attach([draft.order for draft in drafts], "sales_channel", {channel.pk: channel})
    repeats = find_repeats(channel, [draft for draft in drafts if not draft.is_history])
    for draft in drafts:
        if draft.is_over:
            continue
        findings = Findings(
            draft.unknown_skus,
            draft.cut_address,
            repeats.get(draft.neutral.external_id, ""),
            draft.order.import_run_id,
        )
        draft.holds = [
            new_row(
                Hold,
                order_id=draft.order.pk,
                kind=hold.kind,
                reason=hold.reason,
                facts=dict(hold.facts),
                opened_at=at,
                opened_by=actor.kind,
            )
            for hold in holds_for(draft.neutral, draft.totals, findings)
        ]
    return drafts


def _number(drafts: Sequence[Draft], numbers: Mapping[str, str]) -> None:
    """Give the numbers out; a key that only looked known a moment ago gets a fresh one."""
    missing = sum(draft.neutral.external_id not in numbers for draft in drafts)
    fresh = iter(next_numbers("order", missing))
    for draft in drafts:
        draft.order.number = numbers.get(draft.neutral.external_id) or next(fresh)
        draft.order.search_text = stated_search_text(draft.order, draft.neutral)


def _insert(drafts: Sequence[Draft]) -> None:
    """Each table by one statement."""
    insert_rows(Address, _all(draft.addresses for draft in drafts))
    insert_rows(Order, [draft.order for draft in drafts])
    insert_rows(OrderLine, _all(draft.lines for draft in drafts))
    insert_values(LinePart, PART_COLUMNS, _all(draft.parts for draft in drafts))
    insert_rows(Charge, _all(draft.charges for draft in drafts))
    insert_values(DiscountShare, DISCOUNT_COLUMNS, _all(draft.discounts for draft in drafts))
    insert_values(TaxLine, TAX_COLUMNS, _all(draft.taxes for draft in drafts))
    insert_rows(Payment, _all(draft.payments for draft in drafts))
    insert_rows(Hold, _all(draft.holds for draft in drafts))


def _all(groups: Iterable[Sequence[T]]) -> list[T]:
    return [row for group in groups for row in group]


def _cancel_at_once(drafts: Sequence[Draft], actor: Actor) -> None:
    """Nobody else can see these rows yet, so there is nothing to lock. Their created event comes first."""
    orders = [draft.order for draft in drafts]
    record_events([ORDER.created_entry(order, _facts(order)) for order in orders], actor=actor)
    facts = {order.pk: {"cause": "cancelled_by_channel"} for order in orders}
    apply_transition(ORDER, CANCEL, orders, actor=actor, facts=facts, also={"cancelled_at": clock.now()})


def _tell(drafts: Sequence[Draft], actor: Actor) -> None:
    entries = [
        ORDER.created_entry(draft.order, _facts(draft.order)) for draft in drafts if not draft.is_cancelled
    ]
    entries += [
        PAYMENT.created_entry(payment, amount_facts(payment))
        for draft in drafts
        for payment in draft.payments
    ]
    entries += [hold_entry(hold, PLACED) for draft in drafts for hold in draft.holds]
    record_events(entries, actor=actor)
    record_facts(
        [
            NewFact("order.cancelled" if draft.is_cancelled else "order.accepted", ("order", draft.order.pk))
            for draft in drafts
            if not (draft.is_history or draft.is_over)
        ]
        + confirmable_facts(
            [draft.order for draft in drafts if not draft.is_history],
            {draft.order.pk: draft.holds for draft in drafts},
        )
        + hold_facts(hold for draft in drafts if not draft.is_history for hold in draft.holds)
    )


def _facts(order: Order) -> Mapping[str, Any]:
    said = {"channel": order.sales_channel_id, "history": order.is_history}
    left_before = order.status == OrderStatus.COMPLETED and not order.is_history
    return {**said, "left_before": True} if left_before else said


def _settle_repeated(incoming: Sequence[Incoming], results: Results[str]) -> None:
    """Link the raw orders of keys that stood twice in one call: only the first of them was accepted."""
    seen: set[str] = set()
    again: dict[int, int] = {}
    for one in incoming:
        if one.key in seen and one.raw_id is not None and one.key in results.values:
            again[one.raw_id] = results.values[one.key]
        seen.add(one.key)
    settle_raw_orders(again)
