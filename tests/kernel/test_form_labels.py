"""Labels of fields say what the field is, and no more."""

import re
from typing import Any

import pytest
from django.urls import reverse

from config.kernel import clock
from config.kernel.admin import admin_url
from orders.models import Customer
from tests.factories.inventory import make_location, make_sku
from tests.factories.orders import make_order
from tests.kernel.visitor import visitor

LABEL = re.compile(r"<(?:label|legend)[^>]*>\s*([^<]*?)\s*</(?:label|legend)>")


def _pages() -> list[str]:
    customer = Customer.objects.create(name="Rosa Neri", created_at=clock.now())
    order = make_order()
    rows: list[Any] = [make_location(), make_sku("MUG"), order.sales_channel, customer, order]
    return [
        *(admin_url(row, "change", row.pk) for row in rows),
        admin_url(customer, "merge", customer.pk),
        reverse("admin:factor"),
        reverse("admin:password_change"),
        reverse("admin:auth_user_add"),
        reverse("admin:orders_order_add"),
    ]


@pytest.mark.django_db
def test_no_label_ends_in_a_colon() -> None:
    boss = visitor(superuser=True)

    labels = {path: LABEL.findall(boss.get(path).content.decode()) for path in _pages()}

    assert sum(map(len, labels.values())) > 50
    assert {
        path: found for path, names in labels.items() if (found := [n for n in names if n.endswith(":")])
    } == {}
