"""A script in every text field of every row: no role's page runs one, or even makes an element of it."""

from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Page

from config.roles import ROLE_WORDS, ensure_roles
from tests.browser.conftest import DESK, Visit
from tests.people.planted import plant
from tests.people.routes import model_routes, site_urls

# What a planted text would have made of the page, had it not stayed text.
FOUND = """() => ({
    ran: typeof planted === "undefined" ? "" : String(planted),
    scripts: [...document.querySelectorAll("script:not([src])")]
        .filter((one) => !(one.type === "application/json")).map((one) => one.outerHTML.slice(0, 80)),
    images: document.querySelectorAll("img[onerror], [onclick], [onerror]").length,
})"""
CLEAN = {"ran": "", "scripts": [], "images": 0}


@pytest.fixture
def people(transactional_db: None) -> list[User]:
    """Somebody of every role who works in the admin, and the superuser; their names are planted too."""
    ensure_roles(apps.get_app_config("returns"))  # emptied with the other tables before this test
    User.objects.create_superuser("owner")
    for role in ROLE_WORDS:
        user = User.objects.create_user(role.lower(), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    plant()
    return list(User.objects.filter(is_staff=True).order_by("pk"))


@pytest.fixture
def pages(people: list[User]) -> dict[int, list[str]]:
    """By person, the pages that they may open, those of a row with the last row: a refusal shows nothing of any."""
    urls = [*site_urls(), *_row_urls()]
    found: dict[int, list[str]] = {}
    for user in people:
        client = Client()
        client.force_login(user)
        found[user.pk] = [url for url in urls if client.get(url).status_code == 200]
    return found


def _row_urls() -> Iterator[str]:
    for route in model_routes():
        yield route.url(route.model._default_manager.order_by("pk").last().pk)


def test_planted_scripts_stay_text_on_every_page_of_every_role(
    people: list[User], pages: dict[int, list[str]], visit: Callable[..., Visit]
) -> None:
    counts = [len(pages[user.pk]) for user in people]
    assert counts[0] >= 140, counts
    assert min(counts) >= 20, counts

    for user in people:
        crawl(visit(DESK, user=user), pages[user.pk])


def crawl(window: Visit, urls: list[str]) -> None:
    """Open each page; the first that is not clean is told with what was found."""
    _spare(window.page)
    for url in urls:
        window.page.goto(window.address + url, wait_until="domcontentloaded")
        assert window.page.evaluate(FOUND) == CLEAN, url
        assert window.complaints == [], url


def _spare(page: Page) -> None:
    """Pictures and type are not what is looked for."""
    page.route("**/*.css", lambda route: route.fulfill(status=200, content_type="text/css", body=""))


def test_crawl_would_see_a_script_that_ran(people: list[User], visit: Callable[..., Visit]) -> None:
    """The negative control: the same looks find what an unescaped text would have made."""
    window = visit(DESK, user=people[0])
    window.page.goto(window.address + "/", wait_until="domcontentloaded")

    with window.page.expect_console_message(lambda line: "script-src-attr" in line.text):
        window.page.evaluate(
            """() => {
                window.planted = 1;
                const planted = "<img src=x onerror=planted=2><script>planted=1</script>";
                document.body.insertAdjacentHTML("beforeend", planted);
            }"""
        )

    found = window.page.evaluate(FOUND)
    assert (found["ran"], len(found["scripts"]), found["images"]) == ("1", 1, 1)
    assert any("policy violated: script-src-attr" in line for line in window.complaints)
