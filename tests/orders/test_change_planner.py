"""Planned changes: what they make of prices, discounts and taxes, to the coin, without a database."""

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.errors import InvalidInput
from config.kernel.money import coin
from orders.change_money import shared_value
from orders.change_planner import plan_change
from orders.change_shapes import Basis, Charge, Line, Part, Priced, Shape, Share, Tax
from orders.changes import (
    Action,
    AddLine,
    GiveDiscount,
    RemoveLine,
    SetPrice,
    SetQuantity,
    SetShipping,
    TaxRate,
    read_action,
    write_action,
)
from orders.errors import AmountsAwaited, BelowLeast, NothingLeft
from orders.parts import KitShare

VAT = (Tax("VAT", D(22), D("3.61"), "seller"),)


def line(ref: int = 1, quantity: int = 2, unit: str = "10.00", **fields: Any) -> Line:
    amount = fields.pop("amount", D(unit) * quantity)
    price = Priced(amount, fields.pop("shares", ()), fields.pop("taxes", ()))
    given = {
        "sku_id": ref,
        "sku_code": f"SKU{ref}",
        "title": f"Goods {ref}",
        "parts": (Part(ref, ref, 1, 1, quantity),),
    }
    return Line(
        ref=ref,
        quantity=quantity,
        unit_amount=D(unit),
        price=price,
        basis=Basis(quantity, price),
        **given | fields,
    )


def shape(*lines: Line, **fields: Any) -> Shape:
    return Shape("10001", **{"currency": "EUR", "prices_include_tax": True, "lines": lines} | fields)


def after(before: Shape, *actions: Action) -> Shape:
    plan = plan_change(before, dict(enumerate(actions, 1)))
    assert plan.refusals == {}
    return plan.after


def test_quantity_takes_discount_and_tax_along() -> None:
    before = shape(line(quantity=2, shares=(Share("X", "Ten", D("2.00")),), taxes=VAT_OF_18))

    (new,) = after(before, SetQuantity(1, 3)).lines

    assert (new.price.amount, new.price.discount, new.price.total) == (D(30), D(3), D(27))
    assert new.price.tax == D("4.87")  # 27 × 22 / 122


VAT_OF_18 = (Tax("VAT", D(22), D("3.25"), "seller"),)


def test_tax_that_its_rate_does_not_explain_goes_in_proportion() -> None:
    before = shape(line(quantity=2, taxes=(Tax("VAT", D(22), D("1.00"), "seller"),)))

    (new,) = after(before, SetQuantity(1, 4)).lines

    assert new.price.tax == D("2.00")


def test_net_prices_bear_tax_on_top() -> None:
    before = shape(
        line(quantity=2, taxes=(Tax("VAT", D(22), D("4.40"), "seller"),)), prices_include_tax=False
    )

    new = after(before, SetPrice(1, D("9.99")))

    assert (new.sums().lines, new.sums().tax, new.sums().total) == (D("19.98"), D("4.40"), D("24.38"))


def test_quantity_there_and_back_is_where_it_began() -> None:
    odd = line(quantity=3, unit="3.33", amount=D("10.00"), taxes=(Tax("", None, D("1.80"), "seller"),))

    assert after(shape(odd), SetQuantity(1, 1), SetQuantity(1, 100), SetQuantity(1, 3)).lines[0] == odd


def test_discount_on_all_is_shared_to_the_coin() -> None:
    new = after(
        shape(line(1, 1, "10.00"), line(2, 1, "10.00"), line(3, 1, "10.00")), GiveDiscount(amount=D(10))
    )

    assert [one.price.discount for one in new.lines] == [D("3.34"), D("3.33"), D("3.33")]
    assert new.sums().total == D(20)


def test_percentage_is_of_what_the_line_costs() -> None:
    new = after(shape(line(1, 3, "3.33")), GiveDiscount(1, percent=D(10), title="Sorry"))

    assert new.lines[0].price.shares == (Share("", "Sorry", D("1.00")),)


def test_shipping_costs_what_is_said_in_all() -> None:
    charges = (
        Charge(1, "shipping", "Courier", Priced(D("5.90"), (Share("F", "Free", D("5.90")),), VAT)),
        Charge(2, "shipping", "Island", Priced(D("2.00"))),
    )

    new = after(shape(line(), charges=charges), SetShipping("Express", D("12.20")))

    assert [charge.price.total for charge in new.charges] == [D("12.20"), D(0)]
    assert new.shipping_method == "Express"


def test_new_line_bears_its_taxes_and_shares_a_kit() -> None:
    kit = AddLine(
        9, "SET", "A set", 2, D("6.10"), (TaxRate("VAT", D(22)),), (KitShare(7, 2, 1), KitShare(8, 1, 3))
    )

    new = after(shape(line()), kit).lines[1]

    assert (new.ref, new.price.total, new.price.tax) == (-1, D("12.20"), D("2.20"))
    assert [(part.sku_id, part.ordered) for part in new.parts] == [(7, 4), (8, 2)]
    assert shared_value(new.price.total, [part.weight for part in new.parts], "EUR") == [D("4.88"), D("7.32")]


def test_quantity_below_what_has_left_is_refused_with_numbers() -> None:
    part = Part(1, 1, 2, 1, 10, cancelled=2, shipped=4, in_hand=1)
    before = shape(line(quantity=5, parts=(part,)))

    plan = plan_change(before, {1: SetQuantity(1, 3)})

    refusal = plan.refusals[1]
    assert isinstance(refusal, BelowLeast)
    assert plan.after == before
    assert {name: refusal.facts[name] for name in ("least", "asked", "shipped", "packed", "cancelled")} == {
        "least": 4, "asked": 3, "shipped": 2, "packed": 1, "cancelled": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "action",
    [
        SetQuantity(1, -1),
        SetQuantity(1, 3_000_000_000),
        SetQuantity(99, 1),
        GiveDiscount(1, amount=D("20.01")),
        GiveDiscount(1, amount=D(0)),
        SetPrice(1, D("5e13")),
        AddLine(1, "SKU1", "Goods", 1, D("99999999999990")),
        SetShipping("Courier", D("99999999999990")),
    ],
)
def test_what_cannot_be_is_refused(action: Action) -> None:
    refusal = plan_change(shape(line()), {1: action}).refusals[1]

    assert isinstance(refusal, (InvalidInput, BelowLeast))


def test_price_that_does_not_cover_the_discount_is_refused() -> None:
    before = shape(line(shares=(Share("", "", D(5)),)))

    assert isinstance(plan_change(before, {1: SetPrice(1, D(2))}).refusals[1], InvalidInput)


def test_removing_everything_is_refused() -> None:
    plan = plan_change(shape(line()), {1: RemoveLine(1)})

    assert isinstance(plan.refusals[0], NothingLeft)


def test_unknown_amounts_stay_unknown_until_a_price_is_said() -> None:
    before = shape(line(amount=None, taxes=(Tax("VAT", D(22), None, "seller"),)))

    for action in (SetQuantity(1, 5), RemoveLine(1), SetShipping("Courier", D(5))):
        assert isinstance(plan_change(before, {1: action}).refusals[1], AmountsAwaited)
    assert after(before, SetShipping("Courier", None)).sums().total is None
    assert after(before, SetPrice(1, D("6.10"))).sums().total == D("12.20")
    assert after(before, SetPrice(1, D("6.10"))).sums().tax == D("2.20")


ACTIONS = st.one_of(
    st.builds(SetQuantity, st.integers(1, 3), st.integers(0, 40)),
    st.builds(SetPrice, st.integers(1, 3), st.decimals(0, 50, places=4)),
    st.builds(RemoveLine, st.integers(1, 3)),
    st.builds(GiveDiscount, st.one_of(st.none(), st.integers(1, 3)), amount=st.decimals(0, 20, places=2)),
    st.builds(GiveDiscount, st.none(), percent=st.decimals(1, 100, places=1)),
    st.builds(SetShipping, st.just("Courier"), st.decimals(0, 20, places=2)),
    st.builds(
        AddLine,
        st.just(9),
        st.just("NEW"),
        st.just("New"),
        st.integers(1, 9),
        st.decimals(0, 30, places=2),
        st.just((TaxRate("VAT", D(22)), TaxRate("Eco", D("1.5")))),
        st.one_of(st.none(), st.just((KitShare(7, 2, 1), KitShare(8, 3, 5)))),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTIONS, max_size=12), st.booleans(), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_any_actions_leave_sums_that_add_up(actions: list[Action], is_gross: bool, currency: str) -> None:
    taxes = (Tax("VAT", D(22), D(3), "seller"), Tax("City", None, D(1), "marketplace"))
    part = Part(3, 3, 1, 1, 4, shipped=1)
    before = shape(
        line(1, 2, "10", taxes=taxes),
        line(2, 3, "7", shares=(Share("A", "", D(1)), Share("B", "", D(2)))),
        line(3, 4, "5", parts=(part,)),
        charges=(Charge(1, "shipping", "", Priced(D(6), (), VAT if currency == "EUR" else ())),),
        prices_include_tax=is_gross,
        currency=currency,
    )

    plan = plan_change(before, dict(enumerate(actions, 1)))

    sums, unit = plan.after.sums(), coin(currency)
    rows = [*(one.price for one in plan.after.lines), *(one.price for one in plan.after.charges)]
    for price in rows:
        amounts = [price.amount, price.total, price.discount, price.tax]
        assert [amount % unit for amount in amounts if amount is not None] == [0, 0, 0, 0]
        assert min(amount for amount in amounts if amount is not None) >= 0
    for one in plan.after.lines:
        values = shared_value(one.price.total, [part.weight for part in one.parts], currency)
        assert sum(value or 0 for value in values) == one.price.total
        assert all(part.ordered == one.quantity * part.per_unit >= part.kept for part in one.parts)
    on_top = D(0) if is_gross else sums.tax
    assert sums.total == sum(price.total or 0 for price in rows) + (on_top or 0)
    assert all(read_action(*write_action(action)) == action for action in actions)
