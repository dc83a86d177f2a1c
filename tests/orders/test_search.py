"""What orders are found by, and that it stays one column of one table."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Barcode, Sku
from orders.models import Order, SkuAlias
from orders.neutral import NeutralBuyer
from orders.search_texts import phone_part, search_text
from orders.selectors.search import search_orders
from orders.services.filling import Details, fill_details
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import PLACED_AT, SYSTEM, make_order, neutral_address, neutral_line, neutral_order

ROSA = NeutralBuyer(name="Rosa De Neri", email="Rosa@Example.com", phone="+39 011 555-0199", language="it")

UGO = NeutralBuyer("x", "Ugo Bo", "ugo@elsewhere.org")


def found(text: str) -> set[str]:
    return set(search_orders(Order.objects.all(), text).values_list("external_id", flat=True))


def test_search_text_says_each_word_once_in_capitals() -> None:
    said = search_text(
        known="B-1 ROSA",
        names=("Rosa Nèri", "Rosa Nèri", ""),
        email="rosa@example.com",
        phones=("+39 (011) 555-0199", ""),
        references=("#1001",),
    )

    assert said == "B-1 ROSA #1001 NÈRI ROSA@EXAMPLE.COM 390115550199"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("+39 011 555-0199", "115550199"),
        ("0115550199", "115550199"),
        ("555 0199", "5550199"),
        ("12345", ""),
        ("A-123456", ""),
        ("123456 Rosa", ""),
    ],
)
def test_phone_part_is_the_digits_that_spellings_share(text: str, part: str) -> None:
    assert phone_part(text) == part


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        "osa de",
        "NERI",
        "ne",
        "rosa@example.com",
        "example",
        "SHOP-1",
        "hop-1",
        "Paola",
        "acme",
        "MUG-R",
        "mug-red",
    ],
)
def test_search_finds_by_parts_of_what_people_know(text: str) -> None:
    make_order(
        external_id="other",
        buyer=NeutralBuyer("x", "Ugo Bo", "ugo@elsewhere.org"),
        lines=(neutral_line("CUP"),),
    )
    make_order(
        external_id="wanted",
        number="SHOP-1",
        buyer=ROSA,
        ship_to=neutral_address(name="Paola Bianchi", company="Acme"),
        lines=(neutral_line("MUG-RED"),),
    )

    assert found(text) - {"other"} == {"wanted"}
    assert found("example ugo") == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["+39 011 555 0199", "011 5550199", "0115550199", "+390115550199", "555-0199"]
)
def test_search_finds_by_telephone_however_it_is_written(text: str) -> None:
    make_order(external_id="other")
    make_order(external_id="wanted", buyer=ROSA)

    assert found(text) == {"wanted"}


@pytest.mark.django_db
def test_search_finds_by_what_is_printed_on_the_goods() -> None:
    parcel = make_shipped({"MUG": 1}, number="GLS 77 AB", external_id="shipped")
    make_order(external_id="other", lines=(neutral_line("CUP"),))
    Barcode.objects.create(sku=Sku.objects.get(code="MUG"), code="8006363001234")
    SkuAlias.objects.create(
        sales_channel=parcel.order.sales_channel,
        code="AMZ-0077",
        sku=Sku.objects.get(code="CUP"),
        mapped_at=PLACED_AT,
    )
    make_order(external_id="unmapped", lines=(neutral_line("GHOST-9"),), skus=False)

    assert found("8006363001234") == {"shipped"}
    assert found("amz-0077") == {"other"}
    assert found("ghost") == {"unmapped"}
    assert found("80063630") == set()
    parcel.tracking_number = "GLS77AB"
    parcel.save()
    assert found("gls77ab") == {"shipped"}


@pytest.mark.django_db
def test_exact_reference_means_only_that() -> None:
    make_order(external_id="77")
    make_order(external_id="771")
    make_order(external_id="b", buyer=NeutralBuyer("x", "Room 77", "a@example.com"))

    assert found("77") == {"77"}
    assert found("771") == {"771"}


@pytest.mark.django_db
def test_search_takes_two_statements_however_many_words(django_assert_num_queries: Any) -> None:
    make_order(external_id="wanted", buyer=ROSA)

    for text, count in (("rosa", 2), ("rosa de neri mug", 2), ("wanted", 1)):
        with django_assert_num_queries(count):
            search_orders(Order.objects.all(), text)
    with CaptureQueriesContext(connection) as captured:
        assert found("rosa neri") == {"wanted"}
    assert " JOIN " not in captured[-1]["sql"]


@pytest.mark.django_db
def test_details_filled_later_are_found_too() -> None:
    order = make_order(external_id="late", buyer=NeutralBuyer(), ship_to=None)
    assert found("rosa") == set()
    stated = replace(neutral_order("late"), buyer=ROSA, ship_to=neutral_address(phone="06 123 4567"))

    fill_details([Details(order.pk, stated)], actor=SYSTEM).raise_refusals()

    assert found("rosa de") == {"late"}
    assert found("061234567") == {"late"}
    assert found(order.number) == {"late"}
