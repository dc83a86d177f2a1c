"""What actions make of an order: its lines, prices, taxes and sums afterwards, to the coin. Pure.

Actions are taken in sequence. One that cannot be done is left out and answered with its refusal, so that the rest
can still be looked at; whoever confirms refuses the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from config.kernel.errors import BancaleError
from config.kernel.money import ZERO, round_money
from config.kernel.quantities import MOST_UNITS
from orders.change_money import discounted, priced, scaled, taxed
from orders.change_refusals import (
    amount_out_of_range,
    no_line,
    nothing_to_discount,
    price_below_discount,
    units_out_of_range,
)
from orders.change_shapes import Basis, Charge, Line, Part, Priced, Shape, Tax
from orders.changes import (
    Action,
    AddLine,
    GiveDiscount,
    RemoveLine,
    SetAddress,
    SetPrice,
    SetQuantity,
    SetShipping,
)
from orders.enums import ChargeKind
from orders.errors import AmountsAwaited, BelowLeast, NothingLeft
from orders.intake_rules import fits


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line before and after; None where it was not there, or is not any more."""

    before: Line | None
    after: Line | None

    @property
    def ref(self) -> int:
        return (self.after or self.before).ref  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """An order before and after; by position the actions that cannot be done (0 is the whole), and around each that
    can what was before and after it."""

    before: Shape
    after: Shape
    refusals: Mapping[int, BancaleError] = field(default_factory=dict)
    steps: Mapping[int, "tuple[Shape, Shape]"] = field(default_factory=dict)

    @property
    def lines(self) -> list[LineChange]:
        """The lines that differ, in their sequence."""
        old = {line.ref: line for line in self.before.lines}
        changed = [(old.get(line.ref), line) for line in self.after.lines if old.get(line.ref) != line]
        return [LineChange(before, after) for before, after in changed]

    @property
    def charges(self) -> list[Charge]:
        """The charges that differ, as they are afterwards."""
        return [charge for charge in self.after.charges if charge not in self.before.charges]

    @property
    def less(self) -> dict[int, int]:
        """Units taken away, by part."""
        return {pk: -units for pk, units in self._units().items() if units < 0}

    @property
    def more(self) -> dict[int, int]:
        """Units added to parts that are there."""
        return {pk: units for pk, units in self._units().items() if units > 0}

    @property
    def growing(self) -> set[int]:
        """SKUs of which the warehouse is asked for more units."""
        more = self.more
        return {
            part.sku_id
            for line in self.after.lines
            for part in (line.parts if line.is_shipped else ())
            if part.sku_id is not None and (part.pk in more or (part.pk is None and part.ordered))
        }

    def _units(self) -> dict[int, int]:
        old = {part.pk: part.ordered for line in self.before.lines for part in line.parts}
        return {
            part.pk: part.ordered - old[part.pk]
            for line in self.after.lines
            for part in line.parts
            if part.pk is not None and part.ordered != old[part.pk]
        }

    @property
    def added_amount(self) -> Decimal | None:
        """What the change adds to the order's total; None while either sum is unknown."""
        before, after = self.before.sums().total, self.after.sums().total
        return None if before is None or after is None else after - before

    @property
    def new_address(self) -> bool:
        return self.before.address_id != self.after.address_id

    @property
    def new_method(self) -> bool:
        return self.before.shipping_method != self.after.shipping_method


def plan_change(shape: Shape, actions: Mapping[int, Action]) -> ChangePlan:
    """The order after `actions`, by position, in ascending sequence."""
    after = shape
    refusals: dict[int, BancaleError] = {}
    steps: dict[int, tuple[Shape, Shape]] = {}
    for position, action in sorted(actions.items()):
        try:
            new = _do(after, position, action)
            _check_amounts(new)
            steps[position] = (after, new)
            after = new
        except BancaleError as refusal:
            refusals[position] = refusal
    if actions and not any(line.quantity > line.units("cancelled") for line in after.lines):
        refusals[0] = NothingLeft(number=shape.number)
    return ChangePlan(shape, after, refusals, steps)


def _do(shape: Shape, position: int, action: Action) -> Shape:
    if _costs(action) and shape.sums().total is None:
        raise AmountsAwaited(number=shape.number)
    match action:
        case AddLine():
            return replace(shape, lines=(*shape.lines, _new_line(shape, position, action)))
        case RemoveLine():
            line = _find(shape, action.line)
            shipped = line.units("shipped") + line.units("in_hand")
            if shipped:
                raise _below(shape, line, 0)
            return _with(shape, _resized(shape, line, line.least))
        case SetQuantity():
            return _with(shape, _resized(shape, _find(shape, action.line), action.quantity))
        case SetPrice():
            return _with(shape, _repriced(shape, _find(shape, action.line), action.unit_amount))
        case GiveDiscount():
            return _discounted(shape, action)
        case SetAddress():
            return replace(shape, address_id=action.address_id)
        case SetShipping():
            return _shipping(shape, action)


def _check_amounts(shape: Shape) -> None:
    sums = shape.sums()
    amounts = (*(line.price.amount for line in shape.lines), *sums)
    if too_large := [amount for amount in amounts if amount is not None and not fits(amount)]:
        raise amount_out_of_range(too_large[0])


def _costs(action: Action) -> bool:
    """Whether an action moves what is owed, which has no sum to move while the channel has not stated its amounts."""
    if isinstance(action, SetShipping):
        return action.amount is not None
    return not isinstance(action, SetPrice | SetAddress)


def _find(shape: Shape, ref: int) -> Line:
    for line in shape.lines:
        if line.ref == ref:
            return line
    raise no_line(ref)


def _with(shape: Shape, *lines: Line) -> Shape:
    new = {line.ref: line for line in lines}
    return replace(shape, lines=tuple(new.get(line.ref, line) for line in shape.lines))


def _new_line(shape: Shape, position: int, action: AddLine) -> Line:
    taxes = tuple(Tax(tax.title, tax.rate, None, tax.owner) for tax in action.taxes)
    price = priced(shape, action.unit_amount, action.quantity, Priced(None, (), taxes))
    shares = action.shares
    parts = (
        (Part(None, action.sku_id, 1, 1, action.quantity),)
        if shares is None
        else tuple(
            Part(
                None,
                share.sku_id,
                share.per_unit,
                share.value_weight,
                action.quantity * share.per_unit,
            )
            for share in shares
        )
    )
    _check_units(action.quantity, parts)
    return Line(
        ref=-position,
        sku_id=action.sku_id,
        sku_code=action.sku_code,
        title=action.title,
        quantity=action.quantity,
        unit_amount=action.unit_amount,
        price=price,
        basis=Basis(action.quantity, price),
        parts=parts,
    )


def _check_units(quantity: int, parts: Sequence[Part]) -> None:
    most = MOST_UNITS // max((part.per_unit for part in parts), default=1)
    if not 0 < quantity <= most:
        raise units_out_of_range(quantity, most)


def _below(shape: Shape, line: Line, asked: int) -> BelowLeast:
    return BelowLeast(
        number=shape.number,
        line=line.name,
        asked=asked,
        least=line.least,
        shipped=line.units("shipped"),
        packed=line.units("in_hand"),
        cancelled=line.units("cancelled"),
    )


def _resized(shape: Shape, line: Line, quantity: int) -> Line:
    if quantity < line.least:
        raise _below(shape, line, quantity)
    if quantity:
        _check_units(quantity, line.parts)
    parts = tuple(replace(part, ordered=quantity * part.per_unit) for part in line.parts)
    return replace(line, quantity=quantity, price=scaled(shape, line, quantity), parts=parts)


def _repriced(shape: Shape, line: Line, unit_amount: Decimal) -> Line:
    price = priced(shape, unit_amount, line.quantity, line.price)
    if price.discount and price.total is not None and price.total < 0:
        raise price_below_discount(unit_amount, price.discount)
    return replace(line, unit_amount=unit_amount, price=price, basis=Basis(line.quantity, price))


def _discounted(shape: Shape, action: GiveDiscount) -> Shape:
    chosen = shape.lines if action.line is None else (_find(shape, action.line),)
    lines = [line for line in chosen if not line.is_cancelled and (line.price.total or ZERO) > 0]
    if not lines:
        raise nothing_to_discount(action.line)
    prices = discounted(shape, [line.price for line in lines], action)
    return _with(
        shape,
        *(
            replace(line, price=price, basis=Basis(line.quantity, price))
            for line, price in zip(lines, prices, strict=True)
        ),
    )


def _shipping(shape: Shape, action: SetShipping) -> Shape:
    """What the buyer pays for shipping in all goes to the first such charge; further ones cost nothing then."""
    shape = replace(shape, shipping_method=action.method or shape.shipping_method)
    if action.amount is None:
        return shape
    amount = round_money(action.amount, shape.currency)
    old = [charge for charge in shape.charges if charge.kind == ChargeKind.SHIPPING]
    if not old:
        taxes = tuple(Tax(tax.title, tax.rate, None, tax.owner) for tax in action.taxes)
        new = Charge(None, ChargeKind.SHIPPING, action.method, taxed(shape, Priced(None, (), taxes), amount))
        return replace(shape, charges=(*shape.charges, new))
    costs = {charge.pk: amount if charge is old[0] else ZERO for charge in old}
    return replace(shape, charges=tuple(_costing(shape, charge, costs) for charge in shape.charges))


def _costing(shape: Shape, charge: Charge, costs: Mapping[int | None, Decimal]) -> Charge:
    if charge.pk not in costs:
        return charge
    price = taxed(shape, replace(charge.price, shares=()), costs[charge.pk], charge.price)
    return replace(charge, price=price)
