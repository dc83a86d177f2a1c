"""Prices, discounts and taxes after a change, rounded to the smallest coin; what is unknown stays unknown. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from config.kernel.money import ZERO, coin, round_money, split_amount
from orders.change_refusals import discount_out_of_range
from orders.change_shapes import Basis, Line, Priced, Shape, Share, Tax, add
from orders.changes import GiveDiscount

HUNDRED = Decimal(100)


def priced(shape: Shape, unit_amount: Decimal, quantity: int, before: Priced) -> Priced:
    """So many units at a price, the discounts as they are."""
    amount = round_money(unit_amount * quantity, shape.currency)
    return taxed(shape, before, amount, before)


def scaled(shape: Shape, line: Line, quantity: int) -> Priced:
    """A line's price for another quantity. Discounts go with the units, as do taxes.

    What the unit price explains is multiplied; what it does not, because the channel rounded otherwise, is scaled
    from the quantity that the price was stated for.
    """
    basis, unit = line.basis, line.unit_amount
    if quantity == basis.quantity or basis.price.amount is None:
        return basis.price
    if basis.quantity == 0:
        amount = ZERO if unit is None else round_money(unit * quantity, shape.currency)
        return taxed(shape, replace(basis.price, shares=()), amount, basis.price)
    exact = unit is not None and round_money(unit * basis.quantity, shape.currency) == basis.price.amount
    if exact and unit is not None:
        amount = round_money(unit * quantity, shape.currency)
    else:
        amount = round_money(basis.price.amount * quantity / basis.quantity, shape.currency)
    return _portion(shape, basis.price, amount, (quantity, basis.quantity))


def _portion(shape: Shape, price: Priced, amount: Decimal, of: tuple[int, int]) -> Priced:
    """A price with another amount, its discounts scaled as one number is `of` another, and the taxes that follow."""
    given = price.shares
    discount = round_money(price.discount * of[0] / of[1], shape.currency)
    pieces = split_amount(discount, [share.amount for share in given], shape.currency) if given else ()
    shares = tuple(replace(share, amount=piece) for share, piece in zip(given, pieces, strict=True) if piece)
    return taxed(shape, replace(price, shares=shares), amount, price)


def cancelled_value(shape: Shape) -> Decimal:
    """What the cancelled units of an order's lines were worth, taxes on top included: as much as a change that takes
    them away would. Lines without amounts count nothing."""
    off = ZERO
    for line in shape.lines:
        if any(part.cancelled for part in line.parts):
            before, after = (_cost(shape, price) for price in (line.price, kept_price(shape, line)))
            off += ZERO if before is None or after is None else before - after
    return off


def _cost(shape: Shape, price: Priced) -> Decimal | None:
    return price.total if shape.prices_include_tax else add((price.total, price.tax))


def kept_price(shape: Shape, line: Line) -> Priced:
    """A line's price without its cancelled units; parts of a kit that went alone count by their frozen share."""
    counts = {divmod(part.cancelled, part.per_unit) for part in line.parts}
    if len(counts) == 1 and (count := counts.pop())[1] == 0:
        basis = Basis(line.quantity, line.price)
        return scaled(shape, replace(line, basis=basis), line.quantity - count[0])
    weights = [part.value_weight for part in line.parts]
    weighed = list(zip(weights if any(weights) else [1] * len(weights), line.parts, strict=True))
    whole = sum(weight * part.ordered for weight, part in weighed)
    kept = sum(weight * (part.ordered - part.cancelled) for weight, part in weighed)
    if line.price.amount is None or not whole:
        return line.price
    amount = round_money(line.price.amount * kept / whole, shape.currency)
    return _portion(shape, line.price, amount, (kept, whole))


def discounted(shape: Shape, prices: Sequence[Priced], action: GiveDiscount) -> list[Priced]:
    """Prices less a further discount, which is shared by what they cost, to the coin."""
    totals = [price.total or ZERO for price in prices]
    most = sum(totals, ZERO)
    if action.percent is not None:
        amount = round_money(most * action.percent / HUNDRED, shape.currency)
    else:
        amount = round_money(action.amount or ZERO, shape.currency)
    if not 0 < amount <= most:
        raise discount_out_of_range(amount, most)
    pieces = split_amount(amount, totals, shape.currency)
    return [
        taxed(
            shape, replace(price, shares=(*price.shares, Share("", action.title, piece))), price.amount, price
        )
        if piece
        else price
        for price, piece in zip(prices, pieces, strict=True)
    ]


def taxed(shape: Shape, price: Priced, amount: Decimal | None, before: Priced | None = None) -> Priced:
    """A price with another amount and the taxes that follow; `before` is what the taxes were stated for."""
    new = replace(price, amount=amount)
    old_total = before.total if before is not None else None
    rates = sum((tax.rate for tax in price.taxes if tax.rate is not None), ZERO)
    return replace(new, taxes=tuple(_follow(shape, tax, rates, old_total, new.total) for tax in price.taxes))


def _follow(shape: Shape, tax: Tax, rates: Decimal, old: Decimal | None, new: Decimal | None) -> Tax:
    """A tax goes by its rate where its rate explains what was stated, else in proportion."""
    if new is None or (old == new and tax.amount is not None):
        return tax
    by_rate = _by_rate(shape, tax, rates, new)
    if tax.amount is None or not old:
        return tax if by_rate is None else replace(tax, amount=by_rate)
    expected = _by_rate(shape, tax, rates, old)
    if expected is not None and by_rate is not None and abs(expected - tax.amount) <= coin(shape.currency):
        return replace(tax, amount=by_rate)
    return replace(tax, amount=round_money(tax.amount * new / old, shape.currency))


def _by_rate(shape: Shape, tax: Tax, rates: Decimal, total: Decimal) -> Decimal | None:
    if tax.rate is None:
        return None
    of = HUNDRED + rates if shape.prices_include_tax else HUNDRED
    return round_money(total * tax.rate / of, shape.currency)


def shared_value(total: Decimal | None, weights: Sequence[int], currency: str) -> list[Decimal | None]:
    """What each part of a line is worth; they sum to the line's total exactly."""
    if total is None:
        return [None] * len(weights)
    return list(split_amount(total, [abs(weight) for weight in weights], currency))


def still_owed(owed: Decimal | None, paid: Decimal) -> Decimal | None:
    """What is left to pay; negative where more was paid than is owed."""
    return add((owed, -paid))
