"""Nobody below a superuser makes anybody, themselves included, see or do more than they may."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from config.kernel.actors import places_of
from config.kernel.admin import admin_url
from inventory.models import Location, StaffLocation
from tests.factories.inventory import make_location
from tests.kernel.visitor import Visitor, hidden, text_of, visitor

pytestmark = pytest.mark.django_db
PASSWORD = "scaffale-nastro-7"


def person(name: str, role: str = "Picker", *places: Location) -> Any:
    user = get_user_model().objects.create_user(name, password="forbice-pallet-9", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    StaffLocation.objects.bulk_create(StaffLocation(user=user, location=place) for place in places)
    return user


def manager(*places: Location) -> tuple[Visitor, Any]:
    """A manager bound to locations, or to none."""
    client = visitor("Manager")
    user = get_user_model().objects.latest("pk")
    StaffLocation.objects.bulk_create(StaffLocation(user=user, location=place) for place in places)
    return client, user


def places(user: Any) -> frozenset[int] | None:
    return places_of(get_user_model().objects.get(pk=user.pk))


def save(client: Visitor, user: Any, **more: Any) -> Any:
    """Post the page of a person as it stands, with something else in it."""
    url = admin_url(user, "change", user.pk)
    rows = list(StaffLocation.objects.filter(user=user).order_by("pk"))
    sent = {
        "username": user.username, "is_active": "on", "is_staff": "on",
        "groups": [group.pk for group in user.groups.all()],
        "staff_locations-TOTAL_FORMS": len(rows), "staff_locations-INITIAL_FORMS": len(rows),
    }  # fmt: skip
    for place, row in enumerate(rows):
        start = f"staff_locations-{place}-"
        sent |= {f"{start}id": row.pk, f"{start}user": user.pk, f"{start}location": row.location_id}
    return client.post(url, {**hidden(client.get(url)), **sent, **more})


def set_password(client: Visitor, user: Any) -> bool:
    """Whether the password is that one afterwards."""
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    client.post(url, {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    return bool(user.check_password(PASSWORD))


def test_bound_manager_opens_the_whole_business_to_nobody() -> None:
    here = make_location("HERE")
    client, me = manager(here)
    nina = person("nina", "Picker", here)

    for user in (me, nina):
        save(client, user, **{"staff_locations-0-DELETE": "on"})
    client.post(
        reverse("admin:auth_user_add"), {"username": "otto", "password1": PASSWORD, "password2": PASSWORD}
    )

    otto = get_user_model().objects.get(username="otto")
    assert [places(user) for user in (me, nina, otto)] == [frozenset([here.pk])] * 3


def test_bound_manager_leaves_a_person_fewer_locations_and_at_least_one() -> None:
    here, there = make_location("HERE"), make_location("THERE")
    client, _me = manager(here, there)
    nina = person("nina", "Picker", here, there)

    refused = save(client, nina, **{f"staff_locations-{row}-DELETE": "on" for row in range(2)})
    before = places(nina)
    save(client, nina, **{"staff_locations-1-DELETE": "on"})

    assert "Leave one: without any, the person would see the whole business." in text_of(refused)
    assert (before, places(nina)) == ({here.pk, there.pk}, {here.pk})


def test_bound_manager_acts_as_nobody_who_sees_more() -> None:
    here, there = make_location("HERE"), make_location("THERE")
    client, _me = manager(here)
    free, wider, alike = (
        person("free"),
        person("wider", "Picker", here, there),
        person("alike", "Picker", here),
    )

    done = [set_password(client, user) for user in (free, wider, alike)]

    assert done == [False, False, True]
    assert save(client, free, first_name="Nina").status_code == 403
    assert client.post(reverse("admin:auth_user_reset_factor", args=[free.pk])).status_code == 403


def test_unbound_manager_binds_and_frees_as_before() -> None:
    here = make_location("HERE")
    client, _me = manager()
    nina = person("nina", "Picker", here)

    save(client, nina, **{"staff_locations-0-DELETE": "on"})

    assert places(nina) is None


def test_manager_gives_no_role_and_takes_over_no_person_beyond_their_own_rights() -> None:
    owners = Group.objects.create(name="Owners")
    owners.permissions.add(Permission.objects.get(codename="change_group"))
    client, me = manager()
    owner = person("owner", "Owners")
    left = person("left", "Owners")
    get_user_model().objects.filter(pk=left.pk).update(is_active=False)

    save(client, me, groups=[owners.pk, *(group.pk for group in me.groups.all())])

    assert [group.name for group in me.groups.all()] == ["Manager"]
    assert [set_password(client, user) for user in (owner, left)] == [False, False]


@pytest.mark.parametrize("role", ["Picker", "Support", "Reader", "Integration", "Manager"])
def test_manager_looks_after_people_of_every_role_that_comes_along(role: str) -> None:
    client, _me = manager()

    assert set_password(client, person("nina", role))
