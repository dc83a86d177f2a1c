"""The queue of confirmed orders of which nothing more is expected: a person ends them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.kernel import clock
from fulfillment.enums import ParcelStatus
from fulfillment.selectors.queues import EXPECTED
from fulfillment.services.tracking import record_tracking
from orders.enums import HoldKind
from orders.models import Order
from orders.services.completing import complete_orders, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold, release_holds
from tests.factories.fulfillment import ACTOR, make_delivered, make_released, make_shipped, told
from tests.factories.orders import make_order, neutral_line
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db

LABEL = "To close"


@pytest.fixture
def clerk() -> Visitor:
    return visitor("Support")


def to_close(person: Visitor, **query: str) -> list[int]:
    page = person.get("/orders/order/", {"queue": "not_closed", **query})
    return sorted(row.pk for row in page.context["cl"].result_list)


def tiles(person: Visitor) -> dict[str, tuple[int, str]]:
    return {str(tile.label): (tile.count, str(tile.detail)) for tile in person.get("/").context["page"].tiles}


def make_service(*, confirmed: bool = True) -> Order:
    """An order of nothing that is shipped."""
    order = make_order(lines=(neutral_line("REPAIR", requires_shipping=False),))
    if confirmed:
        confirm_orders([order.pk], actor=ACTOR).raise_refusals()
    return order


def test_orders_that_nothing_more_is_heard_of_are_a_queue_until_somebody_ends_them(clerk: Visitor) -> None:
    old, lost, back = make_shipped(), make_shipped(), make_shipped()
    record_tracking(
        [told(lost, ParcelStatus.LOST), told(back, ParcelStatus.RETURNED_TO_SENDER)], actor=ACTOR
    ).raise_refusals()
    make_delivered()
    make_released()

    assert to_close(clerk) == [lost.order_id, back.order_id]
    assert tiles(clerk)[LABEL] == (2, "shipped 2")
    with clock.frozen(clock.now() + EXPECTED + timedelta(minutes=1)):
        make_shipped()
        later = visitor("Support")
        assert to_close(later) == [old.order_id, lost.order_id, back.order_id]
        complete_orders(to_close(later), actor=ACTOR).raise_refusals()
        assert to_close(later) == []
        assert LABEL not in tiles(later)


def test_confirmed_orders_without_goods_are_in_the_queue_until_somebody_ends_them(clerk: Visitor) -> None:
    make_service(confirmed=False)
    make_released()
    service, other = make_service(), make_service()

    assert to_close(clerk) == [service.pk, other.pk]
    assert LABEL in text_of(clerk.get("/orders/order/"))
    complete_orders([service.pk], actor=ACTOR).raise_refusals()
    assert to_close(clerk) == [other.pk]
    reopen_orders([service.pk], actor=ACTOR).raise_refusals()
    assert to_close(clerk) == [service.pk, other.pk]


def test_order_without_goods_that_is_held_waits_among_the_held_ones_first(clerk: Visitor) -> None:
    service = make_service()
    place_hold([service.pk], kind=HoldKind.MANUAL, reason="ask", actor=ACTOR).raise_refusals()

    assert to_close(clerk) == []
    release_holds([service.pk], kind=HoldKind.MANUAL, actor=ACTOR).raise_refusals()
    assert to_close(clerk) == [service.pk]


def test_tile_says_what_is_to_be_closed_and_opens_it(clerk: Visitor) -> None:
    lost = make_shipped()
    record_tracking([told(lost, ParcelStatus.LOST)], actor=ACTOR).raise_refusals()
    services = sorted(make_service().pk for _number in range(2))

    tile = next(tile for tile in clerk.get("/").context["page"].tiles if tile.label == LABEL)

    assert (tile.count, tile.detail) == (3, "nothing to ship 2 · shipped 1")
    opened = {
        words: to_close(clerk, **{name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
        for words, url in tile.parts
    }
    assert opened == {"nothing to ship 2": services, "shipped 1": [lost.order_id]}
