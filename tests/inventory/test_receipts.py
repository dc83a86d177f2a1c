"""`book_receipts`: several deliveries at once take their locks in the one sequence."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import StockLevel
from inventory.services.receipts import Delivery, ReceivedLine, book_receipts
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_skus_are_locked_before_any_level_even_where_a_later_delivery_makes_one() -> None:
    sku = make_sku("MUG")
    known, new = make_location("TO"), make_location("NA")
    make_level(sku, known)
    deliveries = [Delivery(place.pk, (ReceivedLine(sku.pk, 2),)) for place in (known, new)]

    with CaptureQueriesContext(connection) as asked:
        book_receipts(deliveries, nonce="n", actor=ACTOR)

    locks = [one["sql"] for one in asked if "FOR UPDATE" in one["sql"] or "FOR NO KEY UPDATE" in one["sql"]]
    of_skus = [place for place, sql in enumerate(locks) if 'FROM "inventory_sku"' in sql]
    of_levels = [place for place, sql in enumerate(locks) if 'FROM "inventory_stocklevel"' in sql]
    assert of_skus[0] < of_levels[0]
    assert StockLevel.objects.count() == 2
