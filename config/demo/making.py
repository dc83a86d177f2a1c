"""Neutral orders of the demo's channels: goods, prices, taxes and payments as each channel states them. Pure."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from config.demo.catalogue import KITS, ONLY_HERE, ONLY_THERE, products
from config.demo.people import somebody
from config.kernel.money import round_money
from orders.enums import ChannelKind, ChargeKind, MoneyOwner, PaymentStatus
from orders.neutral import (
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Shop:
    """A channel of the demo. `rate` turns euros into its currency; `step` is what its prices end on a multiple of.

    A marketplace collects tax and money itself and does not tell who buys. `weight` is its share of the orders.
    """

    code: str
    name: str
    kind: ChannelKind
    prefix: str
    currency: str
    language: str
    countries: Mapping[str, int]
    weight: int
    dispatch_days: int = 2
    priority: int = 0
    rate: Decimal = Decimal(1)
    step: Decimal = Decimal("0.01")
    tax: tuple[str, Decimal] | None = ("IVA", Decimal(22))
    is_marketplace: bool = False
    shipping: Decimal = Decimal("5.90")
    free_from: Decimal = Decimal(60)

    @property
    def owner(self) -> MoneyOwner:
        return MoneyOwner.MARKETPLACE if self.is_marketplace else MoneyOwner.SELLER

    def price(self, euros: Decimal) -> Decimal:
        """A price in the shop's currency, as this shop writes prices."""
        if self.rate == 1:
            return euros
        return round_money((euros * self.rate / self.step).to_integral_value() * self.step, self.currency)


SHOPS: Mapping[str, Shop] = {
    shop.code: shop
    for shop in (
        Shop(
            "web", "Web shop", ChannelKind.WEB_SHOP, "WEB", "EUR", "it", {"IT": 14, "DE": 3, "FR": 2, "ES": 1}, 50,
            priority=10,
        ),
        Shop(
            "amazon", "Amazon.it", ChannelKind.AMAZON, "AMA", "EUR", "it", {"IT": 1}, 30,
            dispatch_days=1, is_marketplace=True,
        ),
        Shop(
            "ebay", "eBay UK", ChannelKind.EBAY, "EBA", "GBP", "en", {"GB": 1}, 13,
            dispatch_days=3, rate=Decimal("0.86"), step=Decimal("0.50"), tax=("VAT", Decimal(20)),
            is_marketplace=True, shipping=Decimal("8.50"), free_from=Decimal(90),
        ),
        Shop(
            "japan", "Bancale Japan", ChannelKind.SHOPIFY, "JPN", "JPY", "en", {"JP": 1}, 7,
            dispatch_days=4, rate=Decimal(163), step=Decimal(100), tax=None,
            shipping=Decimal(2900), free_from=Decimal(25000),
        ),
    )
}  # fmt: skip

PRICES = {product.code: (product.title, product.price) for product in products()} | {
    kit.code: (kit.title, kit.price) for kit in KITS
}
_CODES = tuple(PRICES)
_POPULAR = frozenset(("MOK", "ARA", "CUP", "JUG", "BTW", "PLT", "CDL", "TPO"))
_WEIGHTS = [12 if code.startswith("KIT") else 4 if code[:3] in _POPULAR else 1 for code in _CODES]
LINES_A_WEEK, UNITS_A_LINE = 440, 1.6
CARRIER = {"web": "Standard", "amazon": "Standard", "ebay": "Tracked 48", "japan": "Air mail, tracked"}


def make_order(
    rng: random.Random, external_id: str, shop: Shop, placed_at: datetime, codes: Sequence[str] = ()
) -> NeutralOrder:
    """One order as the channel states it; of these SKUs where some are named."""
    lines = tuple(_line(rng, shop, place, code) for place, code in enumerate(codes or _pick(rng), start=1))
    goods = sum((worth(line) for line in lines), ZERO)
    shipping = ZERO if goods >= shop.free_from else shop.shipping
    charge = NeutralCharge(
        ChargeKind.SHIPPING, "standard", CARRIER[shop.code], shipping, taxes=_tax(shop, shipping)
    )
    country = rng.choices(list(shop.countries), list(shop.countries.values()))[0]
    buyer, address = somebody(rng, country, tells_email=not shop.is_marketplace)
    total = goods + shipping
    return NeutralOrder(
        external_id=external_id,
        number=external_id,
        placed_at=placed_at,
        currency=shop.currency,
        prices_include_tax=True,
        lines=lines,
        buyer=buyer,
        ship_to=address,
        bill_to=address,
        charges=(charge,),
        payments=(paid(shop, external_id, total),),
        total_amount=total,
        shipping_method=CARRIER[shop.code],
    )


def paid(shop: Shop, external_id: str, total: Decimal, refunded: Decimal = ZERO) -> NeutralPayment:
    """The channel's word that an order was paid, and what of it was given back."""
    provider = {"web": "stripe", "japan": "shopify"}.get(shop.code, shop.code)
    return NeutralPayment(
        provider, external_id, PaymentStatus.CAPTURED, total, total, refunded, owner=shop.owner
    )


def units_a_week() -> dict[str, int]:
    """About how many units of each SKU that is no kit these shops sell in a week, those in kits included."""
    sold = {
        code: LINES_A_WEEK * weight / sum(_WEIGHTS) for code, weight in zip(_CODES, _WEIGHTS, strict=True)
    }
    for kit in KITS:
        for code, units, _weight in kit.parts:
            sold[code] += sold[kit.code] * units
    kits = {kit.code for kit in KITS}
    return {code: math.ceil(units * UNITS_A_LINE) for code, units in sold.items() if code not in kits}


def two_places() -> tuple[str, str]:
    """SKUs that no one location has both of."""
    return ONLY_HERE, ONLY_THERE


def worth(line: NeutralLine) -> Decimal:
    return (line.subtotal_amount or ZERO) - sum((share.amount for share in line.discounts), ZERO)


def _pick(rng: random.Random) -> Sequence[str]:
    return list(dict.fromkeys(rng.choices(_CODES, _WEIGHTS, k=rng.choice((1, 1, 1, 2, 2, 3, 4)))))


def _line(rng: random.Random, shop: Shop, position: int, code: str) -> NeutralLine:
    title, euros = PRICES[code]
    price, quantity = shop.price(euros), rng.choice((1, 1, 1, 1, 2, 2, 3))
    subtotal = price * quantity
    is_off = not shop.is_marketplace and rng.random() < 0.15
    off = round_money(subtotal / 10, shop.currency) if is_off else ZERO
    line = NeutralLine(
        external_id=str(position),
        sku_code=code,
        title=title,
        quantity=quantity,
        unit_amount=price,
        subtotal_amount=subtotal,
        discounts=(NeutralDiscount(off, code="CASA10"),) if off else (),
    )
    return replace(line, taxes=_tax(shop, worth(line)))


def _tax(shop: Shop, gross: Decimal) -> tuple[NeutralTax, ...]:
    if shop.tax is None:  # exported: no tax of ours
        return ()
    title, rate = shop.tax
    return (NeutralTax(title, round_money(gross * rate / (100 + rate), shop.currency), rate, shop.owner),)
