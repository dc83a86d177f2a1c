"""Deleting is offered for what nothing names, and is explained where it is not."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.admin import admin_url
from config.kernel.admin.keeping import kept_by
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import make_order
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db


def test_sku_that_others_name_offers_no_delete_and_says_why() -> None:
    sku = make_sku()
    boss, url = visitor(superuser=True), admin_url(sku, "change", sku.pk)
    assert admin_url(sku, "delete", sku.pk) in boss.get(url).content.decode()

    make_level(sku, make_location(), 3)
    page = boss.get(url)

    assert admin_url(sku, "delete", sku.pk) not in page.content.decode()
    assert "Cannot be deleted: there are stock levels" in text_of(page)


def test_kept_by_asks_once_whatever_names_it() -> None:
    channel = make_order().sales_channel

    with CaptureQueriesContext(connection) as asked:
        names = kept_by(channel)

    assert names[:1] == ["orders"]
    assert len(asked) == 1
