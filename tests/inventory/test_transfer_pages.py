"""The pages of transfers and counts: guided forms, buttons, presses, who may."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from config.kernel.actors import Actor
from inventory.models import (
    Location,
    Sku,
    StockCount,
    StockCountLine,
    StockLevel,
    Transfer,
    TransferLine,
)
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.counts import CountPlan, CountSheet, approve_counts, book_count, record_counts
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve

pytestmark = pytest.mark.django_db


def staff(*rights: str, name: str = "clerk") -> Client:
    user = get_user_model().objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def place() -> Location:
    return make_location(name="Milano")


@pytest.fixture
def cup(place: Location) -> Sku:
    sku = make_sku("CUP")
    make_level(sku, place, 10)
    return sku


def press(client: Client, url: str, **values: Any) -> Any:
    """Open a confirm page and press its button; once more where it shows first what these values would do."""
    shown = client.get(url)
    assert shown.status_code == 200, shown.headers
    answer = client.post(url, {**dict(shown.context["hidden"]), **values})
    if answer.status_code == 200 and answer.context.get("unforeseen"):
        answer = client.post(url, {**dict(answer.context["hidden"]), **values})
    return answer


def plan(client: Client, form: dict[str, Any]) -> Any:
    """See what a planned transfer would do, then write it."""
    shown = client.post("/inventory/transfer/add/", form | {"look": "1"})
    seen = {"book": "1", "seen": shown.context["foreseen"].mark}
    return client.post("/inventory/transfer/add/", form | seen)


def test_transfer_is_planned_sent_and_received(place: Location, cup: Sku) -> None:
    shop = make_location(name="Torino")
    clerk = staff("add_transfer", "send_transfer", "receive_transfer", "view_transfer", "view_sku")
    rows = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-sku": "cup", "form-0-quantity": "4"}
    form = {"origin": place.pk, "destination": shop.pk, "note": "x", "nonce": "n", **rows}
    assert clerk.get("/inventory/transfer/add/").status_code == 200
    assert clerk.post("/inventory/transfer/add/", form | {"more_lines": "1"}).status_code == 200
    same = clerk.post("/inventory/transfer/add/", form | {"destination": place.pk})
    assert "Choose another location than the first." in same.content.decode()

    planned = plan(clerk, form)
    transfer = Transfer.objects.get()
    base = f"/inventory/transfer/{transfer.pk}/"
    assert planned.headers["Location"] == f"{base}change/"
    assert plan(clerk, form).headers["Location"] == f"{base}change/"

    press(clerk, f"{base}send/")
    assert StockLevel.objects.get().on_hand == 6
    assert "On its way" in clerk.get(f"{base}change/").content.decode()
    assert transfer.number in clerk.get("/inventory/transfer/?queue=to_receive").content.decode()
    assert "On the way" in clerk.get(f"/inventory/sku/{cup.pk}/change/").content.decode()

    line = TransferLine.objects.get()
    refused = press(clerk, f"{base}receive/", **{f"line_{line.pk}": "3", "reason": ""})
    assert "Units missing: 1. Say why." in refused.content.decode()
    press(clerk, f"{base}receive/", **{f"line_{line.pk}": "3", "reason": "Broken"})
    assert StockLevel.objects.get(location=shop).on_hand == 3
    page = clerk.get(f"{base}change/").content.decode()
    assert "Units are missing: Broken" in page
    assert "1 lost: Broken" in page
    sku_page = clerk.get(f"/inventory/sku/{cup.pk}/change/").content.decode()
    assert f"Transfer {transfer.number}" in sku_page


def test_transfer_on_its_way_is_cancelled_with_a_reason(place: Location, cup: Sku) -> None:
    shop = make_location()
    clerk = staff("add_transfer", "send_transfer", "cancel_transfer", "view_transfer")
    rows = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-sku": "CUP", "form-0-quantity": "4"}
    plan(clerk, {"origin": place.pk, "destination": shop.pk, "nonce": "n", **rows})
    base = f"/inventory/transfer/{Transfer.objects.get().pk}/"
    press(clerk, f"{base}send/")

    press(clerk, f"{base}cancel/", reason="Wrong van")

    assert StockLevel.objects.get(location=place).on_hand == 10
    assert Transfer.objects.get().status == "cancelled"
    assert clerk.get(f"{base}receive/").status_code == 403


def test_transfer_pages_need_their_rights(place: Location, cup: Sku) -> None:
    reader = staff("view_transfer", "view_stockcount")

    for url in ("/inventory/transfer/add/", "/inventory/stockcount/add/"):
        assert reader.get(url).status_code == 403
        assert reader.post(url, {}).status_code == 403
    assert reader.get("/inventory/transfer/").status_code == 200
    assert reader.get("/inventory/stockcount/").status_code == 200


def counted(clerk: Client, place: Location, units: str) -> str:
    """Make a list of one SKU and enter what was found; the base of its addresses."""
    form = {"location": place.pk, "skus": "cup\n", "note": "", "nonce": "n"}
    clerk.post("/inventory/stockcount/add/", form)
    base = f"/inventory/stockcount/{StockCount.objects.get().pk}/"
    line = StockCountLine.objects.get()
    press(clerk, f"{base}count/", **{f"line_{line.pk}": units})
    return base


def test_count_is_listed_counted_and_approved_by_another(place: Location, cup: Sku) -> None:
    anna = staff("count_stock", "approve_stockcount", "view_stockcount", name="anna")
    ben = staff("approve_stockcount", "view_stockcount", name="ben")
    reserve(cup, place, 9, reference_id=7)
    assert anna.get("/inventory/stockcount/add/", {"location": place.pk}).status_code == 200
    unknown = {"location": place.pk, "skus": "CPU", "nonce": "n"}
    assert "Not known: CPU." in anna.post("/inventory/stockcount/add/", unknown).content.decode()

    base = counted(anna, place, "4")
    assert StockLevel.objects.get().on_hand == 10
    assert "anna" in anna.get(f"{base}change/").content.decode()
    shown = ben.get(f"{base}approve/").content.decode()
    assert "Waits for stock again: test 7: 5 units" in shown
    assert "whoever counted may not approve" in shown

    refused = press(anna, f"{base}approve/")
    assert "another person must approve" in refused.content.decode()
    assert (
        StockCount.objects.get().number in ben.get("/inventory/stockcount/?queue=to_approve").content.decode()
    )

    press(ben, f"{base}approve/")
    assert StockLevel.objects.get().on_hand == 4
    assert StockCount.objects.get().status == "approved"
    assert "1 of 1 SKUs differ" in ben.get(f"{base}change/").content.decode()


def test_count_starts_over_and_is_cancelled(place: Location, cup: Sku) -> None:
    clerk = staff("count_stock", "cancel_stockcount", "view_stockcount")
    base = counted(clerk, place, "4")

    press(clerk, f"{base}recount/", reason="Wrong shelf")
    assert StockCountLine.objects.get().counted is None
    press(clerk, f"{base}cancel/", reason="No time")

    assert StockCount.objects.get().status == "cancelled"
    assert StockLevel.objects.get().on_hand == 10
    assert clerk.get(f"{base}approve/").status_code == 403


def test_count_of_a_moment_to_come_is_refused(place: Location, cup: Sku) -> None:
    clerk = staff("count_stock", "view_stockcount")
    clerk.post("/inventory/stockcount/add/", {"location": place.pk, "skus": "", "nonce": "n"})
    url = f"/inventory/stockcount/{StockCount.objects.get().pk}/count/"
    line = StockCountLine.objects.get()
    values = {f"line_{line.pk}": "4", "counted_at": "2999-01-01T10:00"}

    response = press(clerk, url, **values)

    assert "a moment that has passed is" in response.content.decode()
    assert StockCount.objects.get().status == "draft"


def test_approval_asks_what_a_correction_by_hand_in_between_was_for(place: Location, cup: Sku) -> None:
    anna = staff("count_stock", "approve_stockcount", "view_stockcount", "view_stockadjustment", name="anna")
    base = counted(anna, place, "8")
    url, name = f"{base}approve/", f"line_{StockCountLine.objects.get().pk}"
    assert "form-row" not in anna.get(url).content.decode()
    line = [Adjustment("a", cup.pk, place.pk, -2)]
    adjust_stock(line, reason="Not on the shelf", actor=ACTOR).raise_refusals()

    page = anna.get(url).content.decode()
    for words in (
        "Corrected by hand after counting, say below what for: CUP.",
        "CUP was corrected by −2 units by hand after it was counted. Were they part of the difference?",
        "Not on the shelf",
    ):
        assert words in page
    assert "This field is required." in press(anna, url).content.decode()
    stale = press(anna, url, **{name: "same:-1"}).content.decode()
    assert "same:-1 is not one of the available choices" in stale
    assert StockLevel.objects.get().on_hand == 8

    assert press(anna, url, **{name: "same:-2"}).status_code == 302
    assert StockLevel.objects.get().on_hand == 8
    told = anna.get(f"{base}change/").content.decode()
    assert "1 of 1 SKUs differ; −2 units of it had been corrected by hand" in told


def test_count_that_cannot_be_approved_says_so_before_the_press(place: Location, cup: Sku) -> None:
    anna = staff("count_stock", "approve_stockcount", "view_stockcount", name="anna")
    counts = []
    for nonce in "ab":
        pk = book_count(CountPlan(place.pk, (cup.pk,)), nonce=nonce, actor=ACTOR)
        found = {line.pk: 9 for line in StockCountLine.objects.filter(count=pk)}
        record_counts([CountSheet(pk, found)], actor=ACTOR).raise_refusals()
        counts.append(StockCount.objects.get(pk=pk))
    first, second = counts
    url = f"/inventory/stockcount/{second.pk}/approve/"
    assert "cannot be approved" not in anna.get(url).content.decode()

    approve_counts([first.pk], actor=Actor.system("another")).raise_refusals()

    shown = anna.get(url)
    assert shown.context["consequences"][-1]["text"] == (
        f"As the stock is now, this cannot be approved. {cup.code} was corrected by the count {first.number} since it "
        "was counted here: count it again."
    )
    refused = press(anna, url).content.decode()
    assert f"was corrected by the count {first.number} since" in refused
    assert StockCount.objects.get(pk=second.pk).status == "counted"
