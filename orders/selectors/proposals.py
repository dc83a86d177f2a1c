"""Orders as plain values that changes are planned on, and the proposals about them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from config.kernel.fastpath import Among
from orders.change_shapes import Basis, Charge, Line, Part, Priced, Shape, Share, Tax
from orders.changes import Action, read_action
from orders.models import Charge as ChargeRow
from orders.models import DiscountShare, LinePart, Order, OrderLine, Payment, ProposalAction, TaxLine

Owner = tuple[str, int]


def read_shapes(orders: Sequence[Order]) -> dict[int, Shape]:
    """Orders by id as values: five statements, however many."""
    ids = [order.pk for order in orders]
    shares, taxes = _shares(ids), _taxes(ids)
    parts: dict[int, list[LinePart]] = defaultdict(list)
    for part in LinePart.objects.filter(Among("line__order_id", ids)).order_by("pk"):
        parts[part.line_id].append(part)
    lines: dict[int, list[Line]] = defaultdict(list)
    for row in OrderLine.objects.filter(Among("order_id", ids)).order_by("order_id", "position"):
        price = Priced(row.subtotal_amount, tuple(shares["line", row.pk]), tuple(taxes["line", row.pk]))
        lines[row.order_id].append(line_shape(row, price, parts[row.pk]))
    charges: dict[int, list[Charge]] = defaultdict(list)
    for one in ChargeRow.objects.filter(Among("order_id", ids)).order_by("pk"):
        price = Priced(one.amount, tuple(shares["charge", one.pk]), tuple(taxes["charge", one.pk]))
        charges[one.order_id].append(Charge(one.pk, one.kind, one.title, price))
    return {
        order.pk: Shape(
            order.number,
            order.currency,
            order.prices_include_tax,
            tuple(lines[order.pk]),
            tuple(charges[order.pk]),
            order.shipping_method,
            order.ship_to_id,
        )
        for order in orders
    }


def line_shape(row: OrderLine, price: Priced, parts: Sequence[LinePart]) -> Line:
    """A line as a value, its parts in the sequence given."""
    return Line(
        ref=row.pk,
        sku_id=row.sku_id,
        sku_code=row.sku_code,
        title=row.title,
        quantity=row.quantity,
        unit_amount=row.unit_amount,
        price=price,
        basis=Basis(row.quantity, price),
        parts=tuple(map(_part, parts)),
        is_shipped=row.requires_shipping,
    )


def _part(row: LinePart) -> Part:
    return Part(
        pk=row.pk,
        sku_id=row.sku_id,
        per_unit=row.per_unit,
        value_weight=row.value_weight,
        ordered=row.ordered,
        cancelled=row.cancelled,
        shipped=row.shipped,
        in_hand=row.picked + row.packed,
    )


def _owner(row: Any) -> Owner:
    return ("line", row.line_id) if row.line_id is not None else ("charge", row.charge_id)


def _shares(order_ids: Sequence[int]) -> Mapping[Owner, list[Share]]:
    found: dict[Owner, list[Share]] = defaultdict(list)
    for row in DiscountShare.objects.filter(Among("order_id", order_ids)).order_by("pk"):
        found[_owner(row)].append(Share(row.code, row.title, row.amount))
    return found


def _taxes(order_ids: Sequence[int]) -> Mapping[Owner, list[Tax]]:
    found: dict[Owner, list[Tax]] = defaultdict(list)
    for row in TaxLine.objects.filter(Among("order_id", order_ids)).order_by("pk"):
        found[_owner(row)].append(Tax(row.title, row.rate, row.amount, row.owner))
    return found


def actions_by_proposal(proposal_ids: Iterable[int]) -> dict[int, dict[int, Action]]:
    """What proposals say, by position: one statement."""
    found: dict[int, dict[int, Action]] = defaultdict(dict)
    rows = ProposalAction.objects.filter(Among("proposal_id", proposal_ids)).order_by(
        "proposal_id", "position"
    )
    for row in rows:
        found[row.proposal_id][row.position] = read_action(row.kind, row.payload)
    return found


def paid_amounts(order_ids: Iterable[int]) -> dict[int, Decimal]:
    """What was captured and not refunded, by order; 0 where nothing was. One statement."""
    paid: dict[int, Decimal] = defaultdict(Decimal)
    rows = Payment.objects.filter(Among("order_id", order_ids))
    for order_id, captured, refunded in rows.values_list("order_id", "captured_amount", "refunded_amount"):
        paid[order_id] += captured - refunded
    return paid
