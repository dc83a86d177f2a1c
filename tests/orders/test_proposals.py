"""Changes to placed orders: opened, worked out, confirmed once, overtaken, dropped."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.models import Reservation, Sku, StockLevel
from orders.changes import GiveDiscount, RemoveLine, SetPrice, SetQuantity, SetShipping
from orders.errors import (
    BelowLeast,
    HistoryOrder,
    NothingProposed,
    OrderClosed,
    ProposalClosed,
    ProposalOvertaken,
)
from orders.models import Address, Order, OrderLine, Proposal, ProposalAction
from orders.neutral import NeutralTax
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.proposals.adding import NewActions, add_actions, withdraw_actions
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.opening import drop_proposals, open_proposals, renew_proposals
from orders.services.proposals.previewing import preview_proposal
from orders.services.proposals.wishes import NewAddress, NewLine
from orders.states import PROPOSE
from tests.factories.fulfillment import make_confirmed, make_shipped, stock
from tests.factories.inventory import make_location, make_sku
from tests.factories.orders import assert_sums_up, make_kit, make_order, neutral_address, neutral_line
from tests.factories.proposals import ACTOR, change, propose

pytestmark = pytest.mark.django_db

NOBODY = Actor(ActorKind.USER, 1, "eve", frozenset())


def line_of(order: Order, code: str = "MUG") -> OrderLine:
    return order.lines.get(sku_code=code)


def told(order: Order) -> list[str]:
    rows = Event.objects.filter(thread_type="order", thread_id=order.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def wished(order: Order) -> list[tuple[str, int, dict]]:
    """What the order's timeline says of wishes that came and went."""
    rows = Event.objects.filter(thread_type="order", thread_id=order.pk, kind__startswith="actions_")
    return list(rows.order_by("pk").values_list("kind", "subject_id", "facts"))


def stored() -> tuple[object, ...]:
    return (
        list(Order.objects.values()),
        list(OrderLine.objects.values()),
        list(Reservation.objects.values()),
        list(Proposal.objects.values()),
        list(ProposalAction.objects.values()),
        Event.objects.count(),
    )


def reservations(order: Order) -> list[tuple[str, int]]:
    ids = order.lines.values_list("parts", flat=True)
    rows = Reservation.objects.filter(reference_id__in=ids, state__in=["open", "waiting"]).order_by("pk")
    return list(rows.values_list("state", "quantity"))


def assert_holds(order: Order) -> None:
    """The order adds up, and no invariant of any room is broken."""
    rows = Order.objects.get(pk=order.pk)
    assert (
        rows.total_difference_amount
        == rows.total_sent_amount + rows.changed_amount - rows.total_computed_amount
    )
    rows.total_sent_amount += rows.changed_amount
    assert_sums_up(rows)
    assert [found for found in run_audit() if found.violations] == []


def test_open_leaves_the_order_as_it_is() -> None:
    order = make_order()

    proposal = propose(order, reason="She wants one less")

    order.refresh_from_db()
    assert (proposal.status, proposal.base_version, order.version) == ("open", 1, 1)
    assert Event.objects.get(subject_type="proposal").facts == {"reason": "She wants one less"}


def test_wishes_stand_on_the_timeline_one_event_a_press() -> None:
    order = make_confirmed()
    line = line_of(order)
    proposal = propose(order)

    add_actions(
        [NewActions(proposal.pk, (SetQuantity(line.pk, 1), SetPrice(line.pk, D(9))))], actor=ACTOR
    ).only()

    assert wished(order) == [("actions_added", proposal.pk, {"kinds": ["quantity", "price"]})]


def test_quantity_up_reserves_or_waits_at_once() -> None:
    stock({"MUG": 3})
    order = make_confirmed({"MUG": 2})

    order = change(order, SetQuantity(line_of(order).pk, 5))

    assert reservations(order) == [("open", 2), ("open", 1), ("waiting", 2)]
    assert (order.fulfillment_status, order.total_computed_amount, order.changed_amount) == (
        "backordered", D(50), D(30),
    )  # fmt: skip
    assert (order.total_sent_amount, order.owed_amount, order.payment_status) == (D(20), D(50), "partly_paid")
    assert_holds(order)


def test_preview_ships_new_units_from_where_the_order_will_have_units_as_the_press_does() -> None:
    near, far = make_location("NEAR", preference=1), make_location("FAR", preference=2)
    stock({"MUG": 2}, far)
    order = make_confirmed({"MUG": 2})
    stock({"CUP": 9}, near)
    stock({"CUP": 9}, far)
    cup = NewLine(Sku.objects.get(code="CUP").pk, 1, D(3))

    said = []
    for wishes in ((cup,), (cup, SetQuantity(line_of(order).pk, 1)), (RemoveLine(line_of(order).pk), cup)):
        proposal = propose(order, *wishes)
        previewed = {one.sku: one.reserved for one in preview_proposal(proposal, order).stock}
        before = {row.pk for row in Reservation.objects.all()}
        confirm_proposals([proposal.pk], actor=ACTOR).only()
        new = Reservation.objects.filter(sku__code="CUP", state="open").exclude(pk__in=before)
        assert previewed["CUP"] == list(new.values_list("level__location__code", "quantity"))
        said += previewed["CUP"]

    assert said == [("FAR", 1), ("FAR", 1), ("FAR", 1)]


def test_quantity_down_gives_back_waiting_units_first() -> None:
    stock({"MUG": 3})
    order = make_confirmed({"MUG": 5})

    order = change(order, SetQuantity(line_of(order).pk, 2))

    assert reservations(order) == [("open", 2)]
    assert StockLevel.objects.get().reserved == 2
    assert (order.fulfillment_status, order.payment_status) == ("allocated", "overpaid")
    assert_holds(order)


def test_undecided_order_stays_undecided() -> None:
    stock({"MUG": 3})
    order = make_order()

    order = change(order, SetQuantity(line_of(order).pk, 3))

    assert (reservations(order), order.fulfillment_status) == ([], "unallocated")
    allocate_orders([order.pk], actor=ACTOR).only()
    assert reservations(order) == [("open", 3)]
    assert_holds(order)


def test_new_line_freezes_title_taxes_and_kit_parts() -> None:
    stock({"MUG": 9, "CUP": 9})
    tax = (NeutralTax("VAT", D("3.61"), D(22)),)
    order = make_order(lines=(neutral_line(taxes=tax),))
    allocate_orders([order.pk], actor=ACTOR).only()
    kit = make_kit("SET", MUG=(2, 3), CUP=(1, 4))
    proposal = propose(order, NewLine(kit.pk, 2, D("12.20")))
    kit.kit_parts.update(per_unit=5)
    Sku.objects.filter(pk=kit.pk).update(title="Another")

    confirm_proposals([proposal.pk], actor=ACTOR).only()

    new = line_of(order, "SET")
    assert (new.title, new.position, new.total_amount, new.tax_amount) == ("SET", 2, D("24.40"), D("4.40"))
    assert list(new.parts.values_list("sku__code", "ordered", "allocated", "value_amount").order_by("pk")) == [
        ("MUG", 4, 4, D("14.64")), ("CUP", 2, 2, D("9.76")),
    ]  # fmt: skip
    assert list(new.parts.values_list("value_weight", flat=True).order_by("pk")) == [3, 4]
    assert_holds(order)


def test_kit_that_cost_nothing_for_a_while_shares_its_price_by_its_weights_again() -> None:
    kit = make_kit("GIFT", MUG=(2, 1), CUP=(1, 6))
    order = make_order(lines=(neutral_line("GIFT", 1, "40.00"),))
    kit.kit_parts.update(value_weight=1)
    line = line_of(order, "GIFT")

    for price in ("0.01", "0", "40.00"):
        order = change(order, SetPrice(line.pk, D(price)))

    assert list(line.parts.values_list("value_amount", flat=True).order_by("pk")) == [D(10), D(30)]
    assert_holds(order)


def test_removed_line_stays_with_nothing_of_it() -> None:
    stock({"MUG": 2, "CUP": 2})
    order = make_confirmed({"MUG": 2, "CUP": 2})

    order = change(order, RemoveLine(line_of(order, "CUP").pk))

    gone = line_of(order, "CUP")
    assert (gone.quantity, gone.total_amount, gone.parts.get().ordered) == (0, 0, 0)
    assert (reservations(order), order.total_computed_amount) == ([("open", 2)], D(20))
    assert_holds(order)


def test_line_of_unknown_sku_is_removed_and_its_hold_lifted() -> None:
    order = make_order(lines=(neutral_line("???", 1), neutral_line("MUG", 1)), skus=False)
    make_sku("MUG")
    assert order.holds.filter(kind="unknown_sku", lifted_at=None).exists()

    order = change(order, SetPrice(line_of(order, "MUG").pk, D("9.00")), RemoveLine(line_of(order, "???").pk))

    hold = order.holds.get(kind="unknown_sku")
    assert hold.facts["skus"] == ["MUG"]
    assert order.total_computed_amount == D(9)


def test_price_discount_and_shipping_move_what_is_owed() -> None:
    order = make_order()
    line = line_of(order)

    order = change(
        order,
        SetPrice(line.pk, D("12.50")),
        GiveDiscount(percent=D(10), title="Late"),
        SetShipping("Express", D("7.00")),
    )

    assert (order.lines_amount, order.discount_amount, order.charges_amount) == (D(25), D("2.50"), D(7))
    assert (order.owed_amount, order.shipping_method) == (D("29.50"), "Express")
    assert order.charges.get().kind == "shipping"
    assert_holds(order)


def test_address_is_a_new_snapshot_and_lifts_its_hold() -> None:
    order = make_order(ship_to=neutral_address(city=""))
    before = order.ship_to_id
    assert [hold.kind for hold in order.holds.all()] == ["address"]

    order = change(order, NewAddress(neutral_address(name="Ada Blu", line1="Via Roma 1")))

    assert "BLU" in order.search_text
    assert (order.ship_to.line1, order.ship_to_id == before) == ("Via Roma 1", False)
    assert Address.objects.filter(pk=before).exists()
    assert list(order.holds.filter(lifted_at=None)) == []
    assert_holds(order)


def test_address_that_nothing_can_be_sent_to_is_refused() -> None:
    proposal = propose(make_order())
    before, addresses = stored(), Address.objects.count()
    wish = NewAddress(neutral_address(city="", country_code="Italy"))

    refusal = add_actions([NewActions(proposal.pk, (wish,))], actor=ACTOR).refusals[proposal.pk]

    assert isinstance(refusal, InvalidInput)
    assert (refusal.facts["value"], stored(), Address.objects.count()) == (
        "city, country_code",
        before,
        addresses,
    )


def test_version_moves_once_and_every_action_is_told() -> None:
    stock({"MUG": 9})
    order = make_confirmed()
    before = order.version
    seen = len(told(order))

    order = change(order, SetQuantity(line_of(order).pk, 3), SetPrice(line_of(order).pk, D(9)))

    assert order.version == before + 1
    changed = ["changed_quantity", "changed_price"]
    assert told(order)[seen:] == ["created", "actions_added", "allocated", "confirm", *changed]
    price = Event.objects.get(kind="changed_price")
    assert price.facts == {
        "change": Proposal.objects.get().pk, "code": "MUG", "before": "10", "after": "9", "currency": "EUR",
    }  # fmt: skip


def test_confirm_twice_does_it_once() -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(line_of(order).pk, 3))
    confirm_proposals([proposal.pk], actor=ACTOR).only()
    before = stored()

    results = confirm_proposals([proposal.pk], actor=ACTOR)

    assert (results.unchanged_ids, stored()) == ([proposal.pk], before)


def test_first_of_two_overtakes_the_other() -> None:
    order = make_order()
    first = propose(order, SetQuantity(line_of(order).pk, 3))
    second = propose(order, SetPrice(line_of(order).pk, D(8)))

    results = confirm_proposals([second.pk, first.pk], actor=ACTOR)

    assert results.done_ids == [first.pk]
    assert isinstance(results.refusals[second.pk], ProposalOvertaken)
    second.refresh_from_db()
    assert second.status == "stale"
    assert Event.objects.get(kind="overtake").facts == {"by": first.pk}


def test_overtaken_change_goes_on_with_the_order_as_it_is() -> None:
    order = make_order()
    second = propose(order, SetPrice(line_of(order).pk, D(8)))
    order = change(order, SetQuantity(line_of(order).pk, 3))

    renew_proposals([second.pk], actor=ACTOR).only()
    confirm_proposals([second.pk], actor=ACTOR).only()

    order.refresh_from_db()
    assert order.total_computed_amount == D(24)
    assert renew_proposals([second.pk], actor=ACTOR).refusals[second.pk].code == "proposal_closed"


def test_change_is_refused_when_the_order_moved_and_nothing_is_written() -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(line_of(order).pk, 3))
    stock({"MUG": 2})
    allocate_orders([order.pk], actor=ACTOR).only()
    before = stored()

    refusal = confirm_proposals([proposal.pk], actor=ACTOR).refusals[proposal.pk]

    assert isinstance(refusal, ProposalOvertaken)
    assert (refusal.facts["seen"], refusal.facts["current"], stored()) == (1, 2, before)


def test_part_shipped_line_is_not_cut_below_what_left() -> None:
    parcel = make_shipped({"MUG": 2})
    order = parcel.order
    line = line_of(order)
    order = change(order, SetQuantity(line.pk, 5))
    assert order.fulfillment_status == "backordered"
    proposal = propose(order, GiveDiscount(line.pk, D(1)))
    before = stored()

    refusal = add_actions([NewActions(proposal.pk, (SetQuantity(line.pk, 1),))], actor=ACTOR).refusals[
        proposal.pk
    ]

    assert isinstance(refusal, BelowLeast)
    assert (refusal.facts["shipped"], refusal.facts["least"], stored()) == (2, 2, before)
    order = change(order, SetQuantity(line.pk, 2))
    assert (order.status, order.fulfillment_status) == ("confirmed", "shipped")
    assert_holds(order)


def test_drop_moves_nothing() -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(line_of(order).pk, 3))
    rows = list(Order.objects.values()), list(OrderLine.objects.values())

    drop_proposals([proposal.pk], actor=ACTOR).only()

    assert (list(Order.objects.values()), list(OrderLine.objects.values())) == rows
    assert drop_proposals([proposal.pk], actor=ACTOR).unchanged_ids == [proposal.pk]
    assert isinstance(confirm_proposals([proposal.pk], actor=ACTOR).refusals[proposal.pk], ProposalClosed)


def test_action_is_taken_back_and_its_place_not_given_again() -> None:
    order = make_order()
    cup = make_sku("CUP")
    proposal = propose(order, NewLine(cup.pk, 1, D(3)))
    action = proposal.actions.get()

    withdraw_actions([action.pk], actor=ACTOR).only()
    assert wished(order)[-1] == ("actions_withdrawn", proposal.pk, {"kinds": [action.kind]})
    add_actions([NewActions(proposal.pk, (NewLine(cup.pk, 2, D(3)),))], actor=ACTOR).only()

    assert list(proposal.actions.values_list("position", flat=True)) == [2]
    assert isinstance(withdraw_actions([action.pk], actor=ACTOR).refusals[action.pk], NotFound)


def test_closed_history_and_empty_are_refused() -> None:
    cancelled, history = make_order(), make_order(is_history=True)
    cancel_orders([cancelled.pk], reason="no", actor=ACTOR).only()
    empty = propose(make_order())

    results = open_proposals([cancelled.pk, history.pk, 10**9], actor=ACTOR)

    assert isinstance(results.refusals[cancelled.pk], OrderClosed)
    assert isinstance(results.refusals[history.pk], HistoryOrder)
    assert isinstance(results.refusals[10**9], NotFound)
    assert isinstance(confirm_proposals([empty.pk], actor=ACTOR).refusals[empty.pk], NothingProposed)


def test_every_verb_asks_for_the_right() -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(line_of(order).pk, 3))
    before = stored()

    for call in (
        lambda: open_proposals([order.pk], actor=NOBODY),
        lambda: add_actions([NewActions(proposal.pk, ())], actor=NOBODY),
        lambda: withdraw_actions([1], actor=NOBODY),
        lambda: renew_proposals([proposal.pk], actor=NOBODY),
        lambda: drop_proposals([proposal.pk], actor=NOBODY),
        lambda: confirm_proposals([proposal.pk], actor=NOBODY),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert stored() == before


def test_channel_that_sends_the_same_again_raises_nothing() -> None:
    from orders.services.filling import Details, fill_details
    from tests.factories.orders import neutral_order

    neutral = neutral_order("A-77")
    order = make_order(external_id="A-77")
    order = change(order, SetQuantity(line_of(order).pk, 3))

    fill_details([Details(order.pk, replace(neutral))], actor=ACTOR).only()

    assert list(order.holds.filter(lifted_at=None)) == []


def test_orders_of_other_locations_are_not_there_for_a_bound_person() -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(line_of(order).pk, 3))
    action, before = proposal.actions.get().pk, stored()
    bound = Actor(ActorKind.USER, 1, "ada", frozenset({PROPOSE}), frozenset({404}))

    answers = [
        open_proposals([order.pk], actor=bound),
        add_actions([NewActions(proposal.pk, (GiveDiscount(percent=D(5)),))], actor=bound),
        withdraw_actions([action], actor=bound),
        renew_proposals([proposal.pk], actor=bound),
        drop_proposals([proposal.pk], actor=bound),
        confirm_proposals([proposal.pk], actor=bound),
    ]

    assert [type(next(iter(one.refusals.values()))) for one in answers] == [NotFound] * 6
    assert stored() == before
