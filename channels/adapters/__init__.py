"""Adapters: one channel's order body in, one neutral order out. Pure: no query, no request, no clock."""

from collections.abc import Callable, Mapping

from channels.adapters import medusa, shopify, woocommerce
from channels.adapters.reading import Reader, parse_json, reader_of
from channels.errors import NoAdapter
from config.kernel.languages import joined
from orders.enums import ChannelKind
from orders.neutral import NeutralOrder

ADAPTERS: Mapping[ChannelKind, Callable[[Reader], NeutralOrder]] = {
    ChannelKind.WEB_SHOP: medusa.parse_order,
    ChannelKind.SHOPIFY: shopify.parse_order,
    ChannelKind.WOOCOMMERCE: woocommerce.parse_order,
}


def read_order(kind: ChannelKind, body: bytes | str | Mapping[str, object]) -> NeutralOrder:
    """The neutral order that a channel's body tells of.

    `body` is the order object itself: raw JSON, best for money since its fractions never become binary floats,
    or an already parsed object. Fields and words that are not known here pass.

    Refuses: `NoAdapter` for a kind of channel without one; `PayloadError` for a needed field that is missing or
    of the wrong kind.
    """
    adapter = ADAPTERS.get(kind)
    if adapter is None:
        raise NoAdapter(kind=kind.label, readable=joined([known.label for known in ADAPTERS]))
    return adapter(parse_json(body) if isinstance(body, bytes | str) else reader_of(body))
