"""Two people on one person's or one role's page: nothing is overwritten, and the log says only what was done."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from config.kernel.admin import admin_url
from config.kernel.models import Event
from inventory.models import StaffLocation
from tests.factories.inventory import make_location
from tests.kernel.visitor import Visitor, hidden, messages_of, text_of, visitor

pytestmark = pytest.mark.django_db
NOTHING_SAVED = "It was changed while you were editing; nothing was saved."


@pytest.fixture
def nina() -> Any:
    return get_user_model().objects.create_user("nina", password="scaffale-nastro-7", is_staff=True)


def opened(tab: Visitor, row: Any) -> dict[str, Any]:
    """What the page's form would send if nothing in it were touched."""
    page = tab.get(admin_url(row, "change", row.pk))
    form = page.context["adminform"].form
    values = {name: form[name].value() for name, field in form.fields.items() if not field.disabled}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    places = StaffLocation.objects.filter(user_id=row.pk).order_by("pk") if "username" in sent else []
    rows = {f"staff_locations-{at}-location": place.location_id for at, place in enumerate(places)}
    return {**sent, **hidden(page), **rows}


def save(tab: Visitor, row: Any, form: dict[str, Any], **changed: Any) -> Any:
    return tab.post(admin_url(row, "change", row.pk), {**form, **changed})


def told(kind: str) -> list[Any]:
    return [event.facts for event in Event.objects.filter(kind=kind).order_by("pk")]


def test_different_fields_of_a_person_are_merged_and_each_save_says_its_own(nina: Any) -> None:
    here, there = visitor("Manager"), visitor("Manager")
    mine, theirs = opened(here, nina), opened(there, nina)
    picker = Group.objects.get(name="Picker")

    save(there, nina, theirs, last_name="Rossi", groups=[picker.pk])
    response = save(here, nina, mine, email="nina@example.com")

    nina.refresh_from_db()
    assert (nina.last_name, nina.email, list(nina.groups.all())) == ("Rossi", "nina@example.com", [picker])
    assert (
        messages_of(response)[0] == "Also changed meanwhile: Last name, Roles, by manager-2. That was kept."
    )
    assert told("person_changed") == [{"fields": ["Last name"]}, {"fields": ["Email address"]}]
    assert told("roles_changed") == [{"added": ["Picker"], "removed": []}]


def test_same_field_of_a_person_is_refused_with_who_and_what(nina: Any) -> None:
    here, there = visitor("Manager"), visitor("Manager")
    mine, theirs = opened(here, nina), opened(there, nina)
    picker, support = Group.objects.get(name="Picker"), Group.objects.get(name="Support")

    save(there, nina, theirs, last_name="Rossi", groups=[picker.pk])
    page = save(here, nina, mine, last_name="Bianchi", groups=[support.pk])

    nina.refresh_from_db()
    said = text_of(page)
    assert (nina.last_name, list(nina.groups.all())) == ("Rossi", [picker])
    assert NOTHING_SAVED in said
    assert "Somebody else made it “Rossi”; you wrote “Bianchi”." in said
    assert "Somebody else changed it: + Warehouse. Saving again" in said
    assert "Person changed Last name" in said
    assert len(told("person_changed")) == 1

    # Saved again with what is there now in sight, it is a decision.
    save(here, nina, mine, last_name="Bianchi", groups=[support.pk], **hidden(page))
    nina.refresh_from_db()
    assert (nina.last_name, list(nina.groups.all())) == ("Bianchi", [support])


def test_page_of_a_person_does_not_carry_the_password(nina: Any) -> None:
    page = visitor("Manager").get(admin_url(nina, "change", nina.pk))

    assert "password" not in page.context["adminform"].form.now


def test_location_that_somebody_else_chose_meanwhile_is_not_overwritten(nina: Any) -> None:
    torino, milano, bologna = (make_location(code) for code in ("TO", "MI", "BO"))
    StaffLocation.objects.create(user=nina, location=torino)
    here, there = visitor("Manager"), visitor("Manager")
    mine, theirs = opened(here, nina), opened(there, nina)

    save(there, nina, theirs, **{"staff_locations-0-location": milano.pk})
    page = save(here, nina, mine, **{"staff_locations-0-location": bologna.pk})

    assert NOTHING_SAVED in text_of(page)
    assert StaffLocation.objects.get().location == milano


def test_role_keeps_what_the_other_gave_it() -> None:
    role = Group.objects.create(name="Night shift")
    see, count = (
        Permission.objects.get(codename=name, content_type__app_label="inventory")
        for name in ("view_sku", "count_stock")
    )
    here, there = visitor(superuser=True), visitor(superuser=True)
    mine, theirs = opened(here, role), opened(there, role)

    save(there, role, theirs, permissions=[see.pk])
    response = save(here, role, mine, name="Late shift")

    role.refresh_from_db()
    assert (role.name, list(role.permissions.all())) == ("Late shift", [see])
    assert messages_of(response)[0] == "Also changed meanwhile: Permissions, by staff-1. That was kept."
    assert told("role_changed") == [{"fields": ["Permissions"]}, {"fields": ["Name"]}]

    refused = save(here, role, {**theirs, "name": "Late shift"}, permissions=[count.pk])

    assert NOTHING_SAVED in text_of(refused)
    assert "Somebody else changed it: + Stock: " in text_of(refused)
    assert list(role.permissions.all()) == [see]


def test_role_saved_untouched_leaves_no_event() -> None:
    role = Group.objects.create(name="Night shift")
    tab = visitor(superuser=True)

    save(tab, role, opened(tab, role))

    assert told("role_changed") == []


@pytest.mark.parametrize("kind", ["person", "role"])
def test_form_without_what_it_was_shown_with_saves_nothing(nina: Any, kind: str) -> None:
    row = nina if kind == "person" else Group.objects.create(name="Night shift")
    tab = visitor(superuser=True)
    changed = {"last_name": "Rossi"} if kind == "person" else {"name": "Rossi"}

    page = save(tab, row, {**opened(tab, row), "shown": ""}, **changed)

    row.refresh_from_db()
    assert "The form is not complete; open it again." in text_of(page)
    assert "Rossi" not in (getattr(row, "last_name", ""), getattr(row, "name", ""))


def test_form_pressed_again_after_a_refusal_takes_nothing_back_that_others_gave(nina: Any) -> None:
    here, there = visitor("Manager"), visitor("Manager")
    mine, theirs = opened(here, nina), opened(there, nina)
    picker = Group.objects.get(name="Picker")
    save(there, nina, theirs, last_name="Rossi", groups=[picker.pk], is_active="")

    page = save(here, nina, mine, last_name="Bianchi")
    form = page.context["adminform"].form
    values = {name: form[name].value() for name, field in form.fields.items() if not field.disabled}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    save(here, nina, sent, **hidden(page))

    nina.refresh_from_db()
    assert (nina.last_name, list(nina.groups.all()), nina.is_active) == ("Bianchi", [picker], False)
