import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapters import read_order
from config.kernel.money import ZERO, coin
from orders.enums import ChannelKind, ChargeKind
from orders.totals import recompute
from tests.channels.bodies import medusa_item, medusa_method, medusa_order

pytestmark = pytest.mark.once

PRICES = st.decimals(min_value=0, max_value=9999, places=4)
RATES = st.sampled_from(("0", "4", "7.7", "10", "19", "22"))


def stated(price: Decimal, rate: Decimal, off: Decimal, is_inclusive: bool) -> tuple[Decimal, dict[str, Any]]:
    """What the shop computes as a part's total, and what it states of the part as JSON floats."""
    subtotal = price / (1 + rate / 100) if is_inclusive else price
    discount = off / (1 + rate / 100) if is_inclusive else off
    tax = (subtotal - discount) * rate / 100
    total = subtotal - discount + tax
    return total, {
        "is_tax_inclusive": is_inclusive,
        "subtotal": float(subtotal),
        "tax_total": float(tax),
        "total": float(total),
        "original_total": float(subtotal * (1 + rate / 100)),
        "adjustments": [{"code": "A", "amount": float(off)}] if off else [],
        "tax_lines": [{"code": "VAT", "rate": float(rate)}],
    }


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    totals, parts = [], []
    for _number in range(draw(st.integers(2, 6))):
        price, share = draw(PRICES), draw(st.decimals(min_value=0, max_value=1, places=2))
        total, part = stated(price, Decimal(draw(RATES)), price * share, draw(st.booleans()))
        totals.append(total)
        parts.append(part)
    items = [
        medusa_item(id=f"i{number}", quantity=1, unit_price=part["original_total"]) | part
        for number, part in enumerate(parts[1:])
    ]
    currency = draw(st.sampled_from(("eur", "jpy", "kwd")))
    return medusa_order(
        currency_code=currency,
        items=items,
        shipping_methods=[medusa_method() | parts[0]],
        total=float(sum(totals)),
        credit_line_total=0,
        payment_collections=[],
    )


def test_read_half_coin_lost_by_floats_is_found_again() -> None:
    """Three thirds of 5.005 sum to 5.0049999999999999 as floats; the shop's total is 5.005."""
    third = {
        "subtotal": 1.6683333333333332,
        "total": 1.6683333333333332,
        "tax_total": 0,
        "adjustments": [],
        "tax_lines": [],
    }
    items = [medusa_item(id=f"i{number}", **third) for number in range(3)]
    body = medusa_order(items=items, shipping_methods=[], total=5.005)

    order = read_order(ChannelKind.WEB_SHOP, json.dumps(body))

    assert order.total_amount == Decimal("5.01")
    assert recompute(order).difference == 0


@settings(deadline=None)
@given(bodies())
def test_read_random_floats_add_up_to_the_total(body: dict[str, Any]) -> None:
    order = read_order(ChannelKind.WEB_SHOP, json.dumps(body))

    parts = (*order.lines, *order.charges)
    rounding = sum((part.amount or ZERO for part in order.charges if part.kind == ChargeKind.ROUNDING), ZERO)
    one = coin(order.currency)
    assert recompute(order).difference == 0
    assert abs(rounding) <= one * len(parts) / 2 + one / 2
    assert all(tax.amount is not None and tax.amount >= 0 for part in parts for tax in part.taxes)
    assert all(discount.amount > 0 for part in parts for discount in part.discounts)
