"""A list without rows says what will stand there and how it comes about."""

import pytest
from django.contrib import admin
from django.urls import reverse

from config.kernel.admin import BancaleAdmin
from tests.factories.inventory import make_location
from tests.factories.orders import make_channel
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db


def test_every_list_of_ours_teaches_while_it_is_empty() -> None:
    pages = [page for page in admin.site._registry.values() if isinstance(page, BancaleAdmin)]

    silent = [page.opts.label for page in pages if not str(page.empty_text)]

    assert len(pages) > 30
    assert silent == []


NEEDING = (
    ("orders_order", "sales channel", "orders_saleschannel"),
    ("orders_importrun", "sales channel", "orders_saleschannel"),
    ("orders_saleschannel", "legal entity", "orders_legalentity"),
    ("inventory_stockreceipt", "location", "inventory_location"),
    ("inventory_stockcount", "location", "inventory_location"),
    ("inventory_transfer", "location", "inventory_location"),
    ("inventory_stockadjustment", "location", "inventory_location"),
)


@pytest.mark.parametrize(("page", "name", "added"), NEEDING)
def test_form_that_needs_what_is_not_there_yet_leads_to_it(page: str, name: str, added: str) -> None:
    manager, form = visitor(superuser=True), reverse(f"admin:{page}_add")
    said = f"There is no {name} yet that could be chosen here."

    html = manager.get(form).content.decode()

    assert html.count(said) == 1
    assert f'<a class="btn" href="{reverse(f"admin:{added}_add")}">Add {name}</a>' in html
    make_channel()
    make_location()
    assert said not in manager.get(form).content.decode()


def test_form_that_needs_what_somebody_else_adds_says_so_without_the_way() -> None:
    html = visitor("Picker").get(reverse("admin:inventory_stockreceipt_add")).content.decode()

    assert "There is no location yet that could be chosen here." in html
    assert reverse("admin:inventory_location_add") not in html
