"""How an order of a file differs from the order that we have, field by field, and whether it may be brought in line."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.kernel.fastpath import Among
from orders.models import Address, LinePart, Order, OrderLine
from orders.neutral import NeutralAddress, NeutralOrder
from orders.services.customers import ADDRESS_FIELDS, email_of
from orders.services.texts import fit
from orders.warehouse import asked_of_warehouse

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """`changes` are {"field", "before", "after"}. `refusal` is the problem code where they may not be made."""

    number: str
    changes: tuple[dict[str, str], ...] = ()
    refusal: str = ""


def compare(stated: Mapping[int, NeutralOrder]) -> dict[int, Difference]:
    """Differences by order pk: four statements. What the file does not state is no difference."""
    if not stated:
        return {}
    orders = {
        order.pk: order
        for order in Order.objects.filter(Among("pk", stated)).select_related("ship_to", "bill_to")
    }
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(Among("order_id", stated)).order_by("pk"):
        lines[line.order_id].append(line)
    busy = _at_work(list(stated))
    return {pk: _difference(orders[pk], lines[pk], order, pk in busy) for pk, order in stated.items()}


def _at_work(order_ids: Sequence[int]) -> set[int]:
    """Orders of which the warehouse has been asked, or that have left in part."""
    parts = list(LinePart.objects.filter(Among("line__order_id", order_ids)).select_related("line"))
    asked = {one.part_id for one in asked_of_warehouse([part.pk for part in parts])}
    return {
        part.line.order_id for part in parts if part.pk in asked or part.picked or part.packed or part.shipped
    }


def _difference(order: Order, lines: Sequence[OrderLine], stated: NeutralOrder, is_busy: bool) -> Difference:
    goods = _goods_changes(order, lines, stated)
    changes = (*header_changes(order, stated), *goods)
    if not changes:
        return Difference(order.number)
    if order.is_closed or order.is_history:
        return Difference(order.number, changes, "closed")
    if is_busy:
        return Difference(order.number, changes, "at_work")
    if goods:
        return Difference(order.number, changes, "lines_differ")
    return Difference(order.number, changes)


def header_changes(order: Order, stated: NeutralOrder) -> tuple[dict[str, str], ...]:
    """Changes of the fields that an update writes."""
    found = []
    texts = {
        "note": stated.note.replace("\x00", ""),
        "shipping_method": fit(Order, "shipping_method", stated.shipping_method),
        "email": email_of(stated),
    }
    for name, text in texts.items():
        if text and text.strip() != getattr(order, name).strip():
            found.append(_change(name, getattr(order, name), text))
    if stated.required_on is not None and stated.required_on != order.required_on:
        found.append(_change("required_on", order.required_on or "", stated.required_on))
    for use, address in (("ship_to", stated.ship_to), ("bill_to", stated.bill_to)):
        if address is not None:
            found += _address_changes(use, getattr(order, use), address)
    return tuple(found)


def _address_changes(use: str, kept: Address | None, stated: NeutralAddress) -> list[dict[str, str]]:
    found = []
    for name in ADDRESS_FIELDS:
        text = fit(Address, name, getattr(stated, name))
        before = getattr(kept, name) if kept is not None else ""
        if text != before and (text or name not in ("email",)):
            found.append(_change(f"{use}.{name}", before, text))
    return found


def _goods_changes(
    order: Order, lines: Sequence[OrderLine], stated: NeutralOrder
) -> tuple[dict[str, str], ...]:
    # What a confirmed change took off stays as a line of 0 units, which no file states.
    kept = [line for line in lines if line.quantity]
    ours = Counter((line.sku_code, line.quantity, _amount(line.total_amount)) for line in kept)
    theirs = Counter(
        (
            fit(OrderLine, "sku_code", line.sku_code),
            line.quantity,
            _amount(_worth(line)),
        )
        for line in stated.lines
    )
    found = []
    if ours != theirs:
        found.append(_change("lines", _goods_text(ours - theirs), _goods_text(theirs - ours)))
    total = stated.total_amount
    if total is not None and order.total_sent_amount is not None and total != order.total_sent_amount:
        found.append(_change("total", order.total_sent_amount.normalize(), total.normalize()))
    return tuple(found)


def _worth(line: Any) -> Any:
    if line.subtotal_amount is None:
        return None
    return line.subtotal_amount - sum(one.amount for one in line.discounts)


def _amount(value: Any) -> str:
    return "" if value is None else format(value, ".4f")


def _goods_text(goods: Counter[tuple[str, int, str]]) -> str:
    return ", ".join(f"{count * quantity} × {code}" for (code, quantity, _), count in sorted(goods.items()))


def _change(name: str, before: object, after: object) -> dict[str, str]:
    return {"field": name, "before": str(before)[:SHOWN], "after": str(after)[:SHOWN]}
