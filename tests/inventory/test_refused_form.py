"""A refused save is told above everything, around the row as it is stored."""

import re

import pytest

from config.kernel.admin import admin_url
from inventory.models import Location
from tests.factories.inventory import make_location, make_sku
from tests.inventory.test_admin import sku_form
from tests.kernel.visitor import hidden, text_of, visitor

pytestmark = pytest.mark.django_db


def test_refused_sku_names_the_field_above_the_head_and_keeps_the_stored_title() -> None:
    sku = make_sku(title="Mug")
    tab, url = visitor(superuser=True), admin_url(sku, "change", sku.pk)
    form = sku_form(sku, tab.get(url).content.decode(), part="", per_unit=1)

    page = tab.post(url, {**form, "title": "Renamed", "weight_grams": "heavy"})

    html = page.content.decode()
    note = re.search(r'<div class="errornote".*?</div>', html, re.S)
    assert note is not None
    assert note.start() < html.index("<h1>")
    assert 'tabindex="-1" autofocus' in note.group()
    assert '<a href="#id_weight_grams">' in note.group()
    assert 'id="id_weight_grams"' in html
    head = html[html.index('<div class="head">') : html.index("</h1>")]
    assert "Renamed" not in head
    assert "Renamed" not in html[html.index("<title>") : html.index("</title>")]
    assert 'value="Renamed"' in html


def test_refused_row_of_a_form_is_named_and_linked() -> None:
    sku, other = make_sku(), make_sku()
    tab, url = visitor(superuser=True), admin_url(sku, "change", sku.pk)

    page = tab.post(url, sku_form(sku, tab.get(url).content.decode(), part=other.pk, per_unit="many"))

    assert '<a href="#id_kit_parts-0-per_unit">' in page.content.decode()


def test_refused_new_row_is_told_too() -> None:
    page = visitor(superuser=True).post(admin_url(Location, "add"), {"code": "", "bins-TOTAL_FORMS": 0})

    assert "Nothing was saved. Please correct this first:" in text_of(page)
    assert "data-model-name" not in page.content.decode()


def test_stale_form_says_so_above_the_head() -> None:
    location = make_location("TO", name="Torino")
    here, there = visitor(superuser=True), visitor(superuser=True)
    url = admin_url(location, "change", location.pk)
    page = here.get(url)
    values = page.context["adminform"].form.initial
    form = {name: "" if value is None else value for name, value in values.items() if value is not False}
    rows = {"bins-TOTAL_FORMS": 0, "bins-INITIAL_FORMS": 0}
    form |= {**hidden(page), **rows}

    there.post(url, {**form, "name": "Torino Nord"})
    refused = here.post(url, {**form, "name": "Torino Sud"})

    html = refused.content.decode()
    assert html.index("Somebody else made it “Torino Nord”; you wrote “Torino Sud”.") < html.index("<h1>")
    assert "Torino Nord" in html[html.index("<h1>") : html.index("</h1>")]
