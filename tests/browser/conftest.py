"""A real Chromium against a live server, with everything it complains about written down."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

DESK, PHONE = (1440, 900), (390, 844)
PATIENCE = 60_000  # milliseconds: a busy machine is slow, not broken
expect.set_options(timeout=PATIENCE)
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (told) =>
    console.error(`policy violated: ${told.effectiveDirective} ${told.blockedURI}`));"""


@dataclass
class Visit:
    """One browser window. `complaints` are console errors, policy violations, script errors and failed requests."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def sideways(self) -> int:
        """How many pixels the page scrolls sideways, once it is there: a page just come to has no document yet."""
        self.page.wait_for_load_state()
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )


@pytest.fixture
def manager(transactional_db: None) -> User:
    return User.objects.create_superuser("marta", password="only-for-tests")


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may be read and the worker's part played while windows are open.

    The guard it lifts is against blocking an event loop; the only loop here is the browser's driver, which waits.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def worker(beside: None) -> Callable[[], None]:
    """Do what is due, as the worker would."""
    from config.kernel.outbox import LANES, deliver_due

    def work() -> None:
        for lane in LANES:
            deliver_due(lane)

    return work


@pytest.fixture
def visit(chromium: str, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Open a window: `visit(PHONE, scheme="dark", user=manager)`; without a user it is not logged in.

    Rows are written by fixtures asked for before this one: afterwards the test's thread has an event loop, and
    the ORM refuses. A test that goes on writing or reading rows asks for `beside`.
    """
    cookies: dict[int, str] = {}

    def log_in(user: User) -> str:
        client = Client()
        client.force_login(user)
        return str(client.cookies["sessionid"].value)

    for user in User.objects.filter(is_staff=True):
        cookies[user.pk] = log_in(user)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def open_window(
            size: tuple[int, int], *, scheme: str = "light", user: User | None = None, spoken: str = "en-GB"
        ) -> Visit:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                color_scheme=scheme,  # type: ignore[arg-type]
                is_mobile=size == PHONE,
                has_touch=size == PHONE,
                locale=spoken,
            )
            if user is not None:
                session = cookies.get(user.pk) or log_in(user)
                cookie = {"name": "sessionid", "value": session, "url": live_server.url}
                context.add_cookies([cookie])  # type: ignore[list-item]
            context.add_init_script(TELL_VIOLATIONS)
            context.set_default_timeout(PATIENCE)
            window = Visit(context.new_page(), live_server.url)
            said = window.complaints.append
            window.page.on(
                "console", lambda line: said(line.text) if line.type in {"error", "warning"} else None
            )
            window.page.on("pageerror", lambda error: said(str(error)))
            window.page.on(
                "response",
                lambda answer: said(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
            )
            return window

        yield open_window
        browser.close()
    # Pages ask in the background; a request that is still answered would hold tables that are to be emptied.
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(30)
