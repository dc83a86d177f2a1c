"""What JSON can say and no database or clock can: refused with its reason, and no other body of the batch with it."""

import json
from typing import Any

import pytest

from channels.services.intake import Body, take_in
from config.kernel.languages import readers_words
from orders.enums import ChannelKind
from orders.models import Order, RawOrder
from tests.channels import bodies
from tests.factories.orders import SYSTEM, make_channel

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"currency": "\ud800"}, "currency: “?” is not accepted"),
        ({"currency": "E\x00"}, "currency: “E\\0” is not accepted"),
        ({"line_items": "\udfff" * 200}, "line_items: “????"),
        ({"date_created_gmt": "\ud800"}, "date_created_gmt: “?” is not accepted"),
        ({"date_created_gmt": "0001-01-01T00:00:00"}, "placed_at: “0001-01-01 00:00:00+00:00” is not accepted"),
        ({"date_created_gmt": "9999-12-31T23:59:59"}, "placed_at: “9999-12-31 23:59:59+00:00” is not accepted"),
    ],
)  # fmt: skip
def test_body_that_cannot_be_kept_is_refused_alone(fields: dict[str, Any], said: str) -> None:
    channel = make_channel(kind=ChannelKind.WOOCOMMERCE)
    texts = [json.dumps(bodies.woo_order(id=1)), json.dumps(bodies.woo_order(id=2, **fields))]
    given = [Body(str(place), text) for place, text in enumerate(texts)]

    results = take_in(given, sales_channel_id=channel.pk, door="file", actor=SYSTEM)

    assert (results.done_ids, list(results.refusals)) == (["0"], ["1"])
    assert Order.objects.get().external_id == "1"
    assert readers_words(RawOrder.objects.get(order=None).problem).startswith(said)


@pytest.mark.parametrize("year", [1970, 2200])
def test_body_of_the_first_and_the_last_year_is_accepted(year: int) -> None:
    channel = make_channel(kind=ChannelKind.WOOCOMMERCE)
    text = json.dumps(bodies.woo_order(date_created_gmt=f"{year}-06-01T00:00:00"))

    results = take_in([Body("0", text)], sales_channel_id=channel.pk, door="file", actor=SYSTEM)

    assert results.done_ids == ["0"]
