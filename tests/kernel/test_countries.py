"""Countries: every code has its names, and forms and files read them by either."""

from typing import Any

import pytest
from django import forms
from django.utils.translation import override

from config.kernel.admin import CountryField, admin_url
from config.kernel.countries import COUNTRIES, country_code, country_name
from inventory.models import Location
from orders.models import LegalEntity, SalesChannel
from tests.factories.inventory import make_location
from tests.factories.orders import make_entity
from tests.kernel.visitor import Visitor, hidden, text_of, visitor


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("it", "IT"), ("ITALIA", "IT"), (" Italy ", "IT"), ("United Kingdom", "GB"), ("UK", "GB"), ("EIRE", "IE"),
        ("Côte d’Ivoire", "CI"), ("cote d'ivoire", "CI"), ("Turkey", "TR"), ("Türkiye", "TR"), ("Paesi  Bassi", "NL"),
        ("XK", "XK"), ("Atlantis", ""), ("Ital", ""), ("1T", ""), ("", ""),
    ],
)  # fmt: skip
def test_country_is_read_by_code_and_by_whole_name(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_country_is_found_by_the_name_that_is_shown(language: str) -> None:
    with override(language):
        named = {code: country_name(code) for code in COUNTRIES}

    assert len(named) == len(set(named.values())) == 249
    assert {code: country_code(name) for code, name in named.items()} == {code: code for code in COUNTRIES}


def test_name_of_a_country_is_that_of_the_readers_language() -> None:
    assert (country_name("DE"), country_name("XK"), country_name("")) == ("Germany", "XK", "")
    with override("it"):
        assert (country_name("DE"), country_name("AD")) == ("Germania", "Andorra")


def test_field_takes_names_and_codes_and_refuses_the_rest() -> None:
    field = CountryField()

    assert [field.clean(text) for text in ("Germany", "germania", "de")] == ["DE"] * 3
    assert not field.has_changed("DE", "Germany")
    assert field.has_changed("DE", "France")
    with pytest.raises(forms.ValidationError, match="“Atlantis” is no country"):
        field.clean("Atlantis")
    with pytest.raises(forms.ValidationError):
        field.clean("")
    assert CountryField(required=False).clean("") == ""


def save(boss: Visitor, row: Any, **changed: Any) -> Any:
    page = boss.get(admin_url(row, "change", row.pk))
    form = page.context["adminform"].form
    given = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in given.items() if value not in (None, False)}
    return boss.post(admin_url(row, "change", row.pk), {**sent, **hidden(page), **changed})


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Location, LegalEntity])
def test_masters_with_an_address_take_a_name_too(model: Any) -> None:
    row = make_location() if model is Location else make_entity()
    boss = visitor(superuser=True)

    assert save(boss, row, country_code="Francia").status_code == 302
    row.refresh_from_db()
    assert row.country_code == "FR"
    refused = save(boss, row, country_code="Atlantis")

    assert "“Atlantis” is no country; its name or two letters such as IT are." in text_of(refused)
    row.refresh_from_db()
    assert row.country_code == "FR"


@pytest.mark.django_db
def test_country_that_two_people_changed_is_named() -> None:
    place = make_location()
    boss = visitor(superuser=True)
    shown = hidden(boss.get(admin_url(place, "change", place.pk)))
    save(boss, place, country_code="Germany")

    refused = save(boss, place, country_code="France", **shown)

    said = "Somebody else made it “Germany”; you wrote “France”."
    assert said in text_of(refused)


def test_box_shows_the_name_and_keeps_what_was_typed() -> None:
    class Address(forms.Form):
        country_code = CountryField()

    with override("it"):
        shown = str(Address(initial={"country_code": "DE"})["country_code"])
        typed = str(Address({"country_code": "Atlantis"})["country_code"])

    assert 'value="Germania"' in shown.partition("<datalist")[0]
    assert '<option value="Germania" label="DE"></option>' in shown
    assert 'value="Atlantis"' in typed


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Location, LegalEntity])
def test_zone_that_no_day_can_be_counted_in_is_refused(model: Any) -> None:
    row = make_location() if model is Location else make_entity()
    boss = visitor(superuser=True)

    refused = save(boss, row, time_zone="Europe/Roma")

    assert "“Europe/Roma” is no time zone; “Europe/Rome” is one." in text_of(refused)
    row.refresh_from_db()
    assert row.time_zone == "Europe/Rome"
    assert save(boss, row, time_zone="Asia/Tokyo").status_code == 302
    row.refresh_from_db()
    assert row.time_zone == "Asia/Tokyo"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (Location, "time_zone", "Europe/Rome"),
        (LegalEntity, "time_zone", "Europe/Rome"),
        (SalesChannel, "language", "en"),
    ],
)
def test_new_masters_begin_with_what_is_usual(model: Any, name: str, value: str) -> None:
    page = visitor(superuser=True).get(admin_url(model, "add"))

    assert page.context["adminform"].form[name].value() == value
