"""The guided pages of an order: cancel lines, plan anew, choose a location, map a SKU, notes, tags, holds."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.utils.translation import override

from config.kernel.admin import admin_url
from fulfillment.services.releasing import release_orders
from orders.admin.hold_filter import hold_reasons
from orders.models import AllocationDecision, Hold, LinePart, Note, Order, OrderLine, SkuAlias
from orders.selectors.notes import tag_names
from orders.services.allocating import allocate_orders
from orders.services.noting import set_tags
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.inventory import make_location, make_sku
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Visitor:
    return visitor("Support")


def page_of(client: Visitor, order: Order) -> Any:
    page = client.get(admin_url(Order, "change", order.pk))
    assert page.status_code == 200
    return page


def labels(page: Any) -> list[str]:
    return [str(button["label"]) for button in page.context["page"]["actions"]]


def test_cancel_lines_says_of_a_single_unit_that_it_is_with_the_warehouse(support: Visitor) -> None:
    stock({"MUG": 1})
    order = make_confirmed({"MUG": 1})
    release_orders([order.pk], actor=SYSTEM).raise_refusals()

    said = text_of(support.get(admin_url(Order, "cancel_lines", order.pk)))

    assert "0 can be cancelled. 1 is with the warehouse (F-" in said


def test_cancel_lines_shows_what_stands_behind_each_line_and_cancels(support: Visitor) -> None:
    stock({"MUG": 3})
    order = make_confirmed({"MUG": 4, "CUP": 2})
    (work,) = release_orders([order.pk], actor=SYSTEM).only()
    url = admin_url(Order, "cancel_lines", order.pk)
    mug, cup = OrderLine.objects.order_by("position")

    said = text_of(support.get(url))

    assert "A mug MUG 4 4 3 1 A cup CUP 2 2 0 2" in said
    assert "1 can be cancelled. 3 are with the warehouse (F-" in said
    assert "When nothing is left to ship, the order is cancelled." in said
    wrong = support.press(url, **{f"line_{mug.pk}": 2, f"line_{cup.pk}": 0, "reason": "x"})
    assert wrong.status_code == 200
    assert support.press(url, reason="x").status_code == 200
    answer = support.press(url, **{f"line_{mug.pk}": 1, f"line_{cup.pk}": 2, "reason": "buyer asked"})
    assert answer.status_code == 302
    assert list(LinePart.objects.order_by("pk").values_list("cancelled", flat=True)) == [1, 2]
    assert "Units cancelled" in text_of(page_of(support, order))
    assert work


def test_cancel_lines_is_not_offered_where_nothing_is_left_or_to_a_picker(support: Visitor) -> None:
    history = make_order(is_history=True)

    assert "Cancel lines…" not in labels(page_of(support, history))
    order = make_order()
    assert "Cancel lines…" in labels(page_of(support, order))
    picker = visitor("Picker")
    assert "Cancel lines…" not in labels(page_of(picker, order))
    assert picker.get(admin_url(Order, "cancel_lines", order.pk)).status_code == 403


def test_plan_anew_and_choose_a_location(support: Visitor) -> None:
    near = stock({"MUG": 2}, make_location("NEAR", preference=5))
    order = make_confirmed({"MUG": 2})
    best = stock({"MUG": 9}, make_location("BEST", name="Best", preference=1))

    assert support.press(admin_url(Order, "reallocate", order.pk)).status_code == 302
    assert AllocationDecision.objects.latest("pk").chosen[0]["location"] == best.pk

    assert support.get(admin_url(Order, "override", order.pk)).status_code == 403
    manager = visitor("Manager")
    url = admin_url(Order, "override", order.pk)
    assert manager.press(url, location_id=near.pk, reason="the van goes there").status_code == 302
    assert "Chosen by hand: the van goes there." in text_of(page_of(manager, order))


def test_reason_says_how_many_units_an_unknown_sku_keeps_undecided(support: Visitor) -> None:
    stock({"MUG": 5})
    order = make_order(lines=(neutral_line("OLD-2019", 2), neutral_line("MUG", 1)), skus=False)

    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

    assert "2 units cannot be decided: their SKU is not known." in text_of(page_of(support, order))


def test_reasons_of_holds_stand_in_a_row_in_small_letters_but_sku() -> None:
    make_order(lines=(neutral_line("OLD-2019", 2),), skus=False)

    assert hold_reasons(Order.objects.all()) == [("unknown SKU 1", "hold=unknown_sku")]
    with override("it"):
        assert hold_reasons(Order.objects.all()) == [("SKU sconosciuto 1", "hold=unknown_sku")]


def test_unknown_sku_is_mapped_from_its_hold(support: Visitor) -> None:
    stock({"MUG": 5})
    order = make_order(lines=(neutral_line("OLD-2019", 2),), skus=False)
    make_order(lines=(neutral_line("OLD-2019", 1),), skus=False)
    page = page_of(support, order)
    notice = next(one for one in page.context["page"]["notices"] if "SKU" in str(one["title"]))
    assert notice["label"] == "Map OLD-2019 to…"

    said = text_of(support.get(notice["url"]))
    assert "1 more order waits for one of these codes and comes alive with it." in said
    assert support.press(notice["url"], code="OLD-2019", sku="NOPE").status_code == 200
    assert support.press(notice["url"], code="OLD-2019", sku="mug").status_code == 302

    assert not Hold.objects.filter(lifted_at=None).exists()
    assert set(OrderLine.objects.values_list("sku__code", flat=True)) == {"MUG"}
    listed = support.get(admin_url(SkuAlias, "changelist"))
    assert "OLD-2019" in text_of(listed)
    assert support.get(admin_url(SkuAlias, "change", SkuAlias.objects.get().pk)).status_code == 200


def test_line_without_a_code_is_mapped_by_its_title_in_its_order_only(support: Visitor) -> None:
    stock({"MUG": 5})
    line = replace(neutral_line("", 2), title="Blue mug")
    order, other = (make_order(lines=(line,), skus=False) for _number in range(2))
    page = page_of(support, order)
    notice = next(one for one in page.context["page"]["notices"] if "SKU" in str(one["title"]))
    assert notice["label"] == "Map “Blue mug” to…"
    assert "Map SKU…" in labels(page)

    said = text_of(support.get(notice["url"]))
    assert "A line that was sent without a SKU becomes a line of our SKU in this order only." in said
    assert "now and from now on" not in said
    assert support.press(notice["url"], code="title:Red mug", sku="mug").status_code == 200
    assert support.press(notice["url"], code="title:Blue mug", sku="mug").status_code == 302

    assert list(Hold.objects.filter(lifted_at=None).values_list("order", flat=True)) == [other.pk]
    assert [one.sku and one.sku.code for one in OrderLine.objects.order_by("order_id")] == ["MUG", None]
    assert not SkuAlias.objects.exists()
    page = page_of(support, order)
    assert "SKU “Blue mug” is known now" in text_of(page)
    assert "Map SKU…" not in labels(page)
    support.press(admin_url(Order, "release_hold", other.pk), kind="unknown_sku", reason="later")
    assert "Map SKU…" in labels(page_of(support, other))


def test_code_that_reads_like_a_title_is_mapped_as_a_code(support: Visitor) -> None:
    stock({"MUG": 5})
    order = make_order(lines=(neutral_line("title:mug", 2),), skus=False)

    url = admin_url(Order, "map_sku", order.pk)
    assert support.press(url, code="title:mug", sku="mug").status_code == 302

    assert SkuAlias.objects.get().code == "title:mug"


def test_note_and_tags_from_the_side_card_and_in_bulk(support: Visitor) -> None:
    order, other = make_order(), make_order()
    support.press(admin_url(Order, "note", order.pk), text="Wants it on Friday")
    set_tags([order.pk], add=["VIP", "late"], actor=SYSTEM).raise_refusals()

    said = text_of(page_of(support, order))

    assert "Note Wants it on Friday" in said
    assert "VIP late Add a note Tags…" in said
    assert Note.objects.get().text == "Wants it on Friday"
    assert sorted(tag_names(order)) == ["VIP", "late"]
    url = admin_url(Order, "changelist")
    chosen = {"action": "bulk_orders_order_tag_orders", "_selected_action": [order.pk, other.pk]}
    first = support.post(url, chosen)
    assert first.status_code == 200
    done = support.post(url, {**chosen, "bulk_nonce": "n1", "tags": "spring"}, follow=True)
    assert "2 done" in text_of(done)
    tag = next(tag for tag in other.order_tags.all()).tag
    found = support.get(f"{url}?tag={tag.pk}")
    assert found.context["cl"].result_count == 2


def test_staff_choose_what_a_hold_refuses_and_hold_for_fraud(support: Visitor) -> None:
    order, other = make_order(), make_order()
    support.press(
        admin_url(Order, "hold", order.pk), kind="manual", reason="wait for the call", refuses="leaving"
    )
    assert Hold.objects.get().facts == {"allows": ["confirm"]}
    assert "Refused meanwhile: release, label, ship." in text_of(page_of(support, order))

    assert "Hold for fraud check" in labels(page_of(support, other))
    support.press(admin_url(Order, "suspect_fraud", other.pk), reason="three cards")
    hold = Hold.objects.get(order=other)
    assert (hold.kind, hold.reason) == ("fraud", "three cards")
    assert "Hold for fraud check" not in labels(page_of(support, other))


def test_map_page_offers_the_skus_that_are_most_alike(support: Visitor) -> None:
    for code, title in (("MOKA-3", "Moka pot, 3 cups"), ("JUG-05", "Jug"), ("PLATE", "Plate")):
        make_sku(code, title=title)
    lines = (replace(neutral_line("OLD-19", 1), title="Moka pot, 2019"), neutral_line("JUG05", 1))
    order = make_order(lines=lines, skus=False)

    page = support.get(admin_url(Order, "map_sku", order.pk))

    assert re.findall(r'data-fills="([^"]+)"', page.content.decode()) == [
        "{&quot;id_sku&quot;: &quot;MOKA-3&quot;, &quot;id_code&quot;: &quot;OLD-19&quot;}",
        "{&quot;id_sku&quot;: &quot;JUG-05&quot;, &quot;id_code&quot;: &quot;JUG05&quot;}",
    ]
    assert "Moka pot, 3 cups, for OLD-19" in text_of(page)
    assert '<option value="OLD-19" selected>OLD-19 – Moka pot, 2019</option>' in page.content.decode()


def test_map_page_of_nothing_alike_offers_nothing(support: Visitor) -> None:
    make_sku("PLATE", title="Plate")
    order = make_order(lines=(neutral_line("OLD-19", 1),), skus=False)

    page = support.get(admin_url(Order, "map_sku", order.pk))

    assert page.status_code == 200
    assert "data-fills" not in page.content.decode()
    assert "Most alike" not in text_of(page)
