"""Pages that change stock name the mails that broken promises make due, as the mail room decides it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import outbox
from inventory.admin.foreseeing import foreseen
from inventory.aftermath import TELLERS, told_of
from inventory.models import Location, Sku, StockCount, StockCountLine
from inventory.selectors.previews import Change
from orders.enums import ChannelKind, MailKind
from orders.models import Notification, Order
from orders.services.allocating import allocate_orders
from orders.services.confirming import confirm_orders
from tests.factories.inventory import make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line
from tests.inventory.test_adjust_page import URL, typed
from tests.inventory.test_transfer_pages import press
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
GOES = "1 mail “Backorder” goes to its buyer."


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


@pytest.fixture
def cup(place: Location) -> Sku:
    sku = make_sku("CUP")
    receive(sku, place, 6)
    return sku


@pytest.fixture
def clerk() -> Visitor:
    return visitor("Manager")


def reserved(units: int = 2, **fields: Any) -> Order:
    order = make_order(lines=(neutral_line("CUP", units),), **fields)
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    allocate_orders([order.pk], actor=SYSTEM).only()
    return order


def correction(clerk: Visitor, place: Location, units: int, **more: Any) -> Any:
    return clerk.post(URL, {**typed(place, "correction", {"sku": "CUP", "quantity": str(units)}), **more})


def told(page: Any) -> list[str]:
    """What the preview says of mails."""
    return [one["text"] for one in page.context["foreseen"].consequences if "“Backorder”" in one["text"]]


def lose(clerk: Visitor, place: Location, units: int) -> list[str]:
    """Book a loss after its preview; what that said of mails. Then all that is due is done."""
    shown = correction(clerk, place, -units, preview="1")
    mark = shown.context["foreseen"].mark
    assert correction(clerk, place, -units, book="1", seen=mark, nonce=f"n{units}").status_code == 302
    for lane in ("work", "mail"):
        outbox.deliver_due(lane)
    return told(shown)


def mailed() -> list[int]:
    return list(Notification.objects.filter(kind=MailKind.BACKORDER).values_list("order", flat=True))


def test_loss_names_the_mail_that_goes(clerk: Visitor, place: Location, cup: Sku) -> None:
    first, last = reserved(), reserved(4)

    assert lose(clerk, place, 1) == [GOES]

    assert mailed() == [last.pk]
    assert lose(clerk, place, 2) == [], "the order waits already"
    assert lose(clerk, place, 3) == [GOES]
    assert sorted(mailed()) == [first.pk, last.pk]


def test_loss_says_why_no_mail_goes(clerk: Visitor, place: Location, cup: Sku) -> None:
    reserved(channel=make_channel(code="amz", kind=ChannelKind.AMAZON))

    assert lose(clerk, place, 5) == ["1 without a mail “Backorder”: the sales channel sends no such mail."]

    assert mailed() == []


def test_loss_of_who_gets_other_stock_names_no_mail(clerk: Visitor, place: Location, cup: Sku) -> None:
    reserved(6)
    receive(cup, make_location(name="Torino"), 6)

    assert lose(clerk, place, 6) == []

    assert mailed() == []


def test_loss_of_whom_a_mail_has_told_before_names_none(clerk: Visitor, place: Location, cup: Sku) -> None:
    order = reserved(6)
    assert lose(clerk, place, 1) == [GOES]
    receive(cup, place, 1)
    outbox.deliver_due("work")
    allocate_orders([order.pk], actor=SYSTEM)
    order.refresh_from_db()
    assert order.fulfillment_status == "allocated"

    assert lose(clerk, place, 2) == []

    assert mailed() == [order.pk]


def test_units_set_aside_name_it_too(clerk: Visitor, place: Location, cup: Sku) -> None:
    reserved(6)

    page = clerk.post(URL, {**typed(place, "set_aside", {"sku": "CUP", "quantity": "1"}), "preview": "1"})

    assert told(page) == [GOES]


def test_approval_of_a_count_names_it_too(clerk: Visitor, place: Location, cup: Sku) -> None:
    reserved(6)
    clerk.post(
        "/inventory/stockcount/add/", {"location": place.pk, "skus": "CUP\n", "note": "", "nonce": "n"}
    )
    base = f"/inventory/stockcount/{StockCount.objects.get().pk}/"
    press(clerk, f"{base}count/", **{f"line_{StockCountLine.objects.get().pk}": "4"})

    assert GOES in text_of(visitor("Manager").get(f"{base}approve/"))


def test_preview_without_a_teller_is_silent(
    clerk: Visitor, place: Location, cup: Sku, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: this room says nothing of mails by itself."""
    reserved(6)
    monkeypatch.delitem(TELLERS, "order_line_part")

    assert told(correction(clerk, place, -1, preview="1")) == []


def test_preview_costs_the_same_for_one_and_many_losers(place: Location, cup: Sku) -> None:
    counts = []
    for _round in range(3):
        reserved()
    for units in (1, 5):
        with CaptureQueriesContext(connection) as captured:
            shown = foreseen({(cup.pk, place.pk): Change(on_hand=-units)})
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert any("3 mails “Backorder” go" in one["text"] for one in shown.consequences)


def test_teller_is_asked_once_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def teller(units: Any) -> list[dict[str, str]]:
        asked.append(dict(units))
        return [{"text": "Told.", "tone": ""}]

    monkeypatch.setitem(TELLERS, "test", teller)

    said = told_of({("test", 1): 2, ("test", 2): 3, ("other", 1): 1})

    assert said == [{"text": "Told.", "tone": "", "url": ""}]
    assert told_of({}) == []
    assert asked == [{1: 2, 2: 3}]
