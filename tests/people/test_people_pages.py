"""The page of a person in the words of those who use it."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from config.kernel.admin import admin_url
from tests.kernel.visitor import text_of, visitor

pytestmark = pytest.mark.django_db


def test_page_of_a_person_says_roles_with_boxes_and_no_algorithm() -> None:
    nina = get_user_model().objects.create_user("nina", password="scaffale-nastro-7", is_staff=True)
    nina.groups.add(Group.objects.get(name="Picker"))
    manager = visitor("Manager")

    page = manager.get(admin_url(nina, "change", nina.pk))

    html, said = page.content.decode(), text_of(page)
    assert html.count('<input type="checkbox" name="groups"') == 5
    assert "selectfilter" not in html
    assert "pbkdf2" not in html
    assert "algorithm" not in said
    assert "A password is set. Set another password…" in said
    assert "Group" not in said
    assert (
        "/auth/group/add/"
        not in visitor(superuser=True).get(admin_url(nina, "change", nina.pk)).content.decode()
    )


def test_lists_and_navigation_say_roles() -> None:
    boss = visitor(superuser=True)

    people, roles = boss.get("/auth/user/"), boss.get("/auth/group/")

    assert "Group" not in text_of(people) + text_of(roles)
    assert "<h1>Roles</h1>" in roles.content.decode()
    picker = Group.objects.get(name="Picker")
    assert f"?groups__id__exact={picker.pk}" in people.content.decode()
    assert "Warehouse" in text_of(people)
