"""`fill_details`: what a channel states later is filled once, to the coin; what is known is never overwritten."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import NotAllowed
from config.kernel.models import Event
from inventory.models import Sku
from inventory.services.catalogue import PartOfKit, save_kits
from orders.admin.words import hold_text, hold_title
from orders.enums import ChargeKind, HoldKind, MailKind, NeutralState, OrderStatus, PaymentAxis
from orders.models import Hold, LinePart, Notification, Order, SalesChannel
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralOrder,
    NeutralTax,
)
from orders.services.accepting import Incoming, accept_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.filling import Details, fill_details
from orders.services.holds import HOLD_ORDER, release_holds
from orders.services.proposals.wishes import NewAddress
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import (
    PLACED_AT,
    SYSTEM,
    assert_sums_up,
    make_channel,
    make_kit,
    neutral_address,
    neutral_line,
    neutral_order,
    neutral_payment,
)
from tests.factories.proposals import change
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

TAX = NeutralTax("IVA", Decimal("3.61"), Decimal(22))
SHIPPING = NeutralCharge(ChargeKind.SHIPPING, "ship", "Courier", Decimal("5.00"), taxes=())


def pending(external_id: str = "M-1", **fields: Any) -> NeutralOrder:
    """What a marketplace tells of an order whose payment it still checks: lines without prices, nobody's address."""
    given: dict[str, Any] = {
        "lines": (neutral_line("MUG", 2, None), neutral_line("GIFT", 1, None)),
        "buyer": NeutralBuyer(),
        "ship_to": None,
        "total_amount": None,
        "payments": (),
        "state": NeutralState.HELD,
    }
    return neutral_order(external_id, **given | fields)


def settled(external_id: str = "M-1", **fields: Any) -> NeutralOrder:
    """The same order once it is paid."""
    lines = (
        neutral_line(
            "MUG", 2, "10.00", discounts=(NeutralDiscount(Decimal("1.00"), "SPRING"),), taxes=(TAX,)
        ),
        neutral_line("GIFT", 1, "9.99"),
    )
    total = Decimal("33.99")
    given: dict[str, Any] = {
        "lines": lines, "charges": (SHIPPING,), "total_amount": total, "payments": (neutral_payment(total),),
    }  # fmt: skip
    return neutral_order(external_id, **given | fields)


@pytest.fixture
def channel() -> SalesChannel:
    Sku.objects.create(code="MUG", title="Mug", created_at=PLACED_AT)
    make_kit("GIFT", CUP=(2, 1), TIN=(1, 1))
    return make_channel(auto_confirm=True)


def accept(order: NeutralOrder, channel: SalesChannel) -> Order:
    pk = accept_orders([Incoming(order)], sales_channel_id=channel.pk, actor=SYSTEM).only()
    return Order.objects.get(pk=pk)


def fill(order: Order, stated: NeutralOrder, actor: Actor = SYSTEM):
    return fill_details([Details(order.pk, stated)], actor=actor)


def kinds(order: Order) -> set[str]:
    return set(Hold.objects.filter(order=order, lifted_at=None).values_list("kind", flat=True))


def assert_clean() -> None:
    outbox.deliver_due("work")
    outbox.deliver_due("mail")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_fill_states_amounts_buyer_and_address_and_the_order_is_confirmed_once(channel: SalesChannel) -> None:
    order = accept(pending(), channel)
    assert kinds(order) == {"awaiting_details", "unpaid"}
    outbox.deliver_due("work")
    assert Order.objects.get().status == OrderStatus.PLACED

    assert fill(order, settled()).done_ids == [order.pk]

    order.refresh_from_db()
    assert (order.total_sent_amount, order.total_difference_amount) == (Decimal("33.99"), 0)
    assert (order.email, order.customer.email) == ("m-1@example.com", "m-1@example.com")
    assert (order.ship_to.city, order.ship_to.customer_id) == ("Torino", order.customer_id)
    assert order.bill_to is None
    assert_sums_up(order)
    shares = LinePart.objects.filter(line__sku_code="GIFT").values_list("value_amount", flat=True)
    assert sorted(shares) == [Decimal("3.33"), Decimal("6.66")]
    assert kinds(order) == {"unpaid"}
    facts = Event.objects.get(kind="details_filled").facts
    assert facts == {"what": ["amounts", "total", "email", "address"]}
    assert_clean()
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, PaymentAxis.UNPAID)
    told = Notification.objects.values_list("kind", flat=True)
    assert sorted(told) == [MailKind.BACKORDER, MailKind.CONFIRMATION]
    assert [one.to for one in mail.outbox] == [["m-1@example.com"]] * 2

    with nothing_written():
        assert fill(order, settled()).unchanged_ids == [order.pk]
    assert_clean()
    assert len(mail.outbox) == 2


def test_fill_shares_a_kits_value_by_the_weights_of_when_it_was_accepted(channel: SalesChannel) -> None:
    order = accept(pending(), channel)
    kit, cup, tin = (Sku.objects.get(code=code) for code in ("GIFT", "CUP", "TIN"))
    tea = Sku.objects.create(code="TEA", title="Tea", created_at=PLACED_AT)
    now = [PartOfKit(cup.pk, 1, 1), PartOfKit(tin.pk, 1, 9), PartOfKit(tea.pk, 1, 90)]
    save_kits([kit.pk], parts={kit.pk: now}, actor=SYSTEM).raise_refusals()

    fill(order, settled()).raise_refusals()

    shares = LinePart.objects.filter(line__sku_code="GIFT")
    assert dict(shares.values_list("sku__code", "value_amount")) == {
        "CUP": Decimal("6.66"),
        "TIN": Decimal("3.33"),
    }
    assert_clean()


def test_fill_one_after_the_other_says_what_is_still_missing(channel: SalesChannel) -> None:
    order = accept(pending(), channel)
    half = settled(ship_to=None, state=NeutralState.HELD, total_amount=None)

    fill(order, half).raise_refusals()

    hold = Hold.objects.get(kind=HoldKind.AWAITING_DETAILS, lifted_at=None)
    assert hold.facts == {"missing": ["channel_release", "total", "address"]}
    fill(order, settled()).raise_refusals()
    assert kinds(order) == {"unpaid"}
    assert_clean()


def test_fill_raises_the_holds_of_intake_that_are_due(channel: SalesChannel) -> None:
    order = accept(pending(), channel)

    fill(order, settled(total_amount=Decimal("35.00"), ship_to=neutral_address(line1=""))).raise_refusals()

    assert kinds(order) == {"unpaid", "totals", "address"}
    totals = Hold.objects.get(kind=HoldKind.TOTALS)
    assert totals.facts == {"sent": "35.00", "computed": "33.99", "difference": "1.01", "currency": "EUR"}
    assert_clean()
    assert Order.objects.get().status == OrderStatus.PLACED


def test_later_amounts_that_differ_never_overwrite_and_are_held_once(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    outbox.deliver_due("work")
    later = settled(total_amount=Decimal("30.00"))

    assert fill(order, later).done_ids == [order.pk]

    order.refresh_from_db()
    assert order.total_sent_amount == Decimal("33.99")
    hold = Hold.objects.get(kind=HoldKind.TOTALS)
    assert hold.facts == {
        "cause": "changed_later", "sent": "33.99", "stated": "30", "difference": "-3.99", "currency": "EUR",
    }  # fmt: skip
    with nothing_written():
        assert fill(order, later).unchanged_ids == [order.pk]
    release_holds([order.pk], kind=HoldKind.TOTALS, actor=SYSTEM).raise_refusals()
    assert fill(order, later).unchanged_ids == [order.pk]
    assert fill(order, settled(total_amount=Decimal("29.00"))).done_ids == [order.pk]
    assert_clean()


def released(hold: Hold) -> bool:
    hold.refresh_from_db()
    return hold.lifted_at is not None


def test_order_that_its_channel_holds_later_waits_until_it_is_let_go(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    outbox.deliver_due("work")
    assert kinds(order) == set()

    assert fill(order, settled(state=NeutralState.HELD)).done_ids == [order.pk]

    hold = Hold.objects.get(order=order, kind=HoldKind.AWAITING_DETAILS)
    assert (hold.facts, hold.lifted_at) == ({"missing": ["channel_release"]}, None)
    with nothing_written():
        assert fill(order, settled(state=NeutralState.HELD)).unchanged_ids == [order.pk]
    assert fill(order, settled()).done_ids == [order.pk]
    assert released(hold)
    fill(order, settled(state=NeutralState.HELD))
    assert kinds(order) == {"awaiting_details"}
    assert_clean()


def test_order_that_a_person_let_go_of_is_not_held_by_its_channel_again(channel: SalesChannel) -> None:
    order = accept(settled(state=NeutralState.HELD), channel)
    person = Actor(ActorKind.USER, 1, "eva", frozenset({HOLD_ORDER}))
    release_holds([order.pk], kind=HoldKind.AWAITING_DETAILS, actor=person).only()

    with nothing_written():
        assert fill(order, settled(state=NeutralState.HELD)).unchanged_ids == [order.pk]


def test_order_whose_goods_have_left_is_not_held_by_its_channel(channel: SalesChannel) -> None:
    order = make_shipped({"CUP": 1}).order

    fill(order, neutral_order(order.external_id, state=NeutralState.HELD))

    assert HoldKind.AWAITING_DETAILS not in kinds(order)


def at(city: str, **fields: Any) -> NeutralOrder:
    return replace(settled(), ship_to=neutral_address(city=city, **fields))


def test_later_address_is_not_taken_and_its_order_is_held_once(channel: SalesChannel) -> None:
    order = accept(settled(), channel)

    assert fill(order, at("Asti")).done_ids == [order.pk]

    hold = Hold.objects.get(order=order)
    assert (hold.kind, hold.facts["cause"]) == (HoldKind.MANUAL, "address_changed")
    assert hold_title(hold.kind, hold.facts) == "The channel now states another address."
    assert "Via Po 3, 10124 Asti, Italy. Change the address if that is right" in hold_text(hold)
    assert "Asti" not in hold_text(hold, personal=False)
    assert Order.objects.get().ship_to.city == "Torino"
    with nothing_written():
        assert fill(order, at("ASTI ", phone="1")).unchanged_ids == [order.pk]
    assert_clean()
    assert Order.objects.get().status == OrderStatus.PLACED

    release_holds([order.pk], kind=HoldKind.MANUAL, actor=SYSTEM).only()
    with nothing_written():
        assert fill(order, at("Asti")).unchanged_ids == [order.pk]
    fill(order, at("Cuneo"))
    assert kinds(order) == {"manual"}
    fill(order, settled())
    assert kinds(order) == set()
    assert_clean()


def test_later_address_that_says_less_is_no_other(channel: SalesChannel) -> None:
    order = accept(settled(), channel)

    with nothing_written():
        assert fill(order, at("Torino", name="", line1="")).unchanged_ids == [order.pk]


def test_address_that_says_too_little_lets_no_order_go(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    fill(order, at("Torino", line1="Via Roma 1"))

    with nothing_written():
        for stated in (at("Torino", line1=""), replace(settled(), ship_to=NeutralAddress())):
            assert fill(order, stated).unchanged_ids == [order.pk]

    assert kinds(order) == {"manual"}
    fill(order, settled())
    assert kinds(order) == set()


def test_address_without_what_the_held_one_adds_lets_the_order_go(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    fill(order, at("Torino", line2="Scala B"))
    assert kinds(order) == {"manual"}

    fill(order, settled())

    assert kinds(order) == set()


def test_address_that_a_channel_states_again_after_another_one_holds_again(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    shop = Actor.channel(channel.pk, channel.name)
    for stated, held in ((at("Asti"), {"manual"}), (settled(), set()), (at("Asti"), {"manual"})):
        fill(order, stated, shop)
        assert kinds(order) == held

    assert Hold.objects.filter(order=order).count() == 2
    with nothing_written():
        assert fill(order, at("Asti"), shop).unchanged_ids == [order.pk]
    assert_clean()


@pytest.mark.postgres
def test_other_addresses_take_as_many_statements_for_twenty_orders_as_for_two(channel: SalesChannel) -> None:
    orders = [accept(settled(f"M-{number}"), channel) for number in range(22)]

    def tell(stated: NeutralOrder, some: slice) -> int:
        details = [Details(order.pk, stated) for order in orders[some]]
        return statements(lambda: fill_details(details, actor=SYSTEM).raise_refusals())

    few, many = slice(2), slice(2, None)
    for stated in (at("Asti"), at("Asti"), at("Cuneo"), at("", line1=""), settled()):
        assert tell(stated, many) == tell(stated, few)


def test_address_that_somebody_changed_here_is_not_held_against_the_channels(channel: SalesChannel) -> None:
    order = accept(settled(), channel)
    fill(order, at("Asti"))

    order = change(order, NewAddress(neutral_address(city="Alba")))

    assert (order.ship_to.city, kinds(order)) == ("Alba", set())
    with nothing_written():
        for stated in (settled(), at("Asti"), at("Cuneo")):
            assert fill(order, stated).unchanged_ids == [order.pk]
    assert_clean()


def test_awaited_address_that_somebody_enters_is_awaited_no_more(channel: SalesChannel) -> None:
    order = accept(settled(ship_to=None), channel)
    other = accept(settled("M-2", ship_to=None, state=NeutralState.HELD), channel)
    assert kinds(order) == {"awaiting_details"}

    for one in (order, other):
        change(one, NewAddress(neutral_address(city="Alba")))

    assert kinds(order) == set()
    assert Hold.objects.get(order=other, lifted_at=None).facts == {"missing": ["channel_release"]}
    assert_clean()
    assert Order.objects.get(pk=order.pk).status == OrderStatus.CONFIRMED


def test_later_address_of_goods_that_have_left_holds_nothing(channel: SalesChannel) -> None:
    order = make_shipped({"CUP": 1}).order

    fill(order, neutral_order(order.external_id, ship_to=neutral_address(city="Asti")))

    assert HoldKind.MANUAL not in kinds(order)


@pytest.mark.parametrize("amount", ["NaN", "1e14", "6e13"])
def test_fill_refuses_amounts_that_cannot_be_stored_of_that_order_alone(
    channel: SalesChannel, amount: str
) -> None:
    good, bad = (accept(pending(f"M-{number}"), channel) for number in range(2))
    each = {"subtotal_amount": Decimal(amount)}
    wrong = settled("M-1", lines=(neutral_line("MUG", **each), neutral_line("GIFT", 1, **each)))

    results = fill_details([Details(bad.pk, wrong), Details(good.pk, settled("M-0"))], actor=SYSTEM)

    assert results.done_ids == [good.pk]
    assert results.refusals[bad.pk].code == "invalid_input"
    assert Order.objects.get(pk=bad.pk).total_computed_amount is None


def test_fill_asks_for_no_money_where_all_that_costs_something_was_cancelled_before(
    channel: SalesChannel,
) -> None:
    order = accept(pending(), channel)
    line = order.lines.get(sku_code="MUG")
    cancel_units([CancelUnits(order.pk, {line.pk: 2})], reason="test", actor=SYSTEM).raise_refusals()
    assert "unpaid" in kinds(order)
    lines = (neutral_line("MUG", 2, "10.00"), neutral_line("GIFT", 1, "0.00"))

    fill(order, settled(lines=lines, charges=(), total_amount=Decimal(20), payments=())).raise_refusals()

    order.refresh_from_db()
    assert (order.owed_amount, order.payment_status) == (0, "paid")
    assert kinds(order) == set()
    assert_clean()


def test_fill_two_charges_of_one_name_each_gets_its_own_amount(channel: SalesChannel) -> None:
    twice = (replace(SHIPPING, external_id="", amount=None),) * 2
    order = accept(pending(charges=twice), channel)
    known = tuple(replace(SHIPPING, external_id="", amount=Decimal(cost)) for cost in (5, 3))

    fill(order, settled(charges=known, total_amount=Decimal("36.99"))).raise_refusals()

    assert list(order.charges.order_by("pk").values_list("amount", flat=True)) == [5, 3]
    assert kinds(order) == {"unpaid"}
    assert_clean()


def test_fill_leaves_history_and_closed_orders_alone(channel: SalesChannel) -> None:
    pk = accept_orders(
        [Incoming(pending(), is_history=True)], sales_channel_id=channel.pk, actor=SYSTEM
    ).only()

    with nothing_written():
        assert fill_details([Details(pk, settled())], actor=SYSTEM).unchanged_ids == [pk]
    assert fill_details([Details(404, settled())], actor=SYSTEM).refusals[404].code == "not_found"


def test_fill_without_right_is_not_allowed(channel: SalesChannel) -> None:
    with pytest.raises(NotAllowed):
        fill(accept(pending(), channel), settled(), Actor(ActorKind.USER, 1, "guest", frozenset()))


def test_auto_confirm_waits_for_the_hold_to_be_lifted(channel: SalesChannel) -> None:
    order = accept(settled(total_amount=Decimal("40.00")), channel)
    outbox.deliver_due("work")
    assert Order.objects.get().status == OrderStatus.PLACED

    release_holds([order.pk], kind=HoldKind.TOTALS, actor=SYSTEM).raise_refusals()
    assert_clean()

    assert Order.objects.get().status == OrderStatus.CONFIRMED
    assert Event.objects.get(kind="confirm").actor_label == "auto-confirm"


def test_without_auto_confirm_a_person_confirms() -> None:
    order = accept(settled(lines=(neutral_line("MUG"),)), make_channel(code="by-hand"))

    outbox.deliver_due("work")

    assert Order.objects.get(pk=order.pk).status == OrderStatus.PLACED


@pytest.mark.postgres
def test_fill_takes_as_many_statements_for_twenty_orders_as_for_two(channel: SalesChannel) -> None:
    orders = [(accept(pending(f"M-{number}"), channel), settled(f"M-{number}")) for number in range(22)]
    details = [Details(order.pk, stated) for order, stated in orders]

    few = statements(lambda: fill_details(details[:2], actor=SYSTEM).raise_refusals())

    assert statements(lambda: fill_details(details[2:], actor=SYSTEM).raise_refusals()) == few
