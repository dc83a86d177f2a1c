"""What people wrote in words of their own is read by those who may read it, on every page."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.admin import admin_url
from orders.enums import HoldKind
from orders.models import Hold, Order
from orders.services.holds import place_hold
from orders.services.noting import add_note
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db
REASON = "Mrs Neri moves house, ring 011 777"


def pages(role: str, order: Order, text: str) -> dict[str, bool]:
    """Of every page on which an order's holds and notes stand and that the role opens: whether the text is there."""
    client, holds = visitor(role), Hold.objects.filter(order=order)
    urls = [admin_url(Order, "change", order.pk), "/orders/order/", "/", "/orders/hold/"]
    urls += [admin_url(Hold, "change", hold.pk) for hold in holds]
    found: dict[str, Any] = {url: client.get(url) for url in urls}
    return {url: text in text_of(page) for url, page in found.items() if page.status_code == 200}


def test_reason_of_an_open_hold_is_kept_from_people_who_see_nothing_personal() -> None:
    order = make_order()
    place_hold([order.pk], kind=HoldKind.MANUAL, reason=REASON, actor=SYSTEM).only()
    hold = admin_url(Hold, "change", Hold.objects.get().pk)

    for role in ("Picker", "Reader"):
        assert not any(pages(role, order, REASON).values())
    assert "/orders/hold/" in pages("Reader", order, REASON)
    told = {url for url, is_told in pages("Support", order, REASON).items() if is_told}
    assert told == {admin_url(Order, "change", order.pk), "/orders/hold/", hold}


def test_note_is_read_by_those_who_may_see_notes() -> None:
    order = make_order()
    add_note([order.pk], text=REASON, actor=SYSTEM).only()

    for role in ("Picker", "Reader"):
        assert not any(pages(role, order, REASON).values())
        assert "Note" in text_of(visitor(role).get(admin_url(Order, "change", order.pk)))
    assert pages("Support", order, REASON)[admin_url(Order, "change", order.pk)]


def test_first_page_tells_the_warehouse_no_difference_of_totals() -> None:
    order = make_order(total_amount=Decimal("27.77"))
    Order.objects.filter(pk=order.pk).update(dispatch_by_on=date(2026, 1, 5))
    assert Hold.objects.get().kind == HoldKind.TOTALS

    said = {role: text_of(visitor(role).get("/")) for role in ("Picker", "Support")}

    assert "7.77" in said["Support"]
    assert "7.77" not in said["Picker"]
    assert "The totals differ." in said["Picker"]
