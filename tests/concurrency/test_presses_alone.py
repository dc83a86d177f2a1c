"""Buttons pressed as a server runs them: no transaction is open but the press's own."""

import pytest
from django.db import connection

from config.kernel.admin import admin_url
from orders.models import Customer, Order
from tests.factories.orders import make_order
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db(transaction=True)


def test_customers_are_merged_from_the_page() -> None:
    keep, other = make_order().customer, make_order().customer
    assert not connection.in_atomic_block

    answer = visitor(superuser=True).press(admin_url(Customer, "merge", keep.pk), others=[other.pk])

    assert (answer.status_code, answer.url) == (302, admin_url(Customer, "change", keep.pk))
    other.refresh_from_db()
    assert other.merged_into_id == keep.pk
    assert Order.objects.filter(customer=keep).count() == 2
