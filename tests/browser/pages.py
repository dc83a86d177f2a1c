"""What a person does on the pages: presses a button, reads the confirm page, presses again; every page is checked."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect

from tests.browser.axe import look
from tests.browser.conftest import PHONE, Visit

TOUCH = 44
PRIMARY_HEIGHT = """() => {
    const box = document.querySelector('#content .btn.do, #content .btn.danger');
    return box === null ? null : box.getBoundingClientRect().height;
}"""


class Person:
    """Someone at one window. Each page they come to must be clean, must not scroll sideways, and must fit a thumb."""

    def __init__(self, window: Visit) -> None:
        self.window = window
        self.page = window.page
        viewport = window.page.viewport_size or {"width": 0}
        self.is_on_phone = viewport["width"] == PHONE[0]
        self.looked: set[str] = set()

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def log_in(self, name: str, password: str) -> None:
        self.go("/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.sees_heading("What needs you now")

    def go(self, path: str, *, answered: int = 200) -> None:
        self.window.open(path)
        self.check(answered)

    def check(self, answered: int = 200) -> None:
        """Look at the page one stands on; a refusal is known by the browser's two lines about it."""
        self.page.wait_for_load_state()
        if answered >= 400:
            self._forgive(answered)
        assert self.window.complaints == [], self.path
        assert self.window.sideways() <= 0, self.path
        height = self.page.evaluate(PRIMARY_HEIGHT)
        if self.is_on_phone and height is not None:
            assert height >= TOUCH, self.path

    def look(self, name: str) -> None:
        """Have the page read by axe, light and dark, once by its name."""
        self.check()
        if name not in self.looked:
            self.looked.add(name)
            found = look(self.page, name)
            assert found == [], found
            assert self.window.complaints == [], name

    def _forgive(self, answered: int) -> None:
        """Forget this one answer of the server and the browser's word on it."""
        for _wait in range(40):
            if len(self.window.complaints) >= 2:
                break
            self.page.wait_for_timeout(50)
        said = sorted(self.window.complaints[:2])
        assert said[0].startswith(f"{answered} "), said
        assert said[1].startswith("Failed to load resource"), said
        del self.window.complaints[:2]

    def click(self, target: Locator, *, answered: int = 200) -> None:
        """Click what leads to a page, and look at that page."""
        with self.page.expect_navigation():
            target.click()
        self.check(answered)

    def follow(self, name: str) -> None:
        """Follow the link of this name in the page."""
        self.click(self.page.locator("#content").get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> Locator:
        """The button in the head of the page; where it stands behind “More”, that is opened."""
        named = self.page.locator(".head").get_by_role("link", name=name, exact=True)
        more = self.page.locator(".head details.menu:not([open]) > summary")
        if more.count() and not named.count():
            more.click()
        return named

    def open_button(self, name: str) -> None:
        """Press a button of the head: its confirm page says what it will do."""
        self.click(self.button(name))

    def press(self, name: str, *, then: str = "", consequence: str = "", **fields: str) -> None:
        """Press a button of the head, read what it will do, fill its form in, and press `then`."""
        self.open_button(name)
        if consequence:
            expect(self.page.locator(".consequences")).to_contain_text(consequence)
        self.fill(fields)
        self.submit(then or name)

    def fill(self, fields: Mapping[str, str]) -> None:
        """Fill in fields by their labels; choices by their words."""
        for label, value in fields.items():
            field = self.page.locator("#content form").get_by_label(label.replace("_", " ")).first
            if field.evaluate("box => box.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value)

    def submit(self, name: str, *, answered: int = 200) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True), answered=answered)

    def sees_heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)
        self.check()

    def sees_badges(self, *words: str) -> None:
        expect(self.page.locator("h1 .badge")).to_have_text(list(words))

    def sees_message(self, text: str) -> None:
        expect(self.page.locator(".messagelist")).to_contain_text(text)

    def sees_buttons(self, *names: str) -> None:
        """Exactly these buttons may be pressed, in any order."""
        shown = self.page.locator(".head .buttons a").all_text_contents()
        assert sorted(text.strip() for text in shown) == sorted(names)

    def sees_timeline(self, *titles: str) -> None:
        """The newest entries of the timeline, newest first."""
        told = self.page.locator(".timeline li b").all_inner_texts()
        assert tuple(told[: len(titles)]) == titles

    def sees_fact(self, label: str, value: str) -> None:
        term = self.page.locator("dl.facts dt").filter(has_text=re.compile(f"^{re.escape(label)}$"))
        expect(term.locator("xpath=following-sibling::dd[1]")).to_have_text(value)

    def reads(self, selector: str) -> str:
        """The words of a part of the page in one line."""
        return re.sub(r"\s+", " ", self.page.locator(selector).first.inner_text()).strip()
