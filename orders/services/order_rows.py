"""The rows of new orders, built in memory from neutral orders, their primary keys taken before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from config.kernel.fastpath import Values, new_row, take_ids
from config.kernel.money import ZERO
from config.kernel.texts import storable
from orders.axes import PartState, PaymentState, derive_fulfillment, derive_payment
from orders.change_money import cancelled_value
from orders.change_shapes import Basis, Line, Part, Priced, Shape, Share, Tax
from orders.enums import FulfillmentStatus, NeutralState, OrderStatus
from orders.models import (
    Address,
    Charge,
    Customer,
    DiscountShare,
    Hold,
    Order,
    OrderLine,
    Payment,
    SalesChannel,
    TaxLine,
)
from orders.neutral import NeutralAddress, NeutralCharge, NeutralLine, NeutralOrder
from orders.parts import KnownSku, PartShare, split_line
from orders.phone import told_reference
from orders.search_texts import search_text, with_customer
from orders.services.customers import address_row, email_of, language_of
from orders.services.texts import fit
from orders.totals import Totals, recompute

ONE = Decimal(1)
# The columns of the rows that no other row points at, in the sequence of their values.
PART_COLUMNS = ("line_id", *PartShare._fields, "cancelled", "shipped", "delivered")
DISCOUNT_COLUMNS = ("order_id", "line_id", "charge_id", "code", "title", "amount")
TAX_COLUMNS = ("order_id", "line_id", "charge_id", "title", "rate", "amount", "owner")


@dataclass(frozen=True, slots=True)
class Ids:
    """Primary keys for the rows that other rows point at."""

    orders: Iterator[int]
    addresses: Iterator[int]
    lines: Iterator[int]
    charges: Iterator[int]
    payments: Iterator[int]


def take_order_ids(orders: Sequence[NeutralOrder]) -> Ids:
    """As many keys as the rows of these orders can need; one statement."""
    counts = {
        Order: len(orders),
        Address: sum(len(_stated_addresses(order)) for order in orders),
        OrderLine: sum(len(order.lines) for order in orders),
        Charge: sum(len(order.charges) for order in orders),
        Payment: sum(len(order.payments) for order in orders),
    }
    taken = take_ids(counts)
    return Ids(*(iter(taken[model]) for model in (Order, Address, OrderLine, Charge, Payment)))


@dataclass(frozen=True, slots=True)
class Context:
    """What the orders of one batch share: SKUs by code, customers by lower-case e-mail."""

    channel: SalesChannel
    skus: Mapping[str, KnownSku]
    customers: Mapping[str, Customer]
    ids: Ids
    at: datetime


@dataclass(slots=True)
class Draft:
    """One new order as unsaved rows that point at each other by key; holds are decided after the rows are known.

    `unknown_skus` are the codes, or titles, of lines that nobody knows.
    """

    neutral: NeutralOrder
    is_history: bool
    totals: Totals
    order: Order
    addresses: list[Address] = field(default_factory=list)
    cut_address: tuple[str, ...] = ()
    unknown_skus: tuple[str, ...] = ()
    lines: list[OrderLine] = field(default_factory=list)
    parts: list[Values] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    discounts: list[Values] = field(default_factory=list)
    taxes: list[Values] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to do: history, and what had left whole before we knew it."""
        return self.order.status == OrderStatus.COMPLETED

    @property
    def is_cancelled(self) -> bool:
        return self.neutral.state == NeutralState.CANCELLED and not self.is_over


def build(neutral: NeutralOrder, context: Context, *, is_history: bool) -> Draft:
    """All rows of one order but its number and its holds."""
    totals = recompute(neutral)
    skus = [context.skus.get(line.sku_code.strip()) for line in neutral.lines]
    worths = [worth(line) for line in neutral.lines]
    splits = [
        split_line(sku, quantity=line.quantity, total=total, currency=neutral.currency)
        for line, sku, total in zip(neutral.lines, skus, worths, strict=True)
    ]
    states = [
        [_state(share, line, neutral, is_history) for share in shares]
        for line, shares in zip(neutral.lines, splits, strict=True)
    ]
    off = _cancelled(neutral, splits, states)
    order = _order(neutral, context, totals, is_history=is_history, states=states, off=off)
    draft = Draft(neutral, is_history, totals, order)
    _addresses(draft, context.ids)
    unknown: dict[str, None] = {}
    for position, line in enumerate(neutral.lines):
        row = _line(draft, line, position + 1, skus[position], next(context.ids.lines))
        for share, state in zip(splits[position], states[position], strict=True):
            draft.parts.append((row.pk, *share, state.cancelled, state.shipped, state.delivered))
            if share.sku_id is None:
                unknown[row.sku_code or row.title] = None
    draft.unknown_skus = tuple(unknown)
    for charge in neutral.charges:
        _charge(draft, charge, next(context.ids.charges))
    draft.payments = _payments(draft, context)
    return draft


def _cancelled(
    neutral: NeutralOrder, splits: Sequence[Sequence[PartShare]], states: Sequence[Sequence[PartState]]
) -> Decimal:
    """What the rest of an order does not cost, of which a part had left before the channel cancelled it."""
    if neutral.state != NeutralState.CANCELLED or not any(state.shipped for some in states for state in some):
        return ZERO
    lines = []
    for line, shares, counters in zip(neutral.lines, splits, states, strict=True):
        parts = [
            Part(None, share.sku_id, share.per_unit, share.value_weight, share.ordered, state.cancelled)
            for share, state in zip(shares, counters, strict=True)
        ]
        given = tuple(Share("", "", one.amount) for one in line.discounts)
        taxes = tuple(Tax(one.title, one.rate, one.amount, one.owner) for one in line.taxes)
        price = Priced(line.subtotal_amount, given, taxes)
        basis = Basis(line.quantity, price)
        lines.append(Line(0, None, "", "", line.quantity, line.unit_amount, price, basis, tuple(parts)))
    return cancelled_value(Shape("", neutral.currency, neutral.prices_include_tax, tuple(lines)))


def worth(part: NeutralLine | NeutralCharge) -> Decimal | None:
    """What a line or charge costs after its discounts; None while its amount is unknown."""
    amount = part.subtotal_amount if isinstance(part, NeutralLine) else part.amount
    return None if amount is None else amount - _discount(part)


def _discount(part: NeutralLine | NeutralCharge) -> Decimal:
    return sum((discount.amount for discount in part.discounts), ZERO) if part.discounts else ZERO


def _tax(part: NeutralLine | NeutralCharge) -> Decimal | None:
    amounts = [tax.amount for tax in part.taxes]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), ZERO)


def _state(share: PartShare, line: NeutralLine, neutral: NeutralOrder, is_history: bool) -> PartState:
    """The counters that a part begins with. What the channel no longer waits for has left before we knew it."""
    left = line.shipped_quantity * share.per_unit if line.requires_shipping else 0
    if neutral.state == NeutralState.CANCELLED:
        return PartState(share.ordered, cancelled=share.ordered - left, shipped=left, delivered=left)
    if is_history and line.requires_shipping:
        left = share.ordered
    return PartState(share.ordered, shipped=left, delivered=left)


def _order(
    neutral: NeutralOrder,
    context: Context,
    totals: Totals,
    *,
    is_history: bool,
    states: Sequence[Sequence[PartState]],
    off: Decimal,
) -> Order:
    channel, email = context.channel, email_of(neutral)
    taxes = (totals.seller_tax, totals.marketplace_tax)
    lines = zip(neutral.lines, states, strict=True)
    stated = neutral.total_amount
    agreed = totals.computed_total if stated is None else stated
    goods = [state for line, parts in lines if line.requires_shipping for state in parts]
    standing = derive_fulfillment(goods)
    is_past = is_history and neutral.state != NeutralState.CANCELLED
    is_over = is_past or standing == FulfillmentStatus.DELIVERED
    customer = context.customers.get(email)
    return new_row(
        Order,
        id=next(context.ids.orders),
        sales_channel_id=channel.pk,
        external_id=neutral.external_id,
        external_number=fit(Order, "external_number", neutral.number),
        legal_entity_id=channel.legal_entity_id,
        customer_id=None if customer is None else customer.pk,
        email=email,
        language=language_of(neutral, channel.language),
        status=OrderStatus.COMPLETED if is_over else OrderStatus.PLACED,
        fulfillment_status=standing,
        undecided_quantity=sum(state.undecided for state in goods),
        payment_status=derive_payment(None if agreed is None else agreed - off, _payment_states(neutral)),
        is_history=is_history,
        is_test=neutral.is_test,
        shipping_method=fit(Order, "shipping_method", neutral.shipping_method),
        note=storable(neutral.note),
        currency=neutral.currency,
        exchange_rate=ONE if neutral.currency == channel.legal_entity.currency else None,
        prices_include_tax=neutral.prices_include_tax,
        lines_amount=totals.lines,
        discount_amount=totals.discounts,
        charges_amount=totals.charges,
        tax_amount=None if None in taxes else sum((tax for tax in taxes if tax is not None), ZERO),
        total_computed_amount=totals.computed_total,
        total_sent_amount=stated,
        cancelled_amount=off,
        total_difference_amount=totals.difference,
        placed_at=neutral.placed_at,
        accepted_at=context.at,
        confirmed_at=neutral.placed_at if is_past else None,
        completed_at=neutral.placed_at if is_past else context.at if is_over else None,
        required_on=neutral.required_on,
        search_text="" if customer is None else with_customer("", name=customer.name, phone=customer.phone),
    )


def stated_search_text(order: Order, neutral: NeutralOrder) -> str:
    """What the order is found by, from what its channel states now beside what was known of it."""
    places = [place for place in (neutral.ship_to, neutral.bill_to) if place is not None]
    text = search_text(
        known=order.search_text,
        references=(order.number, order.external_number, told_reference(order.external_id)),
        names=(neutral.buyer.name, *(text for place in places for text in (place.name, place.company))),
        email=order.email,
        phones=(neutral.buyer.phone, *(place.phone for place in places)),
    )
    return storable(text)


def _payment_states(neutral: NeutralOrder) -> list[PaymentState]:
    return [
        PaymentState(one.status, one.authorised_amount, one.captured_amount, one.refunded_amount)
        for one in neutral.payments
    ]


def _stated_addresses(neutral: NeutralOrder) -> list[NeutralAddress]:
    """The addresses to keep: one snapshot for both uses where the channel states the same twice."""
    stated = [] if neutral.ship_to is None else [neutral.ship_to]
    if neutral.bill_to is not None and neutral.bill_to != neutral.ship_to:
        stated.append(neutral.bill_to)
    return stated


def _addresses(draft: Draft, ids: Ids) -> None:
    neutral, order = draft.neutral, draft.order
    if neutral.ship_to is not None:
        row, draft.cut_address = address_row(neutral.ship_to, next(ids.addresses), order.customer_id)
        draft.addresses.append(row)
        order.ship_to_id = row.pk
    if neutral.bill_to is not None and neutral.bill_to == neutral.ship_to:
        order.bill_to_id = order.ship_to_id
    elif neutral.bill_to is not None:
        row, _cut = address_row(neutral.bill_to, next(ids.addresses), order.customer_id)
        draft.addresses.append(row)
        order.bill_to_id = row.pk


def _line(draft: Draft, line: NeutralLine, position: int, sku: KnownSku | None, pk: int) -> OrderLine:
    row = new_row(
        OrderLine,
        id=pk,
        order_id=draft.order.pk,
        position=position,
        external_id=line.external_id,
        sku_id=None if sku is None else sku.pk,
        sku_code=fit(OrderLine, "sku_code", line.sku_code),
        title=fit(OrderLine, "title", line.title),
        quantity=line.quantity,
        requires_shipping=line.requires_shipping,
        unit_amount=line.unit_amount,
        subtotal_amount=line.subtotal_amount,
        discount_amount=_discount(line),
        total_amount=worth(line),
        tax_amount=_tax(line),
    )
    draft.lines.append(row)
    _shares(draft, line, line_id=pk)
    return row


def _charge(draft: Draft, charge: NeutralCharge, pk: int) -> None:
    row = new_row(
        Charge,
        id=pk,
        order_id=draft.order.pk,
        kind=charge.kind,
        external_id=fit(Charge, "external_id", charge.external_id),
        title=fit(Charge, "title", charge.title),
        amount=charge.amount,
        discount_amount=_discount(charge),
        total_amount=worth(charge),
        tax_amount=_tax(charge),
    )
    draft.charges.append(row)
    _shares(draft, charge, charge_id=pk)


def _shares(
    draft: Draft,
    part: NeutralLine | NeutralCharge,
    *,
    line_id: int | None = None,
    charge_id: int | None = None,
) -> None:
    """Discount shares and tax lines of one line or charge, as the values of their columns."""
    order_id = draft.order.pk
    draft.discounts += [
        (
            order_id,
            line_id,
            charge_id,
            fit(DiscountShare, "code", one.code),
            fit(DiscountShare, "title", one.title),
            one.amount,
        )
        for one in part.discounts
    ]
    draft.taxes += [
        (order_id, line_id, charge_id, fit(TaxLine, "title", one.title), one.rate, one.amount, one.owner)
        for one in part.taxes
    ]


def _payments(draft: Draft, context: Context) -> list[Payment]:
    return [
        new_row(
            Payment,
            id=next(context.ids.payments),
            order_id=draft.order.pk,
            provider=one.provider,
            external_id=one.external_id,
            status=one.status,
            owner=one.owner,
            currency=draft.neutral.currency,
            authorised_amount=one.authorised_amount,
            captured_amount=one.captured_amount,
            refunded_amount=one.refunded_amount,
            reported_at=context.at,
        )
        for one in draft.neutral.payments
    ]
