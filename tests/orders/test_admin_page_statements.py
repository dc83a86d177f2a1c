"""The fullest order page: everything an order can have is on it, at a bounded number of statements."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.actors import Actor
from config.kernel.admin import admin_url
from config.kernel.fastpath import is_fast
from fulfillment.models import FulfillmentOrder
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from inventory.models import Location, Sku
from orders.enums import ChargeKind
from orders.models import Notification, Order
from orders.neutral import NeutralCharge, NeutralTax
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.confirming import confirm_orders
from orders.services.editing import Edit, edit_orders
from orders.services.holds import place_hold
from orders.services.noting import add_note, set_tags
from orders.services.proposals.opening import open_proposals
from returns.services.requesting import request_returns
from tests.factories.fulfillment import hand, stock
from tests.factories.inventory import make_location
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.factories.returns import wish
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


def filled(place: Location, *codes: str) -> None:
    """A unit more of each SKU comes in, for those who wait for it."""
    stock(dict.fromkeys(codes, 1), place)
    skus = Sku.objects.filter(code__in=codes).values_list("pk", flat=True)
    fill_backorders(list(skus), actor=SYSTEM).raise_refusals()


def full_order(cups: Sequence[str], place: Location, colleague: Actor) -> Order:
    """Partly shipped and returned, at work, waiting; held, noted, tagged, edited, mailed and being changed."""
    stock({"MUG": 2} | dict.fromkeys(cups, 1), place)
    tax = (NeutralTax("VAT", Decimal("3.61"), Decimal(22)),)
    goods = [neutral_line("MUG", taxes=tax), *(neutral_line(code) for code in cups), neutral_line("JUG")]
    courier = NeutralCharge(ChargeKind.SHIPPING, "courier", "Courier", Decimal(5))
    order = make_order(lines=tuple(goods), charges=(courier,), total_amount=Decimal(20 * len(goods) + 5))
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()
    (work,) = release_orders([order.pk], actor=SYSTEM).only()
    ship_by_hand(
        [hand(FulfillmentOrder.objects.get(pk=work), f"GLS{order.pk:09}")], actor=SYSTEM
    ).raise_refusals()
    request_returns([wish(order, location=place)], actor=SYSTEM).raise_refusals()
    filled(place, *cups)
    release_orders([order.pk], actor=SYSTEM).raise_refusals()
    filled(place, "JUG")
    place_hold([order.pk], kind="fraud", actor=SYSTEM).raise_refusals()
    add_note([order.pk], text="Ask for Paola", actor=colleague).raise_refusals()
    set_tags([order.pk], add=["gift"], actor=SYSTEM).raise_refusals()
    edit_orders([Edit(order.pk, {"note": "Ring twice"})], actor=colleague).raise_refusals()
    open_proposals([order.pk], reason="", actor=colleague).raise_refusals()
    Notification.objects.create(
        order=order, kind="confirmation", recipient="a@example.com", language="en", subject="Hello",
        body_text="", body_html="", message_id=str(order.pk), sending_at=order.placed_at, sent_at=order.placed_at,
    )  # fmt: skip
    order.refresh_from_db()
    return order


def statements(client: Visitor, order: Order) -> tuple[int, str]:
    """What the page asks once the person's rights have been asked before, and what it says."""
    client.get(admin_url(Order, "change", order.pk))
    with CaptureQueriesContext(connection) as captured:
        page = client.get(admin_url(Order, "change", order.pk))
    assert page.status_code == 200
    return len(captured), text_of(page)


def test_fullest_page_shows_everything_by_at_most_15_statements_whatever_the_size() -> None:
    manager = visitor("Manager")
    colleague = Actor.for_user(get_user_model().objects.get())
    torino = make_location("TO", name="Torino")
    small = full_order(["CUP"], torino, colleague)
    few, said = statements(manager, small)
    filled(torino, "JUG")
    large = full_order([f"CUP-{number}" for number in range(24)], torino, colleague)
    many, _said = statements(manager, large)

    assert few == many
    assert not is_fast() or few == 14
    for words in (
        "On hold Confirmed Backordered Partly paid",
        "It is under suspicion of fraud.",
        "A cup CUP 2 1 1 €10.00 Torino 1",
        "A jug JUG 2 1 1 waiting place 1 in line 0 €10.00 Torino 1",
        "Why Torino? Torino has 1 of 2 asked for and gives 1.",
        f"Shipped Torino 3 GLS GLS{small.pk:09} Handed over",
        "Released Torino 1 –",
        "Returns Return Units Reason Requested R-",
        "Note Ask for Paola",
        "Buyer’s note changed – → Ring twice",
        "Shipping (Courier) €5.00 VAT 22 % in it €3.61",
        "Captured Stripe pi_1 €60.00",
        "Order confirmation sent",
        "Notes and tags gift",
        "Changes Change",
        "· manager-0",
    ):
        assert words in said, words
