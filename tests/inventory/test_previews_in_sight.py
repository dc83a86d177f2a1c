"""Previews of stock name to a person bound to locations nothing of elsewhere: neither who waits in line nor figures."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from inventory.models import Location, StaffLocation
from tests.factories.fulfillment import make_confirmed
from tests.factories.inventory import make_level, make_location, make_sku
from tests.kernel.visitor import Visitor, hidden, text_of, visitor

pytestmark = pytest.mark.django_db


def clerk(*places: Location) -> Visitor:
    client = visitor("Manager")
    person = get_user_model().objects.latest("pk")
    StaffLocation.objects.bulk_create(StaffLocation(user=person, location=place) for place in places)
    return client


def look(client: Visitor, page: str, **values: Any) -> str:
    """What a guided page of one row says that it would do."""
    rows = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 0}
    url = f"/inventory/{page}/add/"
    answer = client.post(url, {**hidden(client.get(url)), **rows, "nonce": "n", "look": "1", **values})
    assert answer.context["foreseen"], text_of(answer)
    return text_of(answer)


def test_receipt_names_who_is_served_to_those_who_see_the_whole_business_only() -> None:
    here, sku = make_location("HERE"), make_sku("LAMP")
    orders = [make_confirmed({"LAMP": 1}, external_id=name) for name in ("A-1", "A-2")]
    row = {"location": here.pk, "form-0-sku": sku.code, "form-0-quantity": "5"}

    bound, free = (look(client, "stockreceipt", **row) for client in (clerk(here), clerk()))

    for order in orders:
        assert f"Gets stock: Order {order.number}: 1 unit" in free
        assert order.number not in bound
    assert bound.count("Get stock in line: 2 units") == 1


def test_plan_of_a_transfer_shows_no_figures_of_a_location_that_is_not_seen() -> None:
    here, there, sku = make_location("HERE"), make_location("THERE"), make_sku("LAMP")
    make_level(sku, here, 10)
    make_level(sku, there, 98_765)
    row = {"origin": here.pk, "destination": there.pk, "form-0-sku": sku.code, "form-0-quantity": "5"}

    bound, free = (look(client, "transfer", **row) for client in (clerk(here), clerk()))

    assert "98,765 → 98,770" in free
    assert "10 → 5" in bound
    assert "98,76" not in bound
