"""Two people in one table of a form: rows are compared as forms are, and nothing is overwritten unseen."""

from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.db import connection
from django.forms.models import BaseInlineFormSet
from django.test.utils import CaptureQueriesContext

from config.kernel.admin import ComparedTabularInline, ReadOnlyStackedInline, ReadOnlyTabularInline, admin_url
from inventory.admin.places import BinInline
from inventory.admin.skus import BarcodeInline, KitPartForms, KitPartInline
from inventory.enums import BinKind
from inventory.models import Barcode, Bin, KitPart
from inventory.services.catalogue import SkuChange, change_skus
from tests.factories.inventory import ACTOR, make_kit, make_location, make_sku
from tests.kernel.visitor import Visitor, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db
NOTHING_SAVED = "It was changed while you were editing; nothing was saved."


def sent(page: Any) -> dict[str, Any]:
    """What the page's form would send if nothing in it were touched, its tables included."""
    shown = [page.context["adminform"].form]
    for table in page.context["inline_admin_formsets"]:
        shown += [table.formset.management_form, *table.formset.initial_forms]
    values = {field.html_name: field.value() for form in shown for field in form if not field.field.disabled}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def opened(tab: Visitor, row: Any) -> dict[str, Any]:
    return sent(tab.get(admin_url(row, "change", row.pk)))


def save(tab: Visitor, row: Any, form: dict[str, Any], **changed: Any) -> Any:
    return tab.post(admin_url(row, "change", row.pk), {**form, **changed})


def fields(prefix: str, place: int, **values: Any) -> dict[str, Any]:
    return {f"{prefix}-{place}-{name}": value for name, value in values.items()}


def more(form: dict[str, Any], prefix: str, **values: Any) -> dict[str, Any]:
    """The form with one row more in a table."""
    count = int(form[f"{prefix}-TOTAL_FORMS"])
    return {**form, f"{prefix}-TOTAL_FORMS": count + 1, **fields(prefix, count, **values)}


@pytest.fixture
def here() -> Visitor:
    return visitor(superuser=True)


@pytest.fixture
def there() -> Visitor:
    return visitor("Manager")


@pytest.fixture
def place() -> Any:
    location = make_location("TO")
    for code in ("S1", "S2"):
        Bin.objects.create(location=location, code=code, kind=BinKind.SHELF)
    return location


def shelves() -> list[tuple[str, str]]:
    return list(
        Bin.objects.exclude(kind__in=("default", "quarantine")).order_by("pk").values_list("code", "kind")
    )


def test_different_fields_of_a_row_are_merged_and_said(here: Visitor, there: Visitor, place: Any) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, kind="tote"))
    response = save(here, place, mine, **fields("bins", 0, code="S9"))

    assert shelves() == [("S9", "tote"), ("S2", "shelf")]
    assert messages_of(response)[0] == "Also changed meanwhile: S1: Kind, by manager-1. That was kept."


def test_same_field_of_a_row_is_refused_with_who_and_what_and_pressing_again_decides(
    here: Visitor, there: Visitor, place: Any
) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, code="S7", kind="tote"))
    page = save(here, place, mine, name="Torino", **fields("bins", 0, code="S9"))

    said = text_of(page)
    assert shelves() == [("S7", "tote"), ("S2", "shelf")]
    assert NOTHING_SAVED in said
    assert "manager-1 changed “S7”." in said
    assert "Somebody else made it “S7”; you wrote “S9”." in said
    place.refresh_from_db()
    assert place.name != "Torino"

    save(here, place, sent(page))

    assert shelves() == [("S9", "tote"), ("S2", "shelf")]


def test_without_the_comparison_the_second_save_overwrites(
    here: Visitor, there: Visitor, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the same presses on a plain table lose what the other wrote."""
    monkeypatch.setattr(BinInline, "formset", BaseInlineFormSet)
    monkeypatch.setattr(BinInline, "form", forms.ModelForm)
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, code="S7", kind="tote"))
    response = save(here, place, mine, **fields("bins", 0, code="S9"))

    assert response.status_code == 302
    assert shelves() == [("S9", "shelf"), ("S2", "shelf")]


def test_row_that_others_removed_stays_away_where_it_was_not_touched(
    here: Visitor, there: Visitor, place: Any
) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, DELETE="on"))
    response = save(here, place, mine, **fields("bins", 1, code="S8"))

    assert shelves() == [("S8", "shelf")]
    assert messages_of(response)[0] == "Also changed meanwhile: S1, removed, by manager-1. That was kept."


def test_row_that_others_removed_is_added_again_only_by_a_second_press(
    here: Visitor, there: Visitor, place: Any
) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, DELETE="on"))
    page = save(here, place, mine, **fields("bins", 0, code="S9"))

    said = text_of(page)
    assert shelves() == [("S2", "shelf")]
    assert "manager-1 removed “S1”." in said
    assert "Somebody else removed it. Saving again adds it once more." in said
    tables = page.context["inline_admin_formsets"]
    extra = [(field.html_name, field.value()) for form in tables[0].formset.extra_forms for field in form]

    save(here, place, {**sent(page), **{name: value for name, value in extra if value}})

    assert sorted(shelves()) == [("S2", "shelf"), ("S9", "shelf")]


def test_row_that_both_removed_is_gone(here: Visitor, there: Visitor, place: Any) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, DELETE="on"))
    response = save(here, place, mine, **fields("bins", 0, DELETE="on"))

    assert response.status_code == 302
    assert shelves() == [("S2", "shelf")]


def test_row_that_others_changed_is_removed_only_by_a_second_press(
    here: Visitor, there: Visitor, place: Any
) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, theirs, **fields("bins", 0, code="S7"))
    page = save(here, place, mine, **fields("bins", 0, DELETE="on"))

    assert shelves() == [("S7", "shelf"), ("S2", "shelf")]
    assert "Somebody else changed it to “S7”. Saving again removes it." in text_of(page)

    save(here, place, {**sent(page), **fields("bins", 0, DELETE="on")})

    assert shelves() == [("S2", "shelf")]


def test_row_that_others_added_is_left_alone(here: Visitor, there: Visitor, place: Any) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, more(theirs, "bins", code="S0", kind="tote"))
    page = save(here, place, mine, **fields("bins", 0, code="S0"))

    assert "Bin with this Location and Code already exists." in text_of(page)
    save(here, place, mine, **fields("bins", 0, code="S9"))
    assert shelves() == [("S9", "shelf"), ("S2", "shelf"), ("S0", "tote")]


def test_refused_row_stands_beside_its_own_name(here: Visitor, there: Visitor, place: Any) -> None:
    mine, theirs = opened(here, place), opened(there, place)

    save(there, place, more(theirs, "bins", code="A0", kind="tote") | fields("bins", 1, code="S7"))
    page = save(here, place, mine, **fields("bins", 1, code="S9"))

    (table,) = page.context["inline_admin_formsets"]
    pairs = [(row.form["code"].value(), str(row.original)) for row in table if row.original]
    assert pairs == [("S1", "S1"), ("S9", "S7")]


def test_table_without_what_it_was_shown_with_saves_nothing(here: Visitor, place: Any) -> None:
    other = make_location("MI")
    Bin.objects.create(location=other, code="X", kind=BinKind.SHELF)
    foreign = opened(here, other)["bins-shown"]

    for token in ("", "x", foreign):
        page = save(here, place, {**opened(here, place), "bins-shown": token}, **fields("bins", 0, code="S9"))
        assert "The form is not complete; open it again." in text_of(page)
    assert shelves()[:2] == [("S1", "shelf"), ("S2", "shelf")]


def test_barcode_that_a_sheet_changed_meanwhile_is_not_overwritten(here: Visitor) -> None:
    sku = make_sku("MUG")
    Barcode.objects.create(sku=sku, code="800")
    mine = opened(here, sku)

    change_skus([SkuChange("MUG", barcodes=("801",))], actor=ACTOR).raise_refusals()
    page = save(here, sku, mine, **fields("barcodes", 0, code="802"))

    assert NOTHING_SAVED in text_of(page)
    assert list(Barcode.objects.values_list("code", flat=True)) == ["801"]


@pytest.fixture
def kit() -> Any:
    return make_kit({make_sku("CUP"): 1, make_sku("BOX"): 1}, "KIT")


def parts() -> dict[str, tuple[int, int]]:
    rows = KitPart.objects.order_by("pk").values_list("part__code", "per_unit", "value_weight")
    return {code: (units, weight) for code, units, weight in rows}


def test_parts_of_a_kit_are_merged_field_by_field(here: Visitor, there: Visitor, kit: Any) -> None:
    lid = make_sku("LID")
    mine, theirs = opened(here, kit), opened(there, kit)

    save(
        there,
        kit,
        more(theirs, "kit_parts", part=lid.pk, per_unit=2, value_weight=1)
        | fields("kit_parts", 0, value_weight=5),
    )
    response = save(here, kit, mine, **fields("kit_parts", 0, per_unit=3))

    assert response.status_code == 302
    assert parts() == {"CUP": (3, 5), "BOX": (1, 1), "LID": (2, 1)}
    assert messages_of(response)[0] == (
        "Also changed meanwhile: 1 × CUP: Value weight, by manager-1. That was kept."
    )


def test_part_that_both_changed_is_refused(here: Visitor, there: Visitor, kit: Any) -> None:
    mine, theirs = opened(here, kit), opened(there, kit)
    lid = make_sku("LID")

    save(there, kit, theirs, **fields("kit_parts", 0, part=lid.pk), **fields("kit_parts", 1, per_unit=4))
    page = save(here, kit, mine, **fields("kit_parts", 0, per_unit=3), **fields("kit_parts", 1, per_unit=5))

    said = text_of(page)
    assert parts() == {"LID": (1, 1), "BOX": (4, 1)}
    assert "Somebody else made it “4”; you wrote “5”." in said
    assert "manager-1 removed “CUP”." in said


def test_parts_without_the_comparison_are_overwritten(
    here: Visitor, there: Visitor, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control for a table that a verb saves."""

    class Plain(BaseInlineFormSet):
        added_by_others = ()
        wanted, clean = KitPartForms.wanted, BaseInlineFormSet.clean

        def kept_words(self) -> str:
            return ""

    monkeypatch.setattr("inventory.admin.skus.KitPartForms", Plain)
    monkeypatch.setattr(KitPartInline, "formset", Plain)
    monkeypatch.setattr(KitPartInline, "form", forms.ModelForm)
    mine, theirs = opened(here, kit), opened(there, kit)

    save(there, kit, theirs, **fields("kit_parts", 0, per_unit=4))
    save(here, kit, mine, **fields("kit_parts", 0, per_unit=3))

    assert parts()["CUP"] == (3, 1)


def test_weight_that_others_filled_in_is_kept(here: Visitor, there: Visitor) -> None:
    sku = make_sku("MUG")
    mine, theirs = opened(here, sku), opened(there, sku)

    save(there, sku, theirs, weight_grams="250")
    save(here, sku, mine, title="Cup")

    sku.refresh_from_db()
    assert (sku.title, sku.weight_grams) == ("Cup", 250)


def test_a_table_costs_the_same_statements_whatever_its_rows(here: Visitor, place: Any) -> None:

    counts = []
    url = admin_url(place, "change", place.pk)
    here.get(url)
    for code in ("A", "B", "C"):
        with CaptureQueriesContext(connection) as captured:
            here.get(url)
        counts.append(len(captured))
        Bin.objects.create(location=place, code=code, kind=BinKind.SHELF)

    assert len(set(counts)) == 1


def test_every_table_that_people_edit_is_compared() -> None:
    """A plain inline would overwrite: `ComparedTabularInline` is the one to take."""
    inlines = {inline for page in admin.site._registry.values() for inline in page.inlines}
    assert BarcodeInline in inlines

    loose = [
        inline
        for inline in inlines
        if not issubclass(inline, ComparedTabularInline | ReadOnlyTabularInline | ReadOnlyStackedInline)
    ]

    assert loose == []
