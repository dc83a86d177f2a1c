"""How an order of a file differs from the order that we have, field by field, and whether it may be brought in line."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise

from config.kernel.fastpath import Among
from config.kernel.languages import joined
from config.kernel.money import ZERO
from config.kernel.texts import storable
from orders.enums import ChargeKind, HoldKind
from orders.models import Address, Charge, LinePart, Order, OrderLine
from orders.neutral import NeutralAddress, NeutralOrder
from orders.selectors.holds import open_holds
from orders.services.customers import ADDRESS_FIELDS, email_of
from orders.services.importing.goods import GoodsChange, changed, plan_goods, shipping_of, worth
from orders.services.proposals.wishes import Wish
from orders.services.texts import fit
from orders.warehouse import asked_of_warehouse

NOTHING = GoodsChange()


@dataclass(frozen=True, slots=True)
class Difference:
    """`changes` are {"field", "before", "after"}, `wishes` those that a change of lines or amounts makes.

    `refusal` is the problem code where they may not be made, `why` the words that complete it.
    """

    number: str
    changes: tuple[dict[str, str], ...] = ()
    wishes: tuple[Wish, ...] = ()
    refusal: str = ""
    why: str | Promise = ""


def compare(stated: Mapping[int, NeutralOrder]) -> dict[int, Difference]:
    """Differences by order pk: six statements, and a dozen more where lines or amounts differ. The orders are of one
    sales channel. What the file does not state is no difference."""
    if not stated:
        return {}
    orders = {
        order.pk: order
        for order in Order.objects.filter(Among("pk", stated)).select_related("ship_to", "bill_to")
    }
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.filter(Among("order_id", stated)).order_by("pk"):
        lines[line.order_id].append(line)
    shipping = _shipping(list(stated))
    differing = [
        orders[pk]
        for pk, order in stated.items()
        if _goods_differ(orders[pk], lines[pk], order) or _shipping_differs(shipping.get(pk, ZERO), order)
    ]
    goods = plan_goods(differing, stated)
    busy = _at_work(list(stated))
    held = open_holds(list(stated))
    in_the_way = {
        pk: "import_open" for pk, holds in held.items() if any(hold.kind == HoldKind.IMPORT for hold in holds)
    } | dict.fromkeys(busy, "at_work")
    return {
        pk: _difference(orders[pk], order, goods.get(pk, NOTHING), in_the_way.get(pk, ""))
        for pk, order in stated.items()
    }


def _shipping(order_ids: Sequence[int]) -> dict[int, Decimal]:
    """What the buyers pay for shipping, by order."""
    rows = Charge.objects.filter(Among("order_id", order_ids), kind=ChargeKind.SHIPPING)
    found: dict[int, Decimal] = defaultdict(Decimal)
    for order_id, total in rows.values_list("order_id", "total_amount"):
        found[order_id] += total or ZERO
    return found


def _shipping_differs(paid: Decimal, stated: NeutralOrder) -> bool:
    asked = shipping_of(stated)
    return asked is not None and asked != paid


def _at_work(order_ids: Sequence[int]) -> set[int]:
    """Orders of which the warehouse has been asked, or that have left in part."""
    parts = list(LinePart.objects.filter(Among("line__order_id", order_ids)).select_related("line"))
    asked = {one.part_id for one in asked_of_warehouse([part.pk for part in parts])}
    return {
        part.line.order_id for part in parts if part.pk in asked or part.picked or part.packed or part.shipped
    }


def _difference(order: Order, stated: NeutralOrder, goods: GoodsChange, in_the_way: str) -> Difference:
    changes = (*header_changes(order, stated), *goods.changes)
    if not changes and not goods.refusal:
        return Difference(order.number)
    if order.is_closed or order.is_history:
        return Difference(order.number, changes, refusal="closed", why=order.number)
    if in_the_way:
        return Difference(order.number, changes, refusal=in_the_way, why=order.number)
    if goods.refusal:
        why = joined((order.number, goods.refusal), ": ")
        return Difference(order.number, changes, refusal="lines_differ", why=why)
    return Difference(order.number, changes, tuple(goods.wishes))


def header_changes(order: Order, stated: NeutralOrder) -> tuple[dict[str, str], ...]:
    """Changes of the fields that an update writes."""
    found = []
    texts = {
        "note": storable(stated.note),
        "shipping_method": fit(Order, "shipping_method", stated.shipping_method),
        "email": email_of(stated),
    }
    for name, text in texts.items():
        if text and text.strip() != getattr(order, name).strip():
            found.append(changed(name, getattr(order, name), text))
    if stated.required_on is not None and stated.required_on != order.required_on:
        found.append(changed("required_on", order.required_on or "", stated.required_on))
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
            found.append(changed(f"{use}.{name}", before, text))
    return found


def _goods_differ(order: Order, lines: Sequence[OrderLine], stated: NeutralOrder) -> bool:
    # What a confirmed change took off stays as a line of 0 units, which no file states.
    ours = Counter(
        (line.sku_code, line.quantity, _amount(line.total_amount)) for line in lines if line.quantity
    )
    theirs = Counter(
        (fit(OrderLine, "sku_code", line.sku_code), line.quantity, _amount(worth(line)))
        for line in stated.lines
    )
    total, owed = stated.total_amount, order.agreed_amount
    is_other_total = total is not None and order.total_sent_amount is not None and total != owed
    return ours != theirs or is_other_total


def _amount(value: Decimal | None) -> str:
    return "" if value is None else format(value, ".4f")
