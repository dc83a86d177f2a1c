"""The fast statements and their portable twin: the same tests on both databases."""

from decimal import Decimal

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from config.kernel import clock
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import Conflict
from config.kernel.fastpath import (
    Among,
    add_to_rows,
    attach,
    insert_missing,
    insert_rows,
    insert_values,
    is_fast,
    new_row,
    set_in_rows,
    take_ids,
)
from config.kernel.models import DocumentCounter, Event, Fact
from config.kernel.results import Results
from inventory.models import Sku
from orders.models import Customer, Order, OrderLine, SalesChannel, TaxLine
from tests.factories.inventory import make_sku
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db

AWKWARD = "tab\there, line\nbreak, back\\slash, \\N, quote's, 日本 “ü”"


def line(order: Order, position: int, **values: object) -> OrderLine:
    given = {
        "order_id": order.pk,
        "position": position,
        "external_id": f"x{position}",
        "title": "T",
        "quantity": 1,
    }
    return new_row(OrderLine, **given | values)


def test_new_row_has_the_models_defaults_and_its_own_dictionaries() -> None:
    one, other = new_row(Fact, kind="a"), new_row(Fact, kind="b")

    assert (one.payload, one.correlation, one.pk) == ({}, "", None)
    assert one.payload is not other.payload
    assert one._state.adding
    assert new_row(Order).version == 1


def test_new_row_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(FieldDoesNotExist):
        new_row(Fact, knd="a")


def test_insert_rows_writes_what_a_save_would_and_names_the_rows() -> None:
    order = make_order()
    rows = [
        line(order, 7, title=AWKWARD, unit_amount=Decimal("12.3400"), requires_shipping=False),
        line(order, 8, total_amount=Decimal("-0.01"), sku_id=make_sku().pk),
    ]

    insert_rows(OrderLine, rows)

    assert [row.pk for row in rows] == sorted({row.pk for row in rows})
    read = list(OrderLine.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))
    for row, again in zip(rows, read, strict=True):
        assert {name: getattr(again, name) for name in vars(row) if name != "_state"} == {
            name: value for name, value in vars(row).items() if name != "_state"
        }
    assert not rows[0]._state.adding


def test_insert_rows_without_ids_lets_the_database_name_them() -> None:
    first = make_order().lines.get()
    insert_rows(
        TaxLine,
        [new_row(TaxLine, order_id=first.order_id, line_id=first.pk, amount=Decimal(n)) for n in (1, 2)],
        with_ids=False,
    )

    assert list(first.taxes.order_by("pk").values_list("amount", "owner")) == [(1, "seller"), (2, "seller")]


def test_insert_values_keeps_json_and_fills_defaults_in() -> None:
    facts = {"text": AWKWARD, "list": [1, None, {"deep": "é"}], "amount": "1.00"}
    at = clock.now()
    names = ("subject_type", "subject_id", "thread_type", "thread_id", "kind", "facts", "at", "actor_kind")

    insert_values(Event, names, [("test", 1, "test", 1, "k", facts, at, "system")])

    event = Event.objects.get(subject_type="test")
    assert (event.facts, event.at, event.actor_id, event.actor_label) == (facts, at, None, "")


def test_insert_rows_stores_what_the_orm_stores() -> None:
    order = make_order()
    values = {"unit_amount": Decimal("12.5000"), "total_amount": Decimal("-0.01"), "requires_shipping": False}
    fact = {"kind": "k", "subject_type": "t", "subject_id": 1, "payload": {"text": AWKWARD}}

    at = clock.now()
    for model, ours, theirs in (
        (OrderLine, line(order, 7, **values), line(order, 8, **values)),
        (Fact, new_row(Fact, recorded_at=at, **fact), new_row(Fact, recorded_at=at, **fact)),
    ):
        insert_rows(model, [ours])
        model._default_manager.bulk_create([theirs])
        assert _stored(model, ours.pk) == _stored(model, theirs.pk)


def _stored(model: type[Model], pk: int) -> list[object]:
    """A row as the database's own driver gives it, without what tells it from its twin."""
    own = {"id", "position", "external_id"}
    columns = [field.column for field in model._meta.concrete_fields if field.column not in own]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table} WHERE id = {pk:d}")
        return list(cursor.fetchone())


def test_insert_rows_tells_each_row_its_own_key_and_keeps_its_json() -> None:
    payloads = [{"text": AWKWARD}, {}, {"list": [1, None, "NULL", '"{,}']}]
    at = clock.now()
    rows = [
        new_row(Fact, kind=f"k{number}", subject_type="t", subject_id=number, payload=payload, recorded_at=at)
        for number, payload in enumerate(payloads)
    ]

    insert_rows(Fact, rows)

    found = Fact.objects.in_bulk([row.pk for row in rows])
    assert [(found[row.pk].kind, found[row.pk].payload) for row in rows] == [
        (f"k{number}", payload) for number, payload in enumerate(payloads)
    ]


def test_insert_missing_skips_who_is_there_and_says_whether_rows_are_named() -> None:
    def customer(email: str) -> Customer:
        return new_row(Customer, email=email, name=AWKWARD, created_at=clock.now())

    first, again, other = customer("a@example.com"), customer("a@example.com"), customer("b@example.com")

    assert insert_missing(Customer, [first]) is is_fast()
    assert insert_missing(Customer, [again, other]) is False
    assert insert_missing(Customer, []) is True

    emails = dict(Customer.objects.values_list("email", "pk"))
    assert sorted(emails) == ["a@example.com", "b@example.com"]
    assert first.pk in (emails["a@example.com"], None)
    assert set(Customer.objects.values_list("name", flat=True)) == {AWKWARD}


def test_among_finds_exactly_the_values_listed() -> None:
    codes = ["plain", "with,comma", 'a "quote"', "back\\slash", "{brace}", "NULL", "it's"]
    skus = [make_sku(code) for code in codes]
    make_sku("other")

    assert set(Sku.objects.filter(Among("code", codes)).values_list("code", flat=True)) == set(codes)
    assert Sku.objects.filter(Among("pk", {skus[0].pk, 10**12})).get() == skus[0]
    assert not Sku.objects.filter(Among("code", [])).exists()
    assert Sku.objects.exclude(Among("code", codes)).get().code == "other"


def test_attach_gives_all_rows_the_same_object(django_assert_num_queries) -> None:
    orders = [make_order(), make_order()]
    channel = SalesChannel.objects.get(pk=orders[0].sales_channel_id)
    rows = list(Order.objects.all())

    attach(rows, "sales_channel", {channel.pk: channel})

    with django_assert_num_queries(0):
        assert all(row.sales_channel is channel for row in rows)


def test_take_ids_gives_each_key_once_and_later_rows_go_on_behind() -> None:
    with transaction.atomic():
        taken = take_ids({Sku: 3, Fact: 2, Order: 0})
        again = take_ids({Sku: 1})

    assert [len(ids) for ids in taken.values()] == [3, 2, 0]
    assert len({*taken[Sku], *again[Sku]}) == 4
    assert make_sku().pk > max(*taken[Sku], *again[Sku])


def test_insert_rows_that_break_a_constraint_raise_and_write_nothing() -> None:
    order = make_order()
    before = OrderLine.objects.count()

    for broken in (line(order, 9, external_id="x8"), line(order, 9, quantity=-1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            insert_rows(OrderLine, [line(order, 8), broken])

    assert OrderLine.objects.count() == before


def test_insert_rows_in_a_verb_is_halved_until_the_culprit_stands_alone() -> None:
    DocumentCounter.objects.create(kind="k5", next_value=1)

    @verb
    def count(kinds: list[str]) -> Results[str]:
        results = Results(kinds)
        with batch_transaction():
            insert_rows(
                DocumentCounter, [new_row(DocumentCounter, kind=kind, next_value=1) for kind in kinds]
            )
            for kind in kinds:
                results.done(kind)
        return results

    results = count([f"k{number}" for number in range(12)])

    assert isinstance(results.refusals.pop("k5"), Conflict)
    assert (results.refusals, len(results.done_ids)) == ({}, 11)
    assert DocumentCounter.objects.filter(kind__startswith="k").count() == 12


def test_set_in_rows_gives_each_row_its_own_values() -> None:
    skus = [make_sku() for _number in range(3)]
    values = {sku.pk: (f"It's {number}", number) for number, sku in enumerate(skus)}

    written = set_in_rows(Sku, ("title", "weight_grams"), values, also="version = version + 1")

    assert written == 3
    read = Sku.objects.order_by("pk").values_list("title", "weight_grams", "version")
    assert list(read) == [("It's 0", 0, 2), ("It's 1", 1, 2), ("It's 2", 2, 2)]
    assert set_in_rows(Sku, ("title",), {}) == 0


def test_add_to_rows_counts_only_rows_that_meet_the_condition() -> None:
    skus = [make_sku() for _number in range(2)]
    Sku.objects.update(weight_grams=5)
    numbers = {skus[0].pk: (-5, 5), skus[1].pk: (-6, 6)}

    enough = "inventory_sku.weight_grams >= change.extra"
    written = add_to_rows(Sku, ("weight_grams",), numbers, condition=enough)

    assert written == 1
    assert list(Sku.objects.order_by("pk").values_list("weight_grams", flat=True)) == [0, 5]


def test_quick_read_rows_are_whole_models() -> None:
    order = Order.objects.get(pk=make_order().pk)

    assert not order._state.adding
    assert order.sales_channel.code == "shop"
    order.note = "x"
    order.save(update_fields=["note"])
    assert Order.objects.only("number").get(note="x").email == order.email
