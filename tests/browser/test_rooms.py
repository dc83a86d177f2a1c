"""The pages that staff live on, full of rows: nothing sideways, no violation, in the dark."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from config.kernel.admin import admin_url
from inventory.models import Sku
from orders.enums import HoldKind
from orders.models import Order
from orders.services.holds import place_hold
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import Person
from tests.factories.fulfillment import make_released
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.factories.returns import make_received

LONG = "Filter starter set with a dripper, two packs of filters and a scoop made of beech"


@pytest.fixture
def pages(manager: User) -> list[str]:
    """A page of every room, with long words, a hold, a kit's worth of lines and work under way."""
    rma = make_received()
    work = make_released({"MUG": 2}, external_id="A-" + "9" * 40)
    held = make_order(
        external_id="A-3", lines=tuple(neutral_line(f"SKU-{n}" * 3, 9, title=LONG) for n in range(12))
    )
    place_hold([held.pk], kind=HoldKind.MANUAL, reason="Long reason " * 12, actor=SYSTEM).raise_refusals()
    lists = (Order, Sku, type(work), type(rma))
    objects = (held, Sku.objects.get(code="MUG"), work, rma, rma.order)
    return [
        "/",
        *(admin_url(model, "changelist") for model in lists),
        *(admin_url(one, "change", one.pk) for one in objects),
        "/inventory/stockreceipt/add/",
        "/orders/order/add/",
        admin_url(rma, "inspect", rma.pk),
    ]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_of_every_room_stay_within_the_screen(
    pages: list[str], manager: User, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    person = Person(visit(size, scheme="dark", user=manager))

    for path in pages:
        person.go(path)
