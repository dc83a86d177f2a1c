"""Several querysets read by one statement give what each would have given."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import BinaryField, Count, Exists, F, OuterRef, QuerySet, Sum, Value
from django.test.utils import CaptureQueriesContext

from config.kernel.fastpath import is_fast
from config.kernel.models import Event
from config.kernel.together import read_together
from orders.models import Hold, Order, OrderLine, Payment
from orders.neutral import NeutralTax
from orders.services.holds import place_hold
from tests.factories.orders import SYSTEM, make_order, neutral_line

pytestmark = pytest.mark.django_db


def columns(row: Any) -> Any:
    """Everything that was read of an object, what it points at included."""
    if not hasattr(row, "_meta"):
        return row
    state = row.__dict__.copy()
    near = state.pop("_state").fields_cache
    return state, {name: columns(one) for name, one in near.items()}


def everything() -> list[QuerySet[Any]]:
    held = Exists(Hold.objects.filter(order=OuterRef("pk"), lifted_at=None))
    orders = Order.objects.order_by("-pk")
    order = orders[0]
    return [
        orders.select_related("customer", "sales_channel", "preferred_location").annotate(held=held),
        Order.objects.none(),
        order.payments.all(),
        Hold.objects.order_by("pk"),
        Event.objects.order_by("-pk"),
        OrderLine.objects.order_by("pk").values_list("title", flat=True),
        Payment.objects.order_by("pk").values_list("status", "captured_amount", "reported_at"),
        OrderLine.objects.filter(pk=-1),
        orders.order_by().values("currency").annotate(n=Count("pk"), owed=Sum("total_sent_amount")),
        orders.annotate(twice=F("total_sent_amount") * 2).values_list("pk", "twice", "required_on"),
    ]  # fmt: skip


def test_read_together_gives_what_each_would_give(django_assert_num_queries: Any) -> None:
    tax = (NeutralTax("VAT “22”\\", Decimal("3.61"), Decimal(22)),)
    for lines in (
        (neutral_line(taxes=tax, title='L\'été "n°" 5%'),),
        (neutral_line("CUP"), neutral_line("JUG")),
    ):
        order = make_order(lines=lines)
    place_hold(
        [order.pk], kind="fraud", reason="café", facts={"nested": {"of": [1, 2.5, None]}}, actor=SYSTEM
    )

    with CaptureQueriesContext(connection) as captured:
        found = read_together(everything())

    each = [list(rows) for rows in everything()]
    assert [len(rows) for rows in found] == [2, 0, 1, 1, len(each[4]), 3, 2, 0, 1, 2]
    for told, asked in zip(found, each, strict=True):
        assert [columns(row) for row in told] == [columns(row) for row in asked]
        assert [type(row) for row in told] == [type(row) for row in asked]
    assert len(captured) == (2 if is_fast() else 1 + 9)


def test_read_together_remembers_whose_rows_they_are(django_assert_num_queries: Any) -> None:
    order = make_order()

    ((payment,),) = read_together([order.payments.all()])

    with django_assert_num_queries(0):
        assert payment.order is order


@pytest.mark.skipif(not is_fast(), reason="only what travels as JSON has types that do not")
def test_read_together_refuses_a_type_that_does_not_travel() -> None:
    with pytest.raises(TypeError, match="bytea, which does not travel"):
        read_together([Order.objects.annotate(raw=Value(b"x", output_field=BinaryField()))])
