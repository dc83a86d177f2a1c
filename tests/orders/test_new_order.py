"""An order taken on the phone."""

from decimal import Decimal
from typing import Any

import pytest

from config.kernel import clock
from config.kernel.admin import admin_url
from config.kernel.errors import InvalidInput
from config.kernel.languages import readers_words
from inventory.models import Sku
from inventory.services.catalogue import SkuChange, change_skus
from orders.admin import new_order
from orders.enums import ChannelKind
from orders.models import Order, RawOrder
from orders.phone import read_phone_order
from orders.services.allocating import allocate_orders
from orders.services.rereading import NoReader, retry_raw_orders
from tests.factories.fulfillment import stock
from tests.factories.inventory import make_sku
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db
ADD = "/orders/order/add/"


@pytest.fixture
def support() -> Visitor:
    make_channel(code="phone", name="Phone", kind=ChannelKind.PHONE)
    return visitor("Support")


def typed(client: Visitor, **more: Any) -> dict[str, Any]:
    page = client.get(ADD)
    make = {
        "nonce": page.context["form"]["nonce"].value(),
        "sales_channel": page.context["form"]["sales_channel"].initial,
        "name": "Rosa Neri", "email": "rosa@example.com", "language": "it",
        "line1": "Via Po 3", "postal_code": "10124", "city": "Torino", "country_code": "it",
        "prices_include_tax": "on", "tax_rate": "22", "shipping_amount": "4.90", "shipping_method": "Courier",
        "paid_by": "cash",
        "form-TOTAL_FORMS": "4", "form-INITIAL_FORMS": "4",
        "form-0-sku": "MUG", "form-0-quantity": "2", "form-0-unit_amount": "10.00",
    }  # fmt: skip
    return {**make, **more}


def test_phone_order_is_stored_raw_and_placed(support: Visitor) -> None:
    make_sku("MUG", "A mug")

    response = support.post(ADD, typed(support))

    order = Order.objects.get()
    assert response.url == admin_url(Order, "change", order.pk)
    assert messages_of(support.get(response.url)) == [f"Order {order.number} is placed."]
    assert (order.status, order.total_sent_amount, order.tax_amount) == (
        "placed",
        Decimal("24.90"),
        Decimal("4.49"),
    )
    assert order.total_difference_amount == 0
    assert (order.payment_status, order.ship_to.country_code) == ("paid", "IT")
    assert not order.holds.exists()
    raw = RawOrder.objects.get()
    assert (raw.source, raw.order, raw.external_id) == ("form:phone", order, order.external_id)


def test_phone_order_with_net_prices_adds_the_tax(support: Visitor) -> None:
    make_sku("MUG")
    given = typed(support)
    del given["prices_include_tax"]

    support.post(ADD, given)

    order = Order.objects.get()
    assert (order.total_sent_amount, order.total_difference_amount) == (Decimal("30.38"), 0)


def test_phone_order_posted_twice_is_one_order(support: Visitor) -> None:
    make_sku("MUG")
    given = typed(support)

    first, second = support.post(ADD, given), support.post(ADD, given)

    assert first.url == second.url
    assert Order.objects.count() == RawOrder.objects.count() == 1


def test_another_order_typed_on_a_page_that_has_placed_one_is_not_taken_for_it(support: Visitor) -> None:
    make_sku("MUG")
    given = typed(support)
    support.post(ADD, given)
    first = Order.objects.get()

    page = support.post(ADD, {**given, "name": "Ugo Bianchi", "email": "ugo@example.com"})

    said = f"This page has placed order {first.number}, which says something else."
    assert said in text_of(page)
    assert Order.objects.count() == RawOrder.objects.count() == 1
    nonce = page.context["form"]["nonce"].value()
    support.post(ADD, {**given, "name": "Ugo Bianchi", "email": "ugo@example.com", "nonce": nonce})
    assert list(Order.objects.order_by("pk").values_list("email", flat=True)) == [
        "rosa@example.com",
        "ugo@example.com",
    ]


def test_unpaid_phone_order_is_held(support: Visitor) -> None:
    make_sku("MUG")

    support.post(ADD, typed(support, paid_by=""))

    assert list(Order.objects.get().holds.values_list("kind", flat=True)) == ["unpaid"]


def test_sku_is_found_in_any_case(support: Visitor) -> None:
    make_sku("MUG")

    support.post(ADD, typed(support, **{"form-0-sku": "mug"}))

    assert Order.objects.get().lines.get().sku == Sku.objects.get(code="MUG")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"form-0-sku": "CUP"}, "No SKU is called “CUP”."),
        ({"form-0-quantity": ""}, "Fill this in, or empty the line."),
        ({"form-0-quantity": "0"}, "greater than or equal to 1"),
        ({"form-0-unit_amount": "-1"}, "greater than or equal to 0"),
        ({"form-0-unit_amount": "1.005"}, "At most 2 decimals."),
        (
            {"form-0-sku": "", "form-0-quantity": "", "form-0-unit_amount": ""},
            "An order needs at least one line.",
        ),
        ({"country_code": "1T"}, "“1T” is no country; its name or two letters such as IT are."),
        ({"line1": ""}, "This field is required."),
        ({"email": "rosa@"}, "Enter a valid email address."),
    ],
)
def test_wrong_input_is_named_and_nothing_is_stored(
    support: Visitor, wrong: dict[str, str], said: str
) -> None:
    make_sku("MUG")

    page = support.post(ADD, typed(support, **wrong))

    assert page.status_code == 200
    assert said in text_of(page)
    assert Order.objects.count() == RawOrder.objects.count() == 0


def test_unknown_sku_is_told_beside_what_else_is_wrong_with_its_line_and_with_those_alike(
    support: Visitor,
) -> None:
    for code in ("MUG-BLUE", "MUG-RED", "PLATE"):
        make_sku(code)
    wrong = {"form-0-sku": "mug_blu", "form-0-quantity": "0", "form-0-unit_amount": ""}

    page = support.post(ADD, typed(support, **wrong))

    said = text_of(page)
    assert "No SKU is called “mug_blu”." in said
    assert "Alike: MUG-BLUE." in said
    assert "greater than or equal to 1" in said
    assert "Fill this in, or empty the line." in said
    assert Order.objects.count() == RawOrder.objects.count() == 0


def test_no_sku_is_looked_for_while_somebody_types(support: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sku("MUG-BLUE")
    monkeypatch.setattr(new_order, "closest_skus", None)

    page = support.post(ADD, typed(support, fragment="1", **{"form-0-sku": "mug_blu"}))

    assert page.status_code == 200


def test_more_lines_keeps_what_was_typed(support: Visitor) -> None:
    page = support.post(ADD, typed(support, more_lines="1", line1=""))

    html = page.content.decode()
    assert 'name="form-7-sku"' in html
    assert 'value="MUG"' in html
    assert 'value="Rosa Neri"' in html
    assert "This field is required." not in html
    assert Order.objects.count() == 0


@pytest.mark.parametrize("count", ["x", "-1", "²", "9" * 30])
def test_more_lines_of_an_odd_number_of_lines_are_few(support: Visitor, count: str) -> None:
    page = support.post(ADD, {**typed(support, more_lines="1"), "form-TOTAL_FORMS": count})

    assert page.status_code == 200
    assert 'name="form-3-sku"' in page.content.decode()
    assert 'name="form-4-sku"' not in page.content.decode()


def test_raw_order_is_read_again_once_the_cause_is_gone(support: Visitor) -> None:
    make_sku("MUG")
    support.post(ADD, typed(support))
    kept, pk = RawOrder.objects.get(), Order.objects.get().pk
    raw = RawOrder.objects.create(
        sales_channel=kept.sales_channel, source=kept.source, external_id="phone-2", problem="a fault of ours",
        body=kept.body.replace(kept.external_id, "phone-2"), body_hash="2", received_at=kept.received_at,
    )  # fmt: skip

    response = support.press(admin_url(RawOrder, "retry", raw.pk))

    raw.refresh_from_db()
    assert raw.order_id not in (None, pk)
    assert raw.problem == ""
    assert response.url == admin_url(Order, "change", raw.order_id)
    assert retry_raw_orders([raw.pk], actor=SYSTEM).unchanged_ids == [raw.pk]


def test_raw_order_that_nobody_reads_says_so() -> None:
    channel = make_channel()
    raw = RawOrder.objects.create(
        sales_channel=channel, source="pigeon", body="coo", body_hash="1", received_at=clock.now()
    )

    results = retry_raw_orders([raw.pk], actor=SYSTEM)

    raw.refresh_from_db()
    assert isinstance(results.refusals[raw.pk], NoReader)
    assert readers_words(raw.problem) == "Nothing here reads bodies of the source “pigeon”."


def test_raw_order_of_a_channel_is_read_by_its_adapter(support: Visitor) -> None:
    raw = RawOrder.objects.create(
        sales_channel=make_channel(), source="webhook:woocommerce", body="{", body_hash="1",
        received_at=clock.now(), problem="cut off",
    )  # fmt: skip

    page = support.press(admin_url(RawOrder, "retry", raw.pk))

    assert page.status_code == 200
    assert "accepted is JSON text" in text_of(page)
    assert Order.objects.count() == 0


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"tax_rate": "abc"}', "null"])
def test_body_that_is_none_of_ours_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        read_phone_order(body)


def test_skus_are_offered_by_what_is_typed_with_what_can_be_sold(support: Visitor) -> None:
    stock({"MUG": 12})
    make_sku("MUG-RED", "A red mug")
    make_sku("CUP", "A cup")

    offered = support.get(f"{ADD}skus/", {"q": "mu"}).json()["skus"]

    assert offered == [
        {"code": "MUG", "said": "A mug · 12 free"},
        {"code": "MUG-RED", "said": "A red mug · 0 free"},
    ]
    assert [one["code"] for one in support.get(f"{ADD}skus/", {"q": "a cup"}).json()["skus"]] == ["CUP"]
    assert support.get(f"{ADD}skus/", {"q": " "}).json() == {"skus": []}
    assert visitor("Picker").get(f"{ADD}skus/", {"q": "mu"}).status_code == 403


def test_sku_that_is_not_active_is_neither_offered_nor_taken_from_staff(support: Visitor) -> None:
    make_sku("MUG")
    change_skus([SkuChange("MUG", is_active=False)], actor=SYSTEM).raise_refusals()

    assert support.get(f"{ADD}skus/", {"q": "mu"}).json() == {"skus": []}
    assert "MUG is not active." in text_of(support.post(ADD, typed(support)))
    assert not Order.objects.exists()


def test_sku_that_is_not_active_is_still_sold_by_a_channel_and_gets_stock() -> None:
    stock({"MUG": 2})
    change_skus([SkuChange("MUG", is_active=False)], actor=SYSTEM).raise_refusals()

    order = make_order(lines=(neutral_line("MUG", 2),))
    allocate_orders([order.pk], actor=SYSTEM).raise_refusals()

    order.refresh_from_db()
    assert order.fulfillment_status == "allocated"


def test_offered_skus_cost_the_same_statements_for_one_and_many(
    support: Visitor, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        make_sku(f"MUG-{number}")
    support.get(f"{ADD}skus/", {"q": "mug"})

    for term, count in (("mug-1", 1), ("mug", 6)):
        with django_assert_max_num_queries(9):
            assert len(support.get(f"{ADD}skus/", {"q": term}).json()["skus"]) == count


@pytest.mark.parametrize("name", ["look", "fragment"])
def test_page_works_out_totals_and_stock_before_the_order_is_placed(support: Visitor, name: str) -> None:
    stock({"MUG": 3})
    make_sku("CUP", "A cup")
    given = typed(
        support,
        **{
            "form-1-sku": "cup", "form-1-quantity": "5", "form-1-unit_amount": "2.50",
            "form-2-sku": "MUG", "form-2-quantity": "2", "form-2-unit_amount": "9.00",
            "form-3-sku": "NOPE", "form-3-quantity": "1", "form-3-unit_amount": "1.00",
            "line1": "", "name": "",
        },
    )  # fmt: skip

    said = text_of(support.post(ADD, {**given, name: "1"}))

    assert "MUG · A mug 2 €20.00 3 free, 1 waits for stock" in said
    assert "CUP · A cup 5 €12.50 0 free, 5 wait for stock" in said
    assert "MUG · A mug 2 €18.00" in said
    assert "Goods €50.50" in said
    assert "Shipping €4.90" in said
    assert "Total €55.40" in said
    assert "Please correct what is marked below" not in said
    assert not Order.objects.exists()
    assert not RawOrder.objects.exists()


def test_total_that_is_worked_out_is_the_total_of_the_order(support: Visitor) -> None:
    make_sku("MUG")
    given = typed(support)
    del given["prices_include_tax"]

    said = text_of(support.post(ADD, {**given, "fragment": "1"}))
    support.post(ADD, given)

    assert "Tax €5.48" in said
    assert f"Total €{Order.objects.get().total_sent_amount:.2f}" in said


def test_nothing_typed_is_worked_out_as_nothing(support: Visitor) -> None:
    given = typed(support, **{"form-0-quantity": "x"})

    said = text_of(support.post(ADD, {**given, "fragment": "1"}))

    assert "A SKU, its quantity and its price say what the order comes to." in said


def test_country_is_offered_by_name_and_taken_by_name_or_code(support: Visitor) -> None:
    make_sku("MUG")
    page = support.get(ADD).content.decode()
    assert 'list="id_country_code_countries"' in page
    assert '<option value="Italy" label="IT"></option>' in page
    assert page.count("<option value=") > 240

    assert support.post(ADD, typed(support, country_code="Germany")).status_code == 302

    assert Order.objects.get().ship_to.country_code == "DE"
