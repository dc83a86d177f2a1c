"""Why a raw order was refused is read by each person in their own language, whoever refused it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import override

from channels.services.intake import Body, sweep_raw_orders, take_in
from config.kernel.admin import admin_url
from orders.enums import ChannelKind
from orders.models import Order, RawOrder
from orders.selectors.work import unread
from tests.channels import bodies
from tests.factories.orders import SYSTEM, make_channel
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/raworder/"


@pytest.fixture(autouse=True)
def languages_as_before() -> Iterator[None]:
    """A request's language stays in its thread."""
    with override("en"):
        yield


def take(*texts: str, kind: ChannelKind = ChannelKind.WOOCOMMERCE) -> None:
    channel = make_channel(code=kind.value, kind=kind)
    given = [Body(str(place), text) for place, text in enumerate(texts)]
    take_in(given, sales_channel_id=channel.pk, door="test", actor=SYSTEM)


def reader(language: str, role: str = "Support") -> Visitor:
    person = visitor(role)
    person.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return person


def seen(language: str, raw: RawOrder) -> tuple[str, str]:
    """The words of the list and of the raw order's own page."""
    person = reader(language)
    return text_of(person.get(LIST)), text_of(person.get(admin_url(RawOrder, "change", raw.pk)))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"currency": "?"},
        "currency: “?” is not accepted; accepted is a currency code of three letters, such as EUR.",
        "currency: “?” non è accettato; si accetta un codice di valuta di tre lettere, per esempio EUR.",
    ),
    ({"line_items": []}, "lines: “0” is not accepted; ", "lines: “0” non è accettato; "),
]


@pytest.mark.parametrize(("fields", "english", "italian"), REFUSED)
@pytest.mark.parametrize("writer", ["en", "it"])
def test_refused_raw_order_is_read_in_the_readers_language(
    fields: dict[str, Any], english: str, italian: str, writer: str
) -> None:
    with override(writer):
        take(json.dumps(bodies.woo_order(**fields)))
    raw = RawOrder.objects.get()

    for page in seen("it", raw):
        assert italian[:110] in page
        assert "is not accepted" not in page
    for page in seen("en", raw):
        assert english[:110] in page
        assert "non è" not in page
    assert list(unread(RawOrder.objects.all())) == [raw]
    assert sweep_raw_orders() == 0


def test_english_reader_understands_what_an_italian_tried_again() -> None:
    take(json.dumps(bodies.woo_order(currency="?")))
    raw = RawOrder.objects.get()

    reader("it").press(admin_url(RawOrder, "retry", raw.pk))

    assert all("currency: “?” is not accepted" in page for page in seen("en", raw))
    assert all("currency: “?” non è accettato" in page for page in seen("it", raw))


def test_number_in_a_refusal_is_told_in_the_readers_language() -> None:
    item = bodies.woo_order()["line_items"][0]
    take(
        json.dumps(bodies.woo_order(id=1, line_items=[{**item, "quantity": -1}])),
        json.dumps(
            bodies.woo_order(
                id=2, line_items=[{**item, "quantity": 1_000_001, "subtotal": "1", "total": "1"}]
            )
        ),
    )

    said = [seen(language, RawOrder.objects.first())[0] for language in ("en", "it")]

    assert ["accepted are whole units, from 1 to 1000000" in one for one in said] == [True, False]
    assert ["accepted are whole units, from 1." in one for one in said] == [True, False]


def test_missing_field_and_unread_kind_are_told_in_the_readers_language() -> None:
    without = bodies.woo_order()
    del without["currency"]
    take(json.dumps(without))
    take("{}", kind=ChannelKind.PHONE)

    english, italian = (text_of(reader(language).get(LIST)) for language in ("en", "it"))

    assert "currency: “missing” is not accepted" in english
    assert (
        "Orders of “Phone” cannot be read from a body; readable are Own web shop, Shopify, WooCommerce."
        in english
    )
    assert "currency: “mancante” non è accettato" in italian
    assert "Gli ordini di “Telefono” non si possono leggere da un testo" in italian


def test_news_refused_for_several_reasons_are_told_in_the_readers_language() -> None:
    take(json.dumps(bodies.woo_order(total="25.62", refunds=[{"id": 9, "total": "-5.00"}])))
    number = Order.objects.get().number
    with override("it"):
        take(json.dumps(bodies.woo_order(total="20.00", refunds=[{"id": 9, "total": "-6.00"}])))
    raw = RawOrder.objects.get(settled_at=None)

    _list, english = seen("en", raw)
    _list, italian = seen("it", raw)

    assert f"Order {number} is here; what this says of it was refused: " in english
    assert f"Order {number} is here" not in italian
    assert "20.00" in english
    assert "20.00" in italian
    for part in ("is not accepted", "accepted is", "refused"):
        assert part not in italian
    assert "non è" not in english
