"""The pages of stock health: lights, the way to the row, the repair, and who may."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.jobs import run_job
from config.kernel.models import Job
from inventory.models import StockCheck, StockLevel
from inventory.services.health import start_stock_check, stock_codes
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/inventory/stockcheck/"


@pytest.fixture
def boss() -> Visitor:
    return visitor("Manager")


def spoilt(count: int = 1) -> StockLevel:
    """Levels that hold three units more than their ledger, and the check that found it."""
    place = make_location("TO", name="Torino")
    for _number in range(count):
        level = make_level(make_sku(), place, 4)
        StockLevel.objects.filter(pk=level.pk).update(on_hand=7)
    run_job(start_stock_check("Check", actor=ACTOR))
    return level


def check() -> StockCheck:
    return StockCheck.objects.get(code="stock.on_hand_ledger")


def test_empty_list_teaches_and_offers_the_check(boss: Visitor) -> None:
    page = boss.get(LIST)

    assert "Not checked yet" in text_of(page)
    assert "Check now…" in text_of(page)


def test_check_now_starts_one_job_and_leads_to_it(boss: Visitor) -> None:
    assert "nothing is changed" in text_of(boss.get(f"{LIST}run/"))
    assert not Job.objects.exists()

    response = boss.post(f"{LIST}run/")
    boss.post(f"{LIST}run/")

    job = Job.objects.get()
    assert response.url == f"/kernel/job/{job.pk}/change/"
    assert job.kind == "stock_check"


def test_list_begins_with_what_does_not_hold_and_claims_no_other_order(boss: Visitor) -> None:
    spoilt()

    page = boss.get(LIST)

    counts = [row.violation_count for row in page.context["cl"].result_list]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 1
    head = page.content.decode().split("<thead>")[1].split("</thead>")[0]
    assert head.index("sorted descending") > head.index("column-found")
    assert "column-what" in head
    assert "sortable column-what" not in head


def test_list_shows_a_light_for_each_rule(boss: Visitor) -> None:
    spoilt()

    words = text_of(boss.get(LIST))

    assert words.count("Does not hold") == 2
    assert words.count("Holds") == len(stock_codes()) - 2
    only = boss.get(LIST, {"queue": "differing"}).context["cl"].result_list
    assert [row.code for row in only] == ["stock.on_hand_bins", "stock.on_hand_ledger"]


def test_page_leads_to_the_level_and_its_repair(boss: Visitor) -> None:
    level = spoilt()

    page = boss.get(f"{LIST}{check().pk}/change/")

    (row,) = page.context["page"]["violations"]
    assert row["where"] == f"{level.sku.code} · Torino"
    assert row["url"] == f"/inventory/stocklevel/{level.pk}/change/"
    assert row["repair_url"] == f"/inventory/stocklevel/{level.pk}/repair/"
    confirm = text_of(boss.get(row["repair_url"]))
    assert "On hand 7 4" in confirm

    response = boss.press(row["repair_url"], reason="Restored")

    assert messages_of(response) == ["1 number is set to the ledger."]
    assert StockLevel.objects.get().on_hand == 4
    assert "Set to the ledger 7 → 4. Restored" in text_of(boss.get(row["url"]))
    (row,) = boss.get(f"{LIST}{check().pk}/change/").context["page"]["violations"]
    assert row["repair_url"] == ""


def test_level_whose_ledger_has_too_few_says_so_before_the_press(boss: Visitor) -> None:
    level = spoilt()
    reserve(level.sku, level.location, 6)

    page = boss.get(f"/inventory/stocklevel/{level.pk}/change/")
    confirm = boss.get(f"/inventory/stocklevel/{level.pk}/repair/", follow=True)

    (button,) = [one for one in page.context["page"]["actions"] if one.get("name") == "repair"]
    assert (button["url"], button["reason"][:23]) == ("", "The ledger has 4 units,")
    assert "The ledger has 4 units, but 6 are reserved and 0 set aside" in text_of(confirm)
    assert "are set to its sums" not in text_of(confirm)
    boss.press(f"/inventory/stocklevel/{level.pk}/repair/", reason="Restored")
    assert StockLevel.objects.get().on_hand == 7


@pytest.mark.parametrize("role", ["Picker", "Support", "Reader"])
def test_other_roles_neither_see_nor_check_nor_repair(role: str) -> None:
    level = spoilt()
    client = visitor(role)

    pages = [LIST, f"{LIST}{check().pk}/change/", f"{LIST}run/", f"/inventory/stocklevel/{level.pk}/repair/"]

    assert [client.get(page).status_code for page in pages] == [403, 403, 403, 403]
    assert client.post(f"{LIST}run/").status_code == 403
    assert Job.objects.count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_pages_cost_the_same_however_much_differs(boss: Visitor, count: int) -> None:
    spoilt(count)
    boss.get(LIST)
    boss.get(f"{LIST}{check().pk}/change/")

    with CaptureQueriesContext(
        connection,
    ) as listed:
        boss.get(LIST)
    with CaptureQueriesContext(connection) as opened:
        boss.get(f"{LIST}{check().pk}/change/")

    assert (len(listed), len(opened)) == (9, 13)
