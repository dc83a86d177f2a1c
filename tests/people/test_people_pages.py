"""The page of a person in the words of those who use it."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from config.access.browsers import browser_words
from config.kernel.admin import admin_url
from config.kernel.models import Event
from config.roles import ROLE_WORDS
from tests.kernel.visitor import hidden, text_of, visitor

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


def test_person_is_added_with_name_and_password_and_opens_on_their_page() -> None:
    boss = visitor(superuser=True)
    typed = {"username": "nina", "password1": "scaffale-nastro-7", "password2": "scaffale-nastro-7"}

    answer = boss.post("/auth/user/add/", typed)

    nina = get_user_model().objects.get(username="nina")
    assert answer["Location"] == admin_url(nina, "change", nina.pk)
    assert nina.check_password("scaffale-nastro-7")
    assert list(Event.objects.values_list("kind", flat=True)) == ["person_added"]


def test_person_who_was_just_added_logs_in() -> None:
    typed = {"username": "nina", "password1": "scaffale-nastro-7", "password2": "scaffale-nastro-7"}
    assert visitor(superuser=True).post("/auth/user/add/", typed).status_code == 302
    nina = Client()

    answer = nina.post("/login/", {**typed, "password": typed["password1"], "next": "/"}, follow=True)

    assert answer.wsgi_request.user.get_username() == "nina"
    assert "Nothing is waiting for you" in text_of(answer)


def test_page_of_a_person_without_a_password_says_what_that_means() -> None:
    nina = get_user_model().objects.create_user("nina", is_staff=True)

    said = text_of(visitor(superuser=True).get(admin_url(nina, "change", nina.pk)))

    assert "No password is set. Set a password… Without one nobody logs in; the button sets one." in said


def test_lists_and_navigation_say_roles() -> None:
    boss = visitor(superuser=True)

    people, roles = boss.get("/auth/user/"), boss.get("/auth/group/")

    assert "Group" not in text_of(people) + text_of(roles)
    assert "<h1>Roles</h1>" in roles.content.decode()
    picker = Group.objects.get(name="Picker")
    assert f"?groups__id__exact={picker.pk}" in people.content.decode()
    assert "Warehouse" in text_of(people)


@pytest.mark.parametrize("name", ROLE_WORDS)
def test_role_that_comes_along_is_titled_in_words_and_neither_renamed_nor_deleted(name: str) -> None:
    boss, role = visitor(superuser=True), Group.objects.get(name=name)
    url, given = admin_url(role, "change", role.pk), role.permissions.count()

    page = boss.get(url)

    html = page.content.decode()
    assert f"<h1>{ROLE_WORDS[name]}</h1>" in html
    assert f"<title>{ROLE_WORDS[name]} · Role · Bancale</title>" in html
    assert "It comes with Bancale and cannot be renamed or deleted." in text_of(page)
    assert admin_url(role, "delete", role.pk) not in html
    assert boss.get(admin_url(role, "delete", role.pk)).status_code == 403
    assert boss.post(admin_url(role, "delete", role.pk), {"post": "yes"}).status_code == 403
    boss.post("/auth/group/", {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"})
    boss.post(url, {**hidden(page), "name": "Night shift", "permissions": []})
    assert list(Group.objects.filter(pk=role.pk).values_list("name", flat=True)) == [name]
    assert role.permissions.count() == 0 < given


def test_role_that_somebody_made_is_renamed_and_deleted() -> None:
    boss, role = visitor(superuser=True), Group.objects.create(name="Night shift")
    url = admin_url(role, "change", role.pk)

    boss.post(url, {**hidden(boss.get(url)), "name": "Late shift", "permissions": []})
    assert Group.objects.get(pk=role.pk).name == "Late shift"
    assert admin_url(role, "delete", role.pk) in boss.get(url).content.decode()
    boss.post(admin_url(role, "delete", role.pk), {"post": "yes"})

    assert not Group.objects.filter(pk=role.pk).exists()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "–"),
    ],
)  # fmt: skip
def test_browser_is_named_as_its_owner_knows_it(agent: str, words: str) -> None:
    assert browser_words(agent) == words
