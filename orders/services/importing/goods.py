"""Lines and amounts that a file states anew of a known order, as the wishes of a change that makes it so.

A line of the file is a line of ours by its SKU; where one SKU stands twice, by what the lines have in common, then
by their sequence. What a change cannot bring to the file's own figures, to the coin, is refused with both.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError
from config.kernel.languages import filled
from config.kernel.money import ZERO, round_money
from orders.change_planner import ChangePlan, plan_change
from orders.change_shapes import Line, Shape
from orders.changes import Action, GiveDiscount, RemoveLine, SetPrice, SetQuantity, SetShipping
from orders.enums import ChargeKind
from orders.models import Order, OrderLine
from orders.neutral import NeutralLine, NeutralOrder
from orders.parts import KnownSku
from orders.selectors.proposals import read_shapes
from orders.services.known_skus import find_skus
from orders.services.proposals.adding import MOST_ACTIONS
from orders.services.proposals.locking import fixed
from orders.services.proposals.wishes import NewLine, Wish, freeze
from orders.services.texts import fit

Changes = list[dict[str, str]]
SHOWN = 200


@dataclass(slots=True)
class GoodsChange:
    """What is to be wished for one order, field by field in words of figures, or why it cannot be had."""

    wishes: list[Wish] = field(default_factory=list)
    changes: Changes = field(default_factory=list)
    refusal: str | Promise | BancaleError = ""


@dataclass(slots=True)
class _Draft:
    """A change while it is worked out; `pairs` are the file's lines by the reference of ours."""

    shape: Shape
    stated: NeutralOrder
    change: GoodsChange = field(default_factory=GoodsChange)
    pairs: dict[int, NeutralLine] = field(default_factory=dict)

    def wish(self, wish: Wish, name: str, before: object, after: object) -> None:
        self.change.wishes.append(wish)
        self.change.changes.append(changed(name, before, after))

    def refuse(self, why: str | Promise | BancaleError) -> None:
        self.change.refusal = self.change.refusal or why

    def money(self, amount: Decimal | None) -> str:
        """An amount in the order's coins; finer ones with the decimals that they have."""
        if amount is None:
            return ""
        coins = round_money(amount, self.shape.currency)
        return f"{coins:f}" if coins == amount else f"{amount.normalize():f}"


def changed(name: str, before: object, after: object) -> dict[str, str]:
    return {"field": name, "before": str(before)[:SHOWN], "after": str(after)[:SHOWN]}


def plan_goods(orders: Sequence[Order], stated: Mapping[int, NeutralOrder]) -> dict[int, GoodsChange]:
    """By order pk how its lines and amounts become those of the file: a dozen statements, however many.

    The orders are of one sales channel. Nothing is written.
    """
    if not orders:
        return {}
    shapes = read_shapes(orders)
    codes = {line.sku_code for order in orders for line in stated[order.pk].lines}
    skus = find_skus(codes, sales_channel_id=orders[0].sales_channel_id)
    drafts = {order.pk: _draft(_Draft(shapes[order.pk], stated[order.pk]), skus) for order in orders}
    frozen = freeze({pk: draft.change.wishes for pk, draft in drafts.items()}, shapes)
    for order in orders:
        draft, one = drafts[order.pk], frozen[order.pk]
        if (problem := one.problem or fixed(order)) is not None:
            draft.refuse(problem)
        elif order.currency != draft.stated.currency:
            draft.refuse(f"{order.currency} ≠ {draft.stated.currency}")
        else:
            _settle(draft, one.actions, order)
    return {pk: draft.change for pk, draft in drafts.items()}


def _draft(draft: _Draft, skus: Mapping[str, KnownSku]) -> _Draft:
    """Everything but discounts, which can only be told from what the rest comes to."""
    ours = [line for line in draft.shape.lines if line.quantity]
    theirs = list(draft.stated.lines)
    pairs = _match(ours, theirs)
    for line, other in pairs:
        draft.pairs[line.ref] = other
        if other.quantity != line.quantity:
            draft.wish(
                SetQuantity(line.ref, other.quantity), f"quantity:{line.name}", line.quantity, other.quantity
            )
        if other.unit_amount is not None and other.unit_amount != line.unit_amount:
            before, after = draft.money(line.unit_amount), draft.money(other.unit_amount)
            draft.wish(SetPrice(line.ref, other.unit_amount), f"price:{line.name}", before, after)
    known = {line.ref for line, _other in pairs}
    for line in ours:
        if line.ref not in known:
            draft.wish(RemoveLine(line.ref), f"line:{line.name}", _goods(draft, line), "")
    met = {id(other) for _line, other in pairs}
    for other in theirs:
        if id(other) not in met:
            _add(draft, other, skus.get(other.sku_code))
    _shipping(draft)
    return draft


def _match(ours: Sequence[Line], theirs: Sequence[NeutralLine]) -> list[tuple[Line, NeutralLine]]:
    """Equal lines first, then those of one SKU in their sequence."""
    by_code: dict[str, list[Line]] = defaultdict(list)
    for line in ours:
        by_code[line.sku_code].append(line)
    found: list[tuple[Line, NeutralLine]] = []
    left = list(theirs)
    for is_alike in _ALIKE:
        for other in tuple(left):
            some = by_code[fit(OrderLine, "sku_code", other.sku_code)]
            ours_alike = next((one for one in some if is_alike(one, other)), None)
            if ours_alike is not None:
                found.append((ours_alike, other))
                some.remove(ours_alike)
        met = {id(other) for _line, other in found}
        left = [other for other in left if id(other) not in met]
    return found


_ALIKE: tuple[Callable[[Line, NeutralLine], bool], ...] = (
    lambda line, other: line.quantity == other.quantity and line.price.total == worth(other),
    lambda line, other: line.quantity == other.quantity or line.unit_amount == other.unit_amount,
    lambda line, other: True,
)


def worth(line: NeutralLine) -> Decimal | None:
    """What a line comes to after its discounts; unknown where the file states no price."""
    if line.subtotal_amount is None:
        return None
    return line.subtotal_amount - sum((one.amount for one in line.discounts), ZERO)


def _goods(draft: _Draft, line: Line) -> str:
    price = draft.money(line.unit_amount)
    return f"{line.quantity} × {price}" if price else str(line.quantity)


def _add(draft: _Draft, other: NeutralLine, sku: KnownSku | None) -> None:
    name = other.sku_code or other.title
    if sku is None:
        draft.refuse(
            filled(_("“%(code)s” is no SKU that we know, and only a known one can be added"), {"code": name})
        )
    elif other.unit_amount is None:
        draft.refuse(filled(_("%(code)s has no price in the file, and a new line needs one"), {"code": name}))
    else:
        rates = {tax.rate for tax in other.taxes}
        rate = rates.pop() if len(rates) == 1 else None
        wish = NewLine(sku.pk, other.quantity, other.unit_amount, rate)
        draft.wish(wish, f"line:{name}", "", f"{other.quantity} × {draft.money(other.unit_amount)}")
        # A line that an action adds is named by minus that action's position, which begin at 1.
        draft.pairs[-len(draft.change.wishes)] = other


def shipping_of(stated: NeutralOrder) -> Decimal | None:
    """What the buyer pays for shipping in all; unknown where the file states none."""
    charges = [charge for charge in stated.charges if charge.kind == ChargeKind.SHIPPING]
    if not charges or any(charge.amount is None for charge in charges):
        return None
    less = sum((one.amount for charge in charges for one in charge.discounts), ZERO)
    return sum((charge.amount or ZERO for charge in charges), -less)


def _shipping(draft: _Draft) -> None:
    after = shipping_of(draft.stated)
    kept = [charge for charge in draft.shape.charges if charge.kind == ChargeKind.SHIPPING]
    before = sum((charge.price.total or ZERO for charge in kept), ZERO)
    if after is not None and before != after:
        draft.wish(SetShipping("", after), "shipping_amount", draft.money(before), draft.money(after))


def _settle(draft: _Draft, actions: Sequence[Action], order: Order) -> None:
    """Give the discounts that are missing, then hold what comes of it against the file's own figures."""
    plan = plan_change(draft.shape, dict(enumerate(actions, 1)))
    for line, have, want in _gaps(draft, plan):
        name = f"discount:{line.name}"
        before, after = line.price.discount, line.price.discount + have - want
        draft.wish(GiveDiscount(line.ref, amount=have - want), name, draft.money(before), draft.money(after))
        actions = [*actions, GiveDiscount(line.ref, amount=have - want)]
    plan = plan_change(draft.shape, dict(enumerate(actions, 1)))
    _hold_against(draft, plan, order)


def _gaps(draft: _Draft, plan: ChangePlan) -> Iterable[tuple[Line, Decimal, Decimal]]:
    """Lines that come to more than the file says; less cannot be mended by a discount."""
    for line in plan.after.lines:
        other = draft.pairs.get(line.ref)
        want = worth(other) if other is not None else None
        have = line.price.total
        if want is not None and have is not None and have > want:
            yield line, have, want


def _hold_against(draft: _Draft, plan: ChangePlan, order: Order) -> None:
    for problem in plan.refusals.values():
        draft.refuse(problem)
    if len(draft.change.wishes) > MOST_ACTIONS:
        draft.refuse(
            filled(_("at most %(most)s fields of an order are changed at once"), {"most": MOST_ACTIONS})
        )
    for line in plan.after.lines:
        other = draft.pairs.get(line.ref)
        want = worth(other) if other is not None else None
        if want is not None and line.price.total != want:
            _differs(draft, line.name, line.price.total, want)
    total = draft.stated.total_amount
    if total is None:
        return
    before, added = order.agreed_amount, plan.added_amount
    after = plan.after.sums().total if before is None or added is None else before + added
    if before is not None and before != total:
        draft.change.changes.append(changed("total", draft.money(before), draft.money(total)))
    if after is not None and after != total:
        _differs(draft, order.number, after, total)


def _differs(draft: _Draft, name: str, have: Decimal | None, want: Decimal) -> None:
    words = _("%(name)s would come to %(have)s, the file says %(want)s")
    draft.refuse(filled(words, {"name": name, "have": draft.money(have), "want": draft.money(want)}))
