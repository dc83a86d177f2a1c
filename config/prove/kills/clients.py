"""People at the phone: they place orders by HTTP and confirm half of them, and write down what they meant to do
before they send it, and the answer after it came."""

import http.client
import random
import re
import secrets
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

SECONDS_TO_ANSWER = 20
ORDER_PAGE = re.compile(r"/orders/order/(\d+)/change/$")
PLACE, CONFIRM = "place", "confirm"


@dataclass(slots=True)
class Wish:
    """One order somebody wants to place: the intent, and what was acknowledged of it.

    `left` names the request whose outcome is unknown and that nobody has repeated yet.
    """

    key: str
    is_confirmed_by_hand: bool
    fields: Mapping[str, str]
    press: Mapping[str, str] = field(default_factory=dict)
    order_id: int = 0
    is_placed: bool = False
    is_confirmed: bool = False
    unknown: int = 0
    left: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    text: str

    @property
    def order_id(self) -> int:
        found = ORDER_PAGE.search(self.location) if self.status == 302 else None
        return int(found[1]) if found else 0


class Unknown(Exception):
    """No answer, or one that does not say what was done."""


class _Hidden(HTMLParser):
    """The hidden fields of a page, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") and given.get("type") == "hidden":
            self.values[str(given["name"])] = given.get("value") or ""


class Browser:
    """One person's session over real HTTP."""

    def __init__(self, address: tuple[str, int], session: str) -> None:
        self.address = address
        self.token = secrets.token_hex(16)
        self.cookies = f"sessionid={session}; csrftoken={self.token}"

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        return self._ask(
            "POST", path, urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self.token}).encode()
        )

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        host, port = self.address
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS_TO_ANSWER)
        headers = {"Cookie": self.cookies}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (http.client.HTTPException, OSError) as error:
            raise Unknown(type(error).__name__) from error
        finally:
            connection.close()
        if answer.status >= 500:
            raise Unknown(str(answer.status))
        return Answer(answer.status, answer.headers.get("Location", ""), text)


@dataclass(slots=True)
class History:
    """All wishes, and when which requests were answered; shared by the clients."""

    wishes: list[Wish] = field(default_factory=list)
    answered: list[tuple[float, float]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    stale: int = 0
    faults: list[str] = field(default_factory=list)

    def is_answered_since(self, moment: float) -> bool:
        """Whether a request that was sent after that moment has been acknowledged."""
        return any(sent > moment for sent, _got in self.answered[-50:])


class Client(threading.Thread):
    """Places one order after the other until it is told to stop; an unknown outcome is repeated at once, or left."""

    def __init__(
        self, browser: Browser, history: History, dice: random.Random, shop: tuple[Sequence[str], int, int]
    ) -> None:
        super().__init__(daemon=True)
        self.browser, self.history, self.dice = browser, history, dice
        self.codes, self.by_rule, self.by_hand = shop
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            wish = self._wish()
            self.history.wishes.append(wish)
            self._until_known(wish)
            time.sleep(self.dice.uniform(0, 0.1))

    def _wish(self) -> Wish:
        key, is_by_hand = f"k{self.dice.getrandbits(64):016x}", self.dice.random() < 0.5
        fields = {
            "sales_channel": str(self.by_hand if is_by_hand else self.by_rule),
            "name": f"Buyer {key}",
            "email": f"{key}@example.com",
            "language": "it",
            "line1": f"Via Po {key}",
            "postal_code": "10124",
            "city": "Torino",
            "country_code": "IT",
            "prices_include_tax": "on",
            "tax_rate": "22",
            "paid_by": "card",
            "payment_reference": key,
            "nonce": key,
            "form-TOTAL_FORMS": "2",
            "form-INITIAL_FORMS": "0",
        }
        for place, code in enumerate(self.dice.sample(list(self.codes), 2)):
            fields |= {f"form-{place}-sku": code, f"form-{place}-quantity": "1"}
            fields[f"form-{place}-unit_amount"] = "10.00"
        return Wish(key, is_by_hand, fields)

    def _until_known(self, wish: Wish) -> None:
        """Carry a wish out; where an outcome is unknown, half the people try again at once."""
        while not carry_out(self.browser, self.history, wish):
            if self.dice.random() < 0.5 or self.is_over.is_set():
                return
            time.sleep(0.2)


def carry_out(browser: Browser, history: History, wish: Wish) -> bool:
    """Place and, where a person does it, confirm: what was not acknowledged yet. False on an unknown outcome."""
    wish.left = PLACE
    try:
        if not wish.is_placed:
            _place(browser, history, wish)
        wish.left = CONFIRM
        while wish.is_confirmed_by_hand and not wish.is_confirmed:
            _confirm(browser, history, wish)
    except Unknown as reason:
        wish.unknown += 1
        history.unknown.append(str(reason))
        return False
    wish.left = ""
    return True


def _place(browser: Browser, history: History, wish: Wish) -> None:
    sent = time.monotonic()
    answer = browser.post("/orders/order/add/", wish.fields)
    if not answer.order_id:
        history.faults.append(f"{wish.key}: placing answered {answer.status} {answer.location}")
        raise Unknown("refused")
    history.answered.append((sent, time.monotonic()))
    wish.order_id, wish.is_placed = answer.order_id, True


def _confirm(browser: Browser, history: History, wish: Wish) -> None:
    """Press once; a page that grew stale meanwhile is read again and pressed anew."""
    path = f"/orders/order/{wish.order_id}/confirm/"
    if not wish.press:
        page = browser.get(path)
        if page.order_id == wish.order_id:  # it says that there is nothing left to press
            wish.is_confirmed = True
            return
        wish.press = _Hidden(page.text).values
    sent = time.monotonic()
    answer = browser.post(path, wish.press)
    if answer.order_id == wish.order_id:
        history.answered.append((sent, time.monotonic()))
        wish.is_confirmed = True
    elif answer.status == 200:
        history.stale += 1
        wish.press = {}
    else:
        history.faults.append(f"{wish.key}: confirming answered {answer.status} {answer.location}")
        raise Unknown("refused")
