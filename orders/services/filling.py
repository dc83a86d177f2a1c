"""What a channel states of an order only later: amounts and addresses are filled the first time, never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.events import Entry, Thread, record_events
from config.kernel.results import Results
from orders.enums import HoldKind
from orders.intake_rules import amounts_refusal
from orders.models import Address, Customer, Hold, Order
from orders.neutral import NeutralAddress, NeutralOrder
from orders.search_texts import with_customer
from orders.selectors.holds import open_holds
from orders.services.auto_confirm import record_confirmable
from orders.services.axes import refresh_axes
from orders.services.cancelled_value import ask_for_no_money, settle_cancelled
from orders.services.cancelling import parts_by_order
from orders.services.customers import ADDRESS_FIELDS, email_of, find_or_make_customers, language_of
from orders.services.filling_amounts import AmountRows, fill_amounts, read_amounts, write_amounts
from orders.services.filling_holds import (
    HoldChanges,
    follow_channel,
    follow_details,
    follow_difference,
    write_holds,
)
from orders.services.locking import lock_orders, refuse_unknown
from orders.services.order_rows import stated_search_text
from orders.services.readdressed import follow_address
from orders.services.texts import fit, limit_of
from orders.states import PLACE

FILLED = "details_filled"
ORDER_COLUMNS = (
    "customer", "email", "ship_to", "bill_to", "lines_amount", "discount_amount", "charges_amount", "tax_amount",
    "total_computed_amount", "total_sent_amount", "total_difference_amount", "search_text", "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Details:
    """A later body of an order that we have, as read by its channel's adapter."""

    order_id: int
    stated: NeutralOrder

    @property
    def key(self) -> int:
        return self.order_id


@dataclass(slots=True)
class _Filling:
    """What one body adds to one order."""

    order: Order
    stated: NeutralOrder
    rows: AmountRows
    what: list[str] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    cut: tuple[str, ...] = ()


@verb
def fill_details(details: Sequence[Details], *, actor: Actor) -> Results[int]:
    """Fill amounts, addresses and the buyer of orders where their channel had not stated them yet.

    At most 200 orders. Locks them by ascending pk. What is known is never overwritten: a total that differs from
    it raises the totals hold, once a figure, with the difference. Totals are added up anew, holds for missing
    details lifted, and the holds of intake raised where the filled values call for them, or the channel holds the
    order by now or states another address; then the order may be confirmed by itself (fact `order.confirmable`).
    Closed orders, history, and those that learn nothing new are `unchanged`, and so is a second call.

    Refuses: `NotFound`; `InvalidInput` for amounts that cannot be stored. Raises `NotAllowed`.
    """
    actor.require(PLACE.permission)
    results: Results[int] = Results(one.key for one in details)
    with batch_transaction():
        orders = {order.pk: order for order in lock_orders(results.keys, actor=actor)}
        refuse_unknown(results, list(orders.values()))
        open_ones = [one for one in details if one.key in orders and not _is_over(orders[one.key])]
        for one in open_ones:
            if (problem := amounts_refusal(one.stated)) is not None:
                results.refuse(one.key, problem)
        open_ones = [one for one in open_ones if one.key not in results.refusals]
        held = open_holds([one.key for one in open_ones])
        fillings = _fill(open_ones, orders, held)
        changes = HoldChanges(held, clock.now(), actor)
        for filling in fillings:
            follow_details(changes, filling.order, filling.stated, filling.what, filling.cut)
        told = {one.key: (orders[one.key], one.stated) for one in open_ones}
        follow_channel(changes, told)
        follow_address(changes, told)
        follow_difference(changes, told)
        for pk in results.open_ids:
            if pk in changes.touched or any(one.order.pk == pk and one.what for one in fillings):
                results.done(pk)
            else:
                results.unchanged(pk)
        if results.done_ids:
            _write([one for one in fillings if one.what], actor)
            write_holds(changes)
            changed = [orders[pk] for pk in results.done_ids]
            _settle_cancelled(fillings, actor)
            refresh_axes(changed)
            record_confirmable(changed, open_holds(results.done_ids))
    return results


def _is_over(order: Order) -> bool:
    return order.is_closed or order.is_history


def _fill(
    details: Sequence[Details], orders: Mapping[int, Order], held: Mapping[int, Sequence[Hold]]
) -> list[_Filling]:
    """Every order that could learn something, filled in memory; the others cost nothing."""
    lacking = [one for one in details if _lacks(orders[one.key], one.stated, held.get(one.key, ()))]
    if not lacking:
        return []
    rows = read_amounts([orders[one.key] for one in lacking])
    fillings = [_Filling(orders[one.key], one.stated, rows[one.key]) for one in lacking]
    buyers = _buyers(fillings)
    for one in fillings:
        _fill_money(one)
        _fill_buyer(one, buyers)
        _fill_addresses(one)
        if one.what:
            one.order.search_text = stated_search_text(one.order, one.stated)
    return fillings


def _lacks(order: Order, stated: NeutralOrder, holds: Iterable[Hold]) -> bool:
    return (
        order.total_sent_amount is None
        or order.total_computed_amount is None
        or order.tax_amount is None
        or (order.ship_to_id is None and stated.ship_to is not None)
        or (order.bill_to_id is None and stated.bill_to is not None)
        or (not order.email and bool(email_of(stated)))
        or any(hold.kind == HoldKind.AWAITING_DETAILS for hold in holds)
    )


def _buyers(fillings: Sequence[_Filling]) -> Mapping[str, Customer]:
    return find_or_make_customers(
        (one.stated, language_of(one.stated, one.order.sales_channel.language))
        for one in fillings
        if not one.order.email
    )


def _fill_money(one: _Filling) -> None:
    order = one.order
    if fill_amounts(one.rows, one.stated):
        one.what.append("amounts")
    if order.total_sent_amount is None and one.stated.total_amount is not None:
        order.total_sent_amount = one.stated.total_amount
        one.what.append("total")
    if order.total_sent_amount is not None and order.total_computed_amount is not None:
        order.total_difference_amount = order.total_sent_amount - order.total_computed_amount
        if order.changed_amount:
            order.total_difference_amount += order.changed_amount


def _fill_buyer(one: _Filling, buyers: Mapping[str, Customer]) -> None:
    if not one.order.email and (email := email_of(one.stated)):
        order = one.order
        order.email = email
        if order.customer_id is None and (customer := buyers.get(email)) is not None:
            order.customer = customer
            order.search_text = with_customer(order.search_text, name=customer.name, phone=customer.phone)
        one.what.append("email")


def _fill_addresses(one: _Filling) -> None:
    order, stated = one.order, one.stated
    if order.ship_to_id is None and stated.ship_to is not None:
        order.ship_to, one.cut = _address(one, stated.ship_to)
        one.what.append("address")
    if order.bill_to_id is None and stated.bill_to is not None:
        is_same = stated.bill_to == stated.ship_to and "address" in one.what
        order.bill_to = order.ship_to if is_same else _address(one, stated.bill_to)[0]
        one.what.append("bill_to")


def _address(one: _Filling, stated: NeutralAddress) -> tuple[Address, tuple[str, ...]]:
    texts = {name: getattr(stated, name) for name in ADDRESS_FIELDS}
    cut = tuple(name for name, text in texts.items() if len(text.strip()) > limit_of(Address, name))
    row = Address(
        customer=one.order.customer, **{name: fit(Address, name, text) for name, text in texts.items()}
    )
    one.addresses.append(row)
    return row, cut


def _write(fillings: Sequence[_Filling], actor: Actor) -> None:
    Address.objects.bulk_create([row for one in fillings for row in one.addresses])
    write_amounts([one.rows for one in fillings])
    for one in fillings:
        one.order.version += 1
        # Set again now that the addresses have their keys.
        one.order.ship_to, one.order.bill_to = one.order.ship_to, one.order.bill_to
    Order.objects.bulk_update([one.order for one in fillings], ORDER_COLUMNS)
    record_events([_entry(one) for one in fillings], actor=actor)


def _settle_cancelled(fillings: Sequence[_Filling], actor: Actor) -> None:
    """What was cancelled before anybody knew what it costs; no statement where nothing was."""
    cut = [
        one.order.pk
        for one in fillings
        if any(part.cancelled for parts in one.rows.parts.values() for part in parts)
    ]
    if cut:
        orders = [one.order for one in fillings if one.order.pk in cut]
        settle_cancelled(orders, parts_by_order(cut))
        ask_for_no_money(orders, actor=actor)


def _entry(one: _Filling) -> Entry:
    facts: dict[str, Any] = {"what": one.what}
    return Entry(("order", one.order.pk), Thread("order", one.order.pk), FILLED, facts=facts)
