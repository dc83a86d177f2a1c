"""A person at the admin, over real HTTP, with the standard library alone."""

import http.cookiejar
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Fields(HTMLParser):
    """The fields of a page's forms that have a value, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") and given.get("type") in ("hidden", "text"):
            self.values[str(given["name"])] = given.get("value") or ""


class Person:
    def __init__(self, address: str) -> None:
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def get(self, path: str) -> str:
        with self.opener.open(self.address + path, timeout=120) as answer:
            return str(answer.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Fill the form that stands at `path` and send it."""
        body = urllib.parse.urlencode({**Fields(self.get(path)).values, **fields}).encode()
        request = urllib.request.Request(self.address + path, body, {"Referer": self.address + path})
        with self.opener.open(request, timeout=120) as answer:
            return str(answer.read().decode())

    def log_in(self, username: str, password: str) -> None:
        self.post("/login/?next=/healthz", {"username": username, "password": password})
