"""Changes to orders that the warehouse is at work on."""

from collections.abc import Sequence
from decimal import Decimal as D

import pytest
from django.db import transaction

from config.kernel.admin import admin_url
from config.kernel.audit import run_audit
from config.kernel.models import Event
from config.kernel.states import apply_transition
from fulfillment.models import FulfillmentOrder
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.states import FULFILLMENT_ORDER, START_PICKING
from inventory.models import Reservation
from orders.changes import SetPrice, SetQuantity
from orders.errors import UnitsAtWork
from orders.models import Order, Proposal
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.previewing import preview_proposal
from orders.services.proposals.wishes import NewAddress, NewLine
from tests.factories.fulfillment import ACTOR, hand, make_confirmed, make_released, make_shipped, stock
from tests.factories.inventory import make_location
from tests.factories.orders import neutral_address
from tests.factories.proposals import change, propose
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db


def less(order: Order, quantity: int = 1) -> Proposal:
    return propose(order, SetQuantity(order.lines.get().pk, quantity))


def said(proposal: Proposal) -> Sequence[str]:
    order = Order.objects.get(pk=proposal.order_id)
    return [effect.text for effect in preview_proposal(proposal, order).effects]


def start_picking(work: FulfillmentOrder) -> None:
    with transaction.atomic():
        apply_transition(FULFILLMENT_ORDER, START_PICKING, [work], actor=ACTOR)


def assert_nothing_broken() -> None:
    assert [found for found in run_audit() if found.violations] == []


def test_work_not_begun_is_called_back_for_its_units() -> None:
    work = make_released({"MUG": 2})
    proposal = less(work.order)
    assert said(proposal) == [
        f"{work.number} at {work.location.name} is called back; what stays of it can be released again."
    ]

    confirm_proposals([proposal.pk], actor=ACTOR).only()

    work.refresh_from_db()
    assert work.status == "cancelled"
    assert Event.objects.get(subject_type="fulfillment_order", kind="cancel").facts["why"] == "order_changed"
    assert f"Warehouse work cancelled {work.number} the order changed" in text_of(
        visitor("Picker").get(admin_url(work, "change", work.pk))
    )
    assert Order.objects.get(pk=work.order_id).lines.get().parts.get().allocated == 1
    assert_nothing_broken()


def test_preview_promises_units_that_are_called_back_as_the_press_does() -> None:
    work = make_released({"MUG": 2})
    line = work.order.lines.get()
    proposal = propose(work.order, SetQuantity(line.pk, 1), NewLine(line.sku_id, 1, D(12)))

    (foreseen,) = preview_proposal(proposal, Order.objects.get(pk=work.order_id)).stock
    confirm_proposals([proposal.pk], actor=ACTOR).only()

    assert (foreseen.called_back, foreseen.released) == (1, [])
    assert (foreseen.reserved, foreseen.waiting) == ([(work.location.name, 1)], 0)
    new = Reservation.objects.exclude(reference_id=line.parts.get().pk)
    assert list(new.values_list("state", "quantity", "level__location")) == [("open", 1, work.location_id)]
    assert_nothing_broken()


def test_preview_says_where_units_come_free_beside_called_back_ones() -> None:
    near, far = make_location("NEAR", preference=1), make_location("FAR", preference=2)
    stock({"MUG": 3}, near)
    order = make_confirmed({"MUG": 3})
    release_orders([order.pk], actor=ACTOR).only()
    stock({"MUG": 1}, far)
    line = order.lines.get()
    change(order, SetQuantity(line.pk, 4))
    order.refresh_from_db()
    proposal = propose(order, SetQuantity(line.pk, 2))

    (foreseen,) = preview_proposal(proposal, order).stock
    confirm_proposals([proposal.pk], actor=ACTOR).only()

    assert (foreseen.called_back, foreseen.released) == (1, [("FAR", 1)])
    left = Reservation.objects.filter(state="open").values_list("level__location__code", "quantity")
    assert list(left) == [("NEAR", 2)]
    assert_nothing_broken()


def test_units_in_hand_are_refused_and_nothing_is_written() -> None:
    work = make_released({"MUG": 2})
    start_picking(work)
    proposal = less(work.order)
    events = Event.objects.count()

    refusal = confirm_proposals([proposal.pk], actor=ACTOR).refusals[proposal.pk]

    assert isinstance(refusal, UnitsAtWork)
    assert (refusal.facts["n"], refusal.facts["work"]) == (1, f"{work.number} (Being picked)")
    assert Event.objects.count() == events
    assert Order.objects.get(pk=work.order_id).lines.get().quantity == 2


def test_price_alone_leaves_the_warehouse_in_peace() -> None:
    work = make_released({"MUG": 2})
    proposal = propose(work.order, SetPrice(work.order.lines.get().pk, D(9)))
    assert said(proposal) == []

    confirm_proposals([proposal.pk], actor=ACTOR).only()

    work.refresh_from_db()
    assert work.status == "released"


def test_new_address_calls_back_what_was_released_to_the_old_one() -> None:
    work = make_released({"MUG": 2})
    proposal = propose(work.order, NewAddress(neutral_address(line1="Via Roma 1")))
    assert said(proposal) == [
        f"{work.number} at {work.location.name} is called back: it was released to the old address."
    ]

    confirm_proposals([proposal.pk], actor=ACTOR).only()

    refusal = ship_by_hand([hand(work)], actor=ACTOR).refusals[work.pk]
    assert refusal.code == "not_released"
    assert_nothing_broken()


def test_new_address_stops_work_in_hand() -> None:
    work = make_released({"MUG": 2})
    start_picking(work)
    proposal = propose(work.order, NewAddress(neutral_address(line1="Via Roma 1")))

    assert said(proposal) == [
        f"{work.number} is in hand at {work.location.name}. It cannot leave to the old address: call it back."
    ]
    confirm_proposals([proposal.pk], actor=ACTOR).only()


def test_parcel_that_left_is_not_turned_around() -> None:
    parcel = make_shipped({"MUG": 2})
    order = Order.objects.get(pk=parcel.order_id)
    proposal = propose(order, NewAddress(neutral_address(line1="Via Roma 1")))

    assert said(proposal) == [f"{parcel} has left to the old address; this does not turn it around."]
