"""The frame: navigation by work, policy on every answer, finding by exact number."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from config import dashboard
from config.kernel import clock, heartbeat
from config.kernel.csp import POLICY, ContentSecurityPolicyMiddleware
from config.navigation import SECTIONS, navigation, section_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return User.objects.create_superuser("marta", password="only-for-tests")


@pytest.fixture
def desk(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[dashboard.TileSource]:
    """No tiles but those that a test registers."""
    kept: list[dashboard.TileSource] = []
    monkeypatch.setattr(dashboard, "_sources", kept)
    return kept


def an_app(label: str, *models: str) -> dict[str, object]:
    rows = [
        {"object_name": name, "name": f"{name}s", "admin_url": f"/{label}/{name.lower()}/", "add_url": None}
        for name in models
    ]
    return {"app_label": label, "models": rows}


def a_tile(user: object) -> list[dashboard.Tile]:
    return [
        dashboard.Tile("To confirm", 14, "/orders/order/?queue=confirm", section="orders"),
        dashboard.Tile("Late", 3, "/orders/order/?queue=late", tone="stop", section="orders"),
        dashboard.Tile("Failed jobs", 0, "/kernel/job/", tone="stop", section="insight"),
    ]


@pytest.mark.parametrize("path", ["/login/", "/", "/nowhere/"])
def test_every_answer_carries_the_policy(client: Client, path: str) -> None:
    assert client.get(path)["Content-Security-Policy"] == POLICY


def test_policy_is_not_overridden_by_a_view() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "default-src *"})

    response = ContentSecurityPolicyMiddleware(view)(HttpRequest())

    assert response["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY


def test_navigation_sorts_models_into_work() -> None:
    apps = [
        an_app("orders", "SalesChannel", "LegalEntity", "Customer", "RawOrder", "Refund", "Order"),
        an_app("inventory", "Location", "StockLevel", "Sku"),
        an_app("kernel", "Event", "Job"),
        an_app("auth", "Group", "User"),
        an_app("unheard_of", "Thing"),
    ]

    works = navigation(apps, "/inventory/stocklevel/7/change/")

    assert [(work.key, [entry.key for entry in work.entries]) for work in works] == [
        ("orders", ["orders.order", "orders.customer", "orders.refund"]),
        ("stock", ["inventory.sku", "inventory.stocklevel", "inventory.location"]),
        ("channels", ["orders.raworder"]),
        ("insight", ["kernel.job", "kernel.event"]),
        (
            "settings",
            ["orders.saleschannel", "orders.legalentity", "auth.user", "auth.group", "unheard_of.thing"],
        ),
    ]
    assert [work.key for work in works if work.current] == ["stock"]
    assert [entry.key for work in works for entry in work.entries if entry.current] == [
        "inventory.stocklevel"
    ]


def test_navigation_shows_only_what_a_person_may_open() -> None:
    user = User.objects.create_user("piet", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    request = RequestFactory().get("/")
    request.user = user

    context = admin.site.each_context(request)

    assert [(work.key, [e.key for e in work.entries]) for work in context["navigation"]] == [
        ("settings", ["auth.user"])
    ]


def test_first_page_shows_queues_and_links_to_what_they_count(
    desk: Client, sources: list[dashboard.TileSource]
) -> None:
    dashboard.register(a_tile)

    html = desk.get("/").content.decode()

    assert 'href="/orders/order/?queue=late"><b>3</b><span>Late</span>' in html
    assert 'class="card tile stop" href="/orders/order/?queue=late"' in html
    assert 'class="card tile none" href="/kernel/job/"' in html


def test_first_page_without_queues_teaches(desk: Client, sources: list[dashboard.TileSource]) -> None:
    html = desk.get("/").content.decode()

    assert "Nothing is waiting for you" in html
    assert "They fill as soon as orders come in." in html


def test_registering_a_source_twice_counts_once(sources: list[dashboard.TileSource], manager: User) -> None:
    dashboard.register(a_tile)
    dashboard.register(a_tile)

    assert len(dashboard.tiles(manager)) == 3


def test_queues_answers_with_fresh_figures(desk: Client, sources: list[dashboard.TileSource]) -> None:
    dashboard.register(a_tile)
    with clock.frozen(clock.now()):
        heartbeat.beat("worker")

        answer = desk.get(reverse("admin:queues"))

    assert answer.json()["sections"] == {"orders": [3, "stop", "/orders/order/?queue=late", "Late"]}
    assert answer.json()["tiles"][1] == ["/orders/order/?queue=late", 3, "stop", ""]
    assert answer.json()["worker"] == ["Worker alive 0 s ago", ""]
    assert "no-store" in answer["Cache-Control"]


def test_worker_that_never_started_is_said(desk: Client) -> None:
    assert desk.get(reverse("admin:queues")).json()["worker"] == ["The worker has not started yet", "stop"]


@pytest.mark.parametrize("name", ["admin:queues", "admin:find", "admin:index"])
def test_strangers_are_sent_to_the_log_in(client: Client, name: str) -> None:
    response = client.get(reverse(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_find_nothing_goes_home_and_says_so(desk: Client) -> None:
    empty = desk.get("/find/", {"q": "  "})
    assert empty["Location"] == "/"


def test_unknown_address_is_a_page_of_ours(desk: Client) -> None:
    response = desk.get("/orders/nowhere/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_forgotten_token_is_explained(manager: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(manager)

    response = strict.post("/logout/")

    assert response.status_code == 403
    assert "This page was open for too long" in response.content.decode()


def test_logging_out_says_so(desk: Client) -> None:
    assert "You are logged out" in desk.post("/logout/").content.decode()


def test_queues_come_in_the_order_of_the_navigation(desk: Client) -> None:
    urls = [row[0].partition("?")[0] for row in desk.get(reverse("admin:queues")).json()["tiles"]]

    sections = [section_of(".".join(url.strip("/").split("/"))) for url in urls]
    assert sections == sorted(sections, key=[section.key for section in SECTIONS].index)
    assert urls[0] == "/orders/order/"
