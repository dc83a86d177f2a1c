"""The page of a change: plain forms, everything it does in words, confirmed on what was shown or not at all."""

from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.admin import admin_url
from inventory.services.catalogue import SkuChange, change_skus
from orders.changes import RemoveLine, SetPrice, SetQuantity
from orders.enums import ChannelKind
from orders.models import Order, Proposal
from orders.neutral import NeutralTax
from orders.services.holds import place_hold
from tests.factories.fulfillment import make_confirmed, make_released, stock
from tests.factories.inventory import make_location, make_sku
from tests.factories.orders import make_channel, make_order, neutral_line
from tests.factories.proposals import ACTOR, change, propose
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def page_of(client: Visitor, proposal: Proposal) -> Any:
    page = client.get(admin_url(Proposal, "change", proposal.pk))
    assert page.status_code == 200
    return page


def act(client: Visitor, proposal: Proposal, what: str, **values: Any) -> Any:
    """Fill in one form of the page as it is now."""
    proposal.refresh_from_db()
    given = {f"{what}-{name}": value for name, value in values.items()}
    data = {"what": what, "version": proposal.version, **given}
    return client.post(admin_url(Proposal, "act", proposal.pk), data, follow=True)


def test_change_begins_on_the_order_page(support: Visitor) -> None:
    order = make_order()

    response = support.press(admin_url(Order, "change_order", order.pk))

    proposal = Proposal.objects.get()
    assert response["Location"] == admin_url(Proposal, "change", proposal.pk)
    assert "Change begun" in text_of(support.get(admin_url(Order, "change", order.pk)))
    assert "Nothing yet. Say below what is to change" in text_of(page_of(support, proposal))


def test_lines_form_adds_what_differs_and_says_what_it_does(support: Visitor) -> None:
    stock({"MUG": 3}, make_location("TO", name="Torino"))
    order = make_confirmed()
    line = order.lines.get()
    proposal = propose(order)

    values = {f"quantity_{line.pk}": 5, f"price_{line.pk}": "9.00"}
    said = text_of(act(support, proposal, "lines", **values))

    assert list(proposal.actions.values_list("kind", flat=True)) == ["quantity", "price"]
    assert "The buyer owes €45.00 instead of €20.00." in said
    assert "€25.00 are still to be paid; nothing is collected by this." in said
    assert "1 more of MUG is reserved at Torino." in said
    assert "2 of MUG wait for stock." in said
    assert "Bottega is not told: the order there stays as the buyer placed it." in said
    assert "A mug (MUG) 2 → 5 €10.00 → €9.00 €20.00 → €45.00" in said
    order.refresh_from_db()
    assert order.total_computed_amount == D(20)


def test_every_other_form_adds_its_wish(support: Visitor) -> None:
    order = make_order(lines=(neutral_line(taxes=(NeutralTax("VAT", D("3.61"), D(22)),)),))
    make_sku("CUP")
    proposal = propose(order)

    act(support, proposal, "add", sku="cup", quantity=1, price="6.10")
    act(support, proposal, "discount", percent="10", why="Late")
    act(support, proposal, "address", name="Rosa", line1="Via Roma 1", city="Torino", country_code="Italy")
    said = text_of(act(support, proposal, "shipping", method="Express", amount="7.00"))

    assert list(proposal.actions.values_list("kind", flat=True)) == [
        "add_line", "discount", "address", "shipping",
    ]  # fmt: skip
    assert "Add a line 1 × CUP, €6.10" in said
    assert "It is sent by “Express”." in said
    assert "The buyer owes €30.49 instead of €20.00." in said


def test_confirm_changes_the_order_and_leads_back_to_it(support: Visitor) -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(order.lines.get().pk, 3))

    page = support.get(admin_url(Proposal, "confirm", proposal.pk))
    assert "The buyer owes €30.00 instead of €20.00." in text_of(page)
    response = support.press(admin_url(Proposal, "confirm", proposal.pk))

    assert response["Location"] == admin_url(Order, "change", order.pk)
    said = text_of(support.get(response["Location"]))
    assert "Order changed from €20.00 to €30.00" in said
    assert "Quantity changed MUG from 2 to 3" in said
    assert "Total, sent by the channel €20.00 Changed since €10.00" in said
    assert "It is over" in text_of(page_of(support, proposal))


def test_what_stands_in_the_way_keeps_the_button_off(support: Visitor) -> None:
    from config.kernel.states import apply_transition
    from fulfillment.states import FULFILLMENT_ORDER, START_PICKING

    work = make_released()
    apply_transition(FULFILLMENT_ORDER, START_PICKING, [work], actor=ACTOR)
    proposal = propose(work.order, SetQuantity(work.order.lines.get().pk, 1))

    (drop, confirm) = page_of(support, proposal).context["page"]["actions"]

    assert (drop["label"], confirm["url"]) == ("Drop the change", "")
    assert "the warehouse is at work on units of MUG" in confirm["reason"]


def test_overtaken_change_says_what_changed_and_goes_on(support: Visitor) -> None:
    order = make_order()
    proposal = propose(order, SetPrice(order.lines.get().pk, D(8)))
    change(order, SetQuantity(order.lines.get().pk, 3))

    page = page_of(support, proposal)

    assert [str(row["label"]) for row in page.context["page"]["actions"]] == [
        "Drop the change", "Go on with the order as it is now",
    ]  # fmt: skip
    changed = page.context["page"]["changed"]
    assert any(row.startswith("Quantity changed MUG from 2 to 3") for row in changed)
    support.press(admin_url(Proposal, "renew", proposal.pk))
    assert support.press(admin_url(Proposal, "confirm", proposal.pk)).status_code == 302
    order.refresh_from_db()
    assert order.total_computed_amount == D(24)


def test_press_on_what_moved_meanwhile_is_refused_with_what_changed(support: Visitor) -> None:
    order = make_order()
    proposal = propose(order, SetPrice(order.lines.get().pk, D(8)))
    url = admin_url(Proposal, "confirm", proposal.pk)
    from tests.kernel.visitor import hidden

    shown = hidden(support.get(url))
    place_hold([order.pk], kind="fraud", reason="", actor=ACTOR).only()

    said = text_of(support.post(url, shown, follow=True))

    assert "look at it again" in said or "does not apply any more" in said
    proposal.refresh_from_db()
    assert proposal.status == "open"


def test_double_click_adds_once(support: Visitor) -> None:
    order = make_order()
    make_sku("CUP")
    proposal = propose(order)
    data = {
        "what": "add", "version": proposal.version, "add-sku": "CUP", "add-quantity": 1, "add-price": "1",
    }  # fmt: skip
    url = admin_url(Proposal, "act", proposal.pk)

    support.post(url, data)
    again = support.post(url, data)

    assert proposal.actions.count() == 1
    assert "worked on meanwhile; nothing was added" in text_of(again)


def test_refusal_stands_at_its_form(support: Visitor) -> None:
    order = make_order()
    proposal = propose(order)

    make_sku("OLD")
    change_skus([SkuChange("OLD", is_active=False)], actor=ACTOR).raise_refusals()

    unknown = text_of(act(support, proposal, "add", sku="???", quantity=1, price="1"))
    old = text_of(act(support, proposal, "add", sku="OLD", quantity=1, price="1"))
    too_much = text_of(act(support, proposal, "discount", amount="99"))
    nothing = act(support, proposal, "lines", **{f"quantity_{order.lines.get().pk}": 2})

    assert "No SKU is called “???”." in unknown
    assert "OLD is not active." in old
    assert "accepted is more than 0 and at most 20" in too_much
    assert messages_of(nothing) == ["Nothing differs from what stands here already."]
    assert proposal.actions.count() == 0


def test_wish_is_taken_back(support: Visitor) -> None:
    order = make_order()
    proposal = propose(order, SetQuantity(order.lines.get().pk, 3))
    data = {"what": "withdraw", "version": proposal.version, "action": proposal.actions.get().pk}

    support.post(admin_url(Proposal, "act", proposal.pk), data)

    assert proposal.actions.count() == 0


def test_line_that_was_taken_off_says_so_on_the_order_page(support: Visitor) -> None:
    order = make_order(lines=(neutral_line("MUG", 1), neutral_line("CUP", 1)))
    change(order, RemoveLine(order.lines.get(sku_code="CUP").pk))

    said = text_of(support.get(admin_url(Order, "change", order.pk)))

    assert "A cup CUP taken off 0" in said
    assert "Line removed CUP from 1 to 0" in said


def test_marketplace_is_named(support: Visitor) -> None:
    channel = make_channel(code="amz", name="Amazon.it", kind=ChannelKind.AMAZON)
    order = make_order(channel=channel)
    proposal = propose(order, SetPrice(order.lines.get().pk, D(8)))

    said = text_of(page_of(support, proposal))

    assert "Amazon.it is not told: its buyer goes on seeing the order as placed there" in said


@pytest.mark.parametrize("role", ["Picker", "Read-only", "Integration", ""])
def test_others_neither_see_nor_change(role: str) -> None:
    from django.contrib.auth.models import Group

    order = make_order()
    proposal = propose(order, SetQuantity(order.lines.get().pk, 3))
    client = visitor(role) if Group.objects.filter(name=role).exists() or not role else visitor()

    data = {"what": "withdraw", "version": proposal.version, "action": proposal.actions.get().pk}
    assert client.post(admin_url(Proposal, "act", proposal.pk), data).status_code == 403
    assert client.get(admin_url(Proposal, "confirm", proposal.pk)).status_code == 403
    assert client.get(admin_url(Order, "change_order", order.pk)).status_code == 403
    assert proposal.actions.count() == 1


def test_page_costs_the_same_for_many_lines(support: Visitor) -> None:
    counts = []
    for number in (2, 30):
        stock({f"S{number}-{place}": 2 for place in range(number)})
        order = make_confirmed({f"S{number}-{place}": 3 for place in range(number)})
        wishes = [SetQuantity(line.pk, 4 if line.position % 2 else 1) for line in order.lines.all()]
        proposal = propose(order, *wishes, SetPrice(order.lines.first().pk, D(9)))
        page_of(support, proposal)
        with CaptureQueriesContext(connection) as captured:
            page_of(support, proposal)
        counts.append(len(captured))

    assert counts == [27, 27]
