"""What orders are found by, and that it stays one column of one table."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from config.kernel import outbox
from config.kernel.fastpath import Among, AmongFew, is_fast
from inventory.models import Barcode, Sku
from orders.models import Customer, Order, SkuAlias
from orders.neutral import NeutralBuyer
from orders.search_texts import phone_part, search_text
from orders.selectors import search
from orders.selectors.numbers import begins_with, named_by
from orders.selectors.search import search_numbers, search_orders
from orders.services.filling import Details, fill_details
from orders.services.merging import merge_customers
from orders.services.naming import name_orders
from tests.factories.fulfillment import make_shipped
from tests.factories.orders import PLACED_AT, SYSTEM, make_order, neutral_address, neutral_line, neutral_order
from tests.kernel.visitor import visitor
from tests.orders.test_admin_business import opened, url

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


@pytest.fixture
def printed() -> None:
    """Orders with a tracking number, a barcode, another code of a channel, and a SKU that nobody knows."""
    parcel = make_shipped({"MUG": 1}, number="GLS77AB", external_id="shipped", buyer=ROSA)
    make_order(external_id="other", lines=(neutral_line("CUP"),))
    Barcode.objects.create(sku=Sku.objects.get(code="MUG"), code="8006363001234")
    SkuAlias.objects.create(
        sales_channel=parcel.order.sales_channel,
        code="AMZ-0077",
        sku=Sku.objects.get(code="CUP"),
        mapped_at=PLACED_AT,
    )
    make_order(external_id="unmapped", lines=(neutral_line("GHOST-9"),), skus=False)


PRINTED = {
    "8006363001234": {"shipped"},
    "amz-0077": {"other"},
    "ghost": {"unmapped"},
    "80063630": set(),
    "gls77ab": {"shipped"},
    "mu": {"shipped"},
}


@pytest.mark.django_db
@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("most", [search.FEW, 0])
def test_search_finds_by_what_is_printed_on_the_goods(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FEW", most)

    for find in (search_orders, search_numbers):
        for text, wanted in PRINTED.items():
            ids = find(Order.objects.all(), text).values_list("external_id", flat=True)
            assert set(ids) == wanted, (find, text)
            assert len(ids) == len(wanted), "each once"


@pytest.mark.django_db
@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("most", [search.FEW, 0])
def test_search_wants_every_word_however_many_orders_each_has(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", most)
    make_order(external_id="mugs", buyer=NeutralBuyer("y", "Mugnaio Ro", "m@example.com"))

    assert found("mug") == {"shipped", "mugs"}
    assert found("mug mugnaio") == {"mugs"}
    assert found("mug shipped") == {"shipped"}
    assert found("mug zzyzx") == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["rosa", "neri", "rosa@example.com", "example", "+39 011 555 0199", "0115550199"]
)
def test_search_of_numbers_tells_nothing_of_the_buyer(text: str) -> None:
    make_order(external_id="wanted", buyer=ROSA)

    assert found(text) == {"wanted"}
    assert not search_numbers(Order.objects.all(), text).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["403-11", "SHOP-1", "shop", "x-7"])
def test_search_of_numbers_finds_by_the_beginning_of_what_an_order_is_called(text: str) -> None:
    make_order(external_id="B-9")
    order = make_order(external_id="403-1182735", number="SHOP-12")
    Order.objects.filter(pk=order.pk).update(number="X-77")

    assert list(search_numbers(Order.objects.all(), text)) == [order]
    assert not search_numbers(Order.objects.all(), text[1:]).exists()


def plan_of(rows: QuerySet[Any]) -> str:
    """How the rows are found where reading the whole table is no choice."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return str(rows.explain())


@pytest.mark.skipif(not is_fast(), reason="what PostgreSQL plans")
@pytest.mark.django_db
def test_each_thing_that_an_order_is_called_is_found_through_its_index() -> None:
    make_order()
    every = Order.objects.order_by()

    plan = plan_of(every.filter(begins_with("W-00")))
    for index in ("order_external_once", "order_external_number", "orders_order_number"):
        assert index in plan
    assert "~>=~" in plan, "entered at the beginning, whatever language the database sorts by"
    assert "order_external_once" in plan_of(every.filter(named_by("external_id", "W-1")))


@pytest.mark.skipif(not is_fast(), reason="what PostgreSQL plans")
@pytest.mark.django_db
def test_planner_sees_no_list_of_few_keys_and_so_enters_by_them() -> None:
    make_order()
    every = Order.objects.order_by()

    assert "(id = ANY ($0))" in plan_of(every.filter(AmongFew("id", range(1, 1000))))
    assert "(id = ANY ('{1,2,3" in plan_of(every.filter(Among("id", range(1, 1000))))


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

    for text, words in (("rosa", 1), ("rosa de neri mug", 4), ("wanted", 0)):
        # Elsewhere the second one is several: what is printed, and two a word.
        second = bool(words) if is_fast() else words and 1 + 2 * words
        with django_assert_num_queries(1 + second):
            search_orders(Order.objects.all(), text)
    with CaptureQueriesContext(connection) as captured:
        assert found("rosa neri") == {"wanted"}
    assert " JOIN " not in captured[-1]["sql"]


@pytest.mark.django_db
def test_orders_of_a_customer_who_is_called_otherwise_are_found_by_the_new_name_too() -> None:
    buyer = NeutralBuyer(name="Rosa Neri", email="rosa@example.com")
    old, _other = make_order(external_id="A-1", buyer=buyer), make_order(external_id="A-2")
    outbox.deliver_due("work")
    old.refresh_from_db()
    clerk, version = visitor("Support"), old.version
    form = opened(clerk, old.customer)

    clerk.post(url(old.customer), {**form, "name": "Rosa Bianchi", "phone": "+39 011 765 432"})
    assert found("bianchi") == set()
    outbox.deliver_due("work")
    new = make_order(external_id="A-3", buyer=buyer)

    assert found("bianchi") == {"A-1", "A-3"}
    assert found("rosa neri") >= {"A-1", "A-3"}
    assert found("011 765432") == {"A-1", "A-3"}
    old.refresh_from_db()
    assert old.version == version
    assert (new.customer_id, name_orders([old.customer_id])) == (old.customer_id, 0)


@pytest.mark.django_db
def test_orders_of_merged_customers_are_found_by_the_name_of_the_kept_one() -> None:
    gone, kept = (
        make_order(external_id=key, buyer=NeutralBuyer(name=name, email=f"{key}@example.com"))
        for key, name in (("A-1", "R. N."), ("A-2", "Rosalinda Neri"))
    )
    merge_customers([gone.customer_id], keep_id=kept.customer_id, actor=SYSTEM).raise_refusals()

    outbox.deliver_due("work")

    assert found("rosalinda") == {"A-1", "A-2"}


@pytest.mark.django_db
def test_orders_of_a_customer_are_named_two_hundred_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = NeutralBuyer(name="Rosa Neri", email="rosa@example.com")
    orders = [make_order(buyer=buyer) for _number in range(5)]
    Customer.objects.update(name="Rosa Bianchi")
    monkeypatch.setattr("orders.services.naming.MAX_BATCH", 2)

    assert name_orders([orders[0].customer_id]) == 5
    assert len(found("bianchi")) == 5


@pytest.mark.django_db
def test_details_filled_later_are_found_too() -> None:
    order = make_order(external_id="late", buyer=NeutralBuyer(), ship_to=None)
    assert found("rosa") == set()
    stated = replace(neutral_order("late"), buyer=ROSA, ship_to=neutral_address(phone="06 123 4567"))

    fill_details([Details(order.pk, stated)], actor=SYSTEM).raise_refusals()

    assert found("rosa de") == {"late"}
    assert found("061234567") == {"late"}
    assert found(order.number) == {"late"}
