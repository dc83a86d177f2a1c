"""Master data keeps history with its differences: who, when, from what to what; verbs do not pass it by."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from inventory.models import Barcode, Bin, Location, Sku, StockLevel
from inventory.services.catalogue import NewSku, PartOfKit, create_skus, save_kits
from inventory.services.policies import LevelPolicy, set_policies
from orders.models import SalesChannel
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_channel
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db


def form_of(page: Any) -> dict[str, Any]:
    """What the change form holds, as a browser would post it."""
    form = page.context["adminform"].form
    values = {form.add_prefix(name): field.value() for name, field in ((n, form[n]) for n in form.fields)}
    for inline in page.context["inline_admin_formsets"]:
        for part in (inline.formset.management_form, *inline.formset.forms):
            values |= {part.add_prefix(name): part[name].value() for name in part.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def saved(client: Client, url: str, **changes: Any) -> None:
    response = client.post(url, form_of(client.get(url)) | changes)
    assert response.status_code == 302, response.context["errors"]


def told(client: Client, url: str) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    page = client.get(url)
    assert page.status_code == 200
    return [
        (row.kind, row.about, [(one.label, one.before, one.after) for one in row.changes])
        for row in page.context["rows"]
    ]


def test_location_page_shows_each_field_that_was_changed() -> None:
    place = make_location("MI", name="Milano")
    manager = visitor("Manager")
    base = f"/inventory/location/{place.pk}"

    saved(manager, f"{base}/change/", name="Milano Nord", can_ship="", preference="5")

    newest, *_rest = told(manager, f"{base}/history/")
    assert newest == (
        "~", "", [("name", "Milano", "Milano Nord"), ("preference", "100", "5"), ("ships orders", "Yes", "No")],
    )  # fmt: skip
    page = manager.get(f"{base}/history/")
    assert page.context["rows"][0].who == "manager-0"
    assert "Name Milano → Milano Nord" in text_of(page)
    assert "Name Milano Time zone Europe/Rome" in text_of(page)  # as it was made: nothing stood there before
    actions = manager.get(f"{base}/change/").context["page"]["actions"]
    assert actions[0]["url"] == f"{base}/history/"


def test_save_without_a_change_leaves_no_row_on_the_page() -> None:
    place = make_location("MI")
    manager = visitor("Manager")
    url = f"/inventory/location/{place.pk}"
    before = told(manager, f"{url}/history/")

    saved(manager, f"{url}/change/")

    assert told(manager, f"{url}/history/") == before


def test_rows_that_belong_to_an_object_stand_on_its_page() -> None:
    place = make_location("MI")
    manager = visitor("Manager")
    url = f"/inventory/location/{place.pk}"

    saved(
        manager,
        f"{url}/change/",
        **{"bins-TOTAL_FORMS": "1", "bins-0-code": "S1", "bins-0-kind": "shelf", "bins-0-location": place.pk},
    )
    shelf = Bin.objects.get(code="S1")
    shelf.delete()

    newest, added, *_rest = told(manager, f"{url}/history/")
    assert (newest[:2], added[:2]) == (("-", "Bin"), ("+", "Bin"))
    assert ("code", "S1", "–") in newest[2]
    assert ("code", "–", "S1") in added[2]
    assert ("kind", "–", "Shelf") in added[2]


def test_verbs_write_history_in_one_statement_for_many() -> None:
    anna = Actor(ActorKind.USER, 7, "anna")
    made = create_skus([NewSku("A", "Cup", ("1",)), NewSku("B", "Box"), NewSku("K", "Set")], actor=anna)
    place = make_location()
    pks = [made.values[code] for code in "ABK"]
    assert Sku.history.count() == 3
    assert Barcode.history.get().history_user_id == 7

    for per_unit in (1, 2):
        save_kits([pks[2]], parts={pks[2]: [PartOfKit(pks[0], per_unit)]}, actor=anna).raise_refusals()
    kit = visitor("Manager")
    rows = told(kit, f"/inventory/sku/{pks[2]}/history/")
    assert [(kind, about) for kind, about, _changes in rows] == [
        ("~", "Kit part"), ("+", "Kit part"), ("~", ""), ("+", ""),
    ]  # fmt: skip
    assert rows[0][2] == [("per kit", "1", "2")]
    assert ("part", "–", "A") in rows[1][2]
    assert rows[2][2] == [("kit", "No", "Yes")]

    set_policies([LevelPolicy(pk, place.pk, 1, 4, 9) for pk in pks[:2]], actor=anna).raise_refusals()
    set_policies([LevelPolicy(pks[0], place.pk, 1, 6, 9)], actor=Actor.rule("forecast")).raise_refusals()
    level = StockLevel.objects.get(sku=pks[0])
    first, second = told(kit, f"/inventory/stocklevel/{level.pk}/history/")
    assert first == ("~", "", [("reorder point", "4", "6")])
    assert second == ("~", "", [("buffer", "0", "1"), ("reorder point", "0", "4"), ("target", "0", "9")])
    page = kit.get(f"/inventory/stocklevel/{level.pk}/history/")
    assert [row.who for row in page.context["rows"]] == ["forecast", "somebody who left"]


def test_stock_movements_leave_no_history() -> None:
    make_level(make_sku(), make_location(), 5)

    assert StockLevel.history.count() == 0


def test_page_without_changes_teaches_and_needs_the_right_to_see() -> None:
    level = make_level(make_sku(), make_location(), 5)
    url = f"/inventory/stocklevel/{level.pk}/history/"

    assert "Each save will stand here" in text_of(visitor("Reader").get(url))
    assert visitor("", "orders.view_order").get(url).status_code == 403
    assert visitor("Reader").get("/inventory/stocklevel/0/history/").status_code == 404


def test_channel_history_says_values_in_words() -> None:
    channel = make_channel()
    SalesChannel.objects.filter(pk=channel.pk).update(mails_off=None)
    channel.refresh_from_db()
    channel.mails_off = ["confirmation"]
    channel.save()

    newest, *_rest = told(visitor("Manager"), f"/orders/saleschannel/{channel.pk}/history/")

    (change,) = newest[2]
    assert change[0] == "mails not sent"
    assert change[1] == "as is usual for its kind of channel"


def test_times_stand_in_the_viewers_zone_and_come_from_the_kernels_clock() -> None:
    moment = clock.now() - timedelta(days=400)
    with clock.frozen(moment):
        place = make_location("MI")
    manager = visitor("Manager")

    row = Location.history.get(id=place.pk)
    assert row.history_date == moment
    url = f"/inventory/location/{place.pk}/history/"
    manager.cookies["bancale_tz"] = "Asia/Tokyo"
    tokyo = text_of(manager.get(url))
    manager.cookies["bancale_tz"] = "America/New_York"
    assert tokyo != text_of(manager.get(url))


def test_history_page_costs_the_same_statements_for_one_and_many(django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    place, manager = make_location("MI"), visitor("Manager")
    counts = []
    for names in (("A",), ("B", "C", "D", "E")):
        for name in names:
            place.name = name
            place.save()
        with CaptureQueriesContext(connection) as captured:
            manager.get(f"/inventory/location/{place.pk}/history/")
        counts.append(len(captured))

    assert counts[0] == counts[1]
