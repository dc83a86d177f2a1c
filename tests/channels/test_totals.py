from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.money import exponent, round_money
from orders.enums import ChargeKind, MoneyOwner
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralLine, NeutralOrder, NeutralTax
from orders.totals import Totals, recompute

pytestmark = pytest.mark.once

PLACED = datetime(2026, 3, 1, tzinfo=UTC)


def order_of(
    lines: tuple[NeutralLine, ...],
    charges: tuple[NeutralCharge, ...] = (),
    *,
    total: str | None = "0",
    includes_tax: bool = False,
    currency: str = "EUR",
) -> NeutralOrder:
    return NeutralOrder(
        external_id="1",
        placed_at=PLACED,
        currency=currency,
        prices_include_tax=includes_tax,
        lines=lines,
        charges=charges,
        total_amount=None if total is None else Decimal(total),
    )


def tax(amount: str | None, owner: MoneyOwner = MoneyOwner.SELLER) -> NeutralTax:
    return NeutralTax("VAT", None if amount is None else Decimal(amount), owner=owner)


MUG = NeutralLine(
    external_id="1",
    sku_code="MUG",
    title="Mug",
    quantity=3,
    unit_amount=Decimal("10.00"),
    subtotal_amount=Decimal("30.00"),
    discounts=(NeutralDiscount(Decimal("2.00")), NeutralDiscount(Decimal("1.00"))),
    taxes=(tax("5.40"), tax("0.54", MoneyOwner.MARKETPLACE)),
)
COURIER = NeutralCharge(
    ChargeKind.SHIPPING,
    "2",
    "Courier",
    Decimal("5.00"),
    discounts=(NeutralDiscount(Decimal("0.50")),),
    taxes=(tax("0.90"),),
)
REBATE = NeutralCharge(ChargeKind.FEE, "3", "Rebate", Decimal("-4.00"))


def test_recompute_net_prices_adds_tax_of_both_owners() -> None:
    assert recompute(order_of((MUG,), (COURIER, REBATE), total="34.34")) == Totals(
        lines=Decimal("30.00"),
        discounts=Decimal("3.50"),
        charges=Decimal("1.00"),
        seller_tax=Decimal("6.30"),
        marketplace_tax=Decimal("0.54"),
        computed_total=Decimal("34.34"),
        difference=Decimal("0.00"),
    )


def test_recompute_gross_prices_leaves_tax_inside() -> None:
    totals = recompute(order_of((MUG,), (COURIER, REBATE), total="30.00", includes_tax=True))

    assert (totals.computed_total, totals.difference) == (Decimal("27.50"), Decimal("2.50"))
    assert totals.seller_tax == Decimal("6.30")


def test_recompute_order_without_parts_is_zero() -> None:
    assert recompute(order_of(())).difference == 0


def test_recompute_total_not_stated_has_no_difference() -> None:
    totals = recompute(order_of((MUG,), total=None))

    assert (totals.computed_total, totals.difference) == (Decimal("32.94"), None)


@pytest.mark.parametrize(
    ("line", "charges"),
    [
        (NeutralLine("1", "A", "A", 1, None, None), ()),
        (MUG, (NeutralCharge(ChargeKind.SHIPPING, "2", "Courier", None),)),
        (NeutralLine("1", "A", "A", 1, Decimal(1), Decimal(1), taxes=(tax(None),)), ()),
    ],
)
def test_recompute_unknown_amount_gives_no_total(
    line: NeutralLine, charges: tuple[NeutralCharge, ...]
) -> None:
    totals = recompute(order_of((line,), charges))

    assert (totals.computed_total, totals.difference) == (None, None)


def test_recompute_unknown_tax_inside_gross_prices_does_not_matter() -> None:
    line = NeutralLine("1", "A", "A", 1, Decimal(1), Decimal(1), taxes=(tax(None),))

    totals = recompute(order_of((line,), total="1", includes_tax=True))

    assert (totals.seller_tax, totals.difference) == (None, 0)


# Random orders: whole coins of currencies with 0, 2, 3 and 4 decimals, up to what a money column holds.

COINS = st.integers(min_value=-(10**13), max_value=10**13)
POSITIVE = st.integers(min_value=1, max_value=10**13)


def amounts(coins: st.SearchStrategy[int], currency: str) -> st.SearchStrategy[Decimal]:
    return coins.map(lambda count: Decimal(count).scaleb(-exponent(currency)))


@st.composite
def orders(draw: st.DrawFn) -> tuple[NeutralOrder, int]:
    """An order that states its own sum, and that sum in coins, counted in whole numbers."""
    currency = draw(st.sampled_from(("EUR", "JPY", "KWD", "CLF")))
    includes_tax = draw(st.booleans())
    one = Decimal(1).scaleb(-exponent(currency))
    coins = 0

    def parts() -> tuple[Decimal, tuple[NeutralDiscount, ...], tuple[NeutralTax, ...]]:
        nonlocal coins
        amount = draw(amounts(COINS, currency))
        shares = draw(st.lists(amounts(POSITIVE, currency), max_size=3))
        taxes = draw(st.lists(st.tuples(amounts(COINS, currency), st.sampled_from(MoneyOwner)), max_size=3))
        coins += int(amount / one) - sum(int(share / one) for share in shares)
        coins += 0 if includes_tax else sum(int(value / one) for value, _owner in taxes)
        return (
            amount,
            tuple(NeutralDiscount(share) for share in shares),
            tuple(NeutralTax("T", value, owner=owner) for value, owner in taxes),
        )

    lines = []
    for number in range(draw(st.integers(0, 5))):
        amount, shares, taxes = parts()
        lines.append(NeutralLine(str(number), "A", "A", 1, amount, amount, shares, taxes))
    charges = []
    for number in range(draw(st.integers(0, 3))):
        amount, shares, taxes = parts()
        charges.append(
            NeutralCharge(draw(st.sampled_from(ChargeKind)), str(number), "", amount, shares, taxes)
        )
    order = order_of(
        tuple(lines),
        tuple(charges),
        total=str(Decimal(coins).scaleb(-exponent(currency))),
        includes_tax=includes_tax,
        currency=currency,
    )
    return order, coins


@settings(deadline=None)
@given(orders())
def test_recompute_random_order_never_loses_a_coin(drawn: tuple[NeutralOrder, int]) -> None:
    order, coins = drawn

    totals = recompute(order)

    assert totals.difference == 0
    assert totals.computed_total == Decimal(coins).scaleb(-exponent(order.currency))
    assert totals.computed_total == round_money(totals.computed_total, order.currency)
