"""Orders of the demo business: made from a seed, as neutral orders with a fate each. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from config.demo.catalogue import KITS, products
from config.kernel.money import round_money
from orders.enums import ChargeKind, MoneyOwner, PaymentStatus
from orders.neutral import (
    NeutralAddress,
    NeutralBuyer,
    NeutralCharge,
    NeutralDiscount,
    NeutralLine,
    NeutralOrder,
    NeutralPayment,
    NeutralTax,
)

CURRENCY = "EUR"
VAT = Decimal(22)
DAYS = 30
CHANNELS = ("web", "amazon", "ebay")


class Fate(StrEnum):
    """How far an order gets, if it has the days for it; the last ones are trouble."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    ALLOCATED = "allocated"
    RELEASED = "released"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"
    RETURN_REQUESTED = "return_requested"
    RETURN_RECEIVED = "return_received"
    RETURN_RESTOCKED = "return_restocked"
    RETURN_SCRAPPED = "return_scrapped"
    HELD_TOTALS = "held_totals"
    HELD_ADDRESS = "held_address"
    HELD_SKU = "held_sku"
    HELD_UNPAID = "held_unpaid"
    HELD_DETAILS = "held_details"
    HELD_DUPLICATE = "held_duplicate"
    HELD_BY_STAFF = "held_by_staff"
    HELD_CANCEL = "held_cancel"


RETURNS = (Fate.RETURN_REQUESTED, Fate.RETURN_RECEIVED, Fate.RETURN_RESTOCKED, Fate.RETURN_SCRAPPED)
HELD = tuple(fate for fate in Fate if fate.startswith("held"))
_OLD = {
    Fate.DELIVERED: 74,
    Fate.SHIPPED: 6,
    Fate.CANCELLED: 5,
    Fate.CANCELLED_LATE: 2,
    **dict.fromkeys(RETURNS, 3),
}
_RECENT = {
    Fate.SHIPPED: 40,
    Fate.RELEASED: 25,
    Fate.ALLOCATED: 15,
    Fate.CANCELLED: 4,
    **dict.fromkeys(HELD, 2),
}
_FRESH = {
    Fate.PLACED: 30,
    Fate.CONFIRMED: 12,
    Fate.ALLOCATED: 30,
    Fate.RELEASED: 12,
    **dict.fromkeys(HELD, 2),
}

_PEOPLE = (
    ("Giulia Ferri", "it", "Via Garibaldi 12", "Torino", "TO", "10122", "IT"),
    ("Marco Conti", "it", "Corso Buenos Aires 41", "Milano", "MI", "20124", "IT"),
    ("Chiara De Luca", "it", "Via dei Mille 8", "Napoli", "NA", "80121", "IT"),
    ("Luca Moretti", "it", "Via Saragozza 77", "Bologna", "BO", "40123", "IT"),
    ("Sara Galli", "it", "Viale Trastevere 203", "Roma", "RM", "00153", "IT"),
    ("Paolo Rinaldi", "it", "Via San Lorenzo 5", "Genova", "GE", "16123", "IT"),
    ("Elena Costa", "it", "Via Roma 150", "Palermo", "PA", "90133", "IT"),
    ("Anna Schmidt", "de", "Lindenstraße 14", "Berlin", "", "10969", "DE"),
    ("Jürgen Weiß", "de", "Königsallee 3", "Düsseldorf", "", "40212", "DE"),
    ("Claire Martin", "fr", "12 rue de la Paix", "Lyon", "", "69002", "FR"),
    ("Emma Jansen", "nl", "Prinsengracht 88", "Amsterdam", "", "1015 DZ", "NL"),
    ("James Walker", "en", "5 Rose Street", "Edinburgh", "", "EH2 2PR", "GB"),
    ("Lucía Fernández", "es", "Calle Mayor 9", "Madrid", "", "28013", "ES"),
    ("Francesca Bruno", "it", "Piazza Duomo 2", "Firenze", "FI", "50122", "IT"),
    ("Davide Gatti", "it", "Via Zanardelli 31", "Brescia", "BS", "25121", "IT"),
)


@dataclass(frozen=True, slots=True)
class Story:
    """An order, the channel that sends it, its age in days at the end of the demo's month, and its fate."""

    channel: str
    order: NeutralOrder
    age: int
    fate: Fate


def stories(now: datetime, *, count: int = 300, seed: int = 20) -> list[Story]:
    """`count` orders over the thirty days that end at `now`, oldest first; the same seed tells the same month."""
    rng = random.Random(seed)  # noqa: S311  (a repeatable sample, no secret)
    ages = sorted((int(DAYS * rng.random() ** 2) for _ in range(count)), reverse=True)
    told: list[Story] = []
    for number, age in enumerate(ages):
        placed = now - timedelta(days=age, hours=8 + rng.random() * 3)
        told.append(_story(rng, number, age, placed, told))
    return told


def fresh_orders(rng: random.Random, placed_at: datetime, prefix: str) -> Iterator[Story]:
    """Endless new orders for the trickle."""
    number = 0
    while True:
        number += 1
        channel = rng.choice(CHANNELS)
        order = _order(rng, f"{prefix}-{number}", channel, placed_at, _lines(rng))
        yield Story(channel, order, 0, Fate.PLACED)


def _story(rng: random.Random, number: int, age: int, placed: datetime, before: Sequence[Story]) -> Story:
    table = _FRESH if age == 0 else _RECENT if age <= 3 else _OLD
    fate = rng.choices(list(table), list(table.values()))[0]
    recent = sum(story.age <= 1 for story in before)
    if age <= 1 and recent % 4 == 0 and recent // 4 < len(HELD):
        fate = HELD[recent // 4]  # each kind of trouble happens
    channel = "amazon" if fate == Fate.HELD_DETAILS else rng.choices(CHANNELS, (5, 3, 2))[0]
    order = _order(rng, f"{channel[:3].upper()}-{7000 + number}", channel, placed, _lines(rng))
    if fate == Fate.HELD_DUPLICATE:
        twin = next(
            (story for story in reversed(before) if story.age == age and story.fate not in HELD), None
        )
        if twin is None:
            fate = Fate.PLACED
        else:
            return Story(twin.channel, replace(twin.order, external_id=f"{order.external_id}-B"), age, fate)
    return Story(channel, _troubled(order, fate), age, fate)


def _troubled(order: NeutralOrder, fate: Fate) -> NeutralOrder:
    if fate == Fate.HELD_TOTALS and order.total_amount is not None:
        return replace(order, total_amount=order.total_amount + Decimal("0.40"))
    if fate == Fate.HELD_ADDRESS and order.ship_to is not None:
        return replace(order, ship_to=replace(order.ship_to, line1="", city=""))
    if fate == Fate.HELD_SKU:
        first = replace(order.lines[0], sku_code="OLD-2019", title="Moka pot, 2019 edition")
        return replace(order, lines=(first, *order.lines[1:]))
    if fate == Fate.HELD_UNPAID:
        return replace(order, payments=())
    if fate == Fate.HELD_DETAILS:
        lines = tuple(
            replace(line, unit_amount=None, subtotal_amount=None, discounts=(), taxes=())
            for line in order.lines
        )
        return replace(
            order, lines=lines, ship_to=None, bill_to=None, charges=(), payments=(), total_amount=None
        )
    return order


_PRICES = {product.code: (product.title, product.price) for product in products()} | {
    kit.code: (kit.title, kit.price) for kit in KITS
}


def _lines(rng: random.Random) -> tuple[NeutralLine, ...]:
    codes = list(_PRICES)
    weights = [
        6 if code.startswith("KIT") else 3 if code[:3] in ("MOK", "ARA", "CUP", "JUG") else 1
        for code in codes
    ]
    chosen = dict.fromkeys(rng.choices(codes, weights, k=rng.choice((1, 1, 2, 2, 3))))
    return tuple(_line(rng, position, code) for position, code in enumerate(chosen, start=1))


def _line(rng: random.Random, position: int, code: str) -> NeutralLine:
    title, price = _PRICES[code]
    quantity = rng.choice((1, 1, 1, 2, 3))
    subtotal = price * quantity
    off = round_money(subtotal * Decimal("0.10"), CURRENCY) if rng.random() < 0.15 else Decimal(0)
    return NeutralLine(
        external_id=str(position),
        sku_code=code,
        title=title,
        quantity=quantity,
        unit_amount=price,
        subtotal_amount=subtotal,
        discounts=(NeutralDiscount(off, code="CAFFE10"),) if off else (),
    )


def _order(
    rng: random.Random, external_id: str, channel: str, placed: datetime, lines: tuple[NeutralLine, ...]
) -> NeutralOrder:
    owner = MoneyOwner.MARKETPLACE if channel == "amazon" else MoneyOwner.SELLER
    lines = tuple(replace(line, taxes=(_vat(_worth(line), owner),)) for line in lines)
    goods = sum((_worth(line) for line in lines), Decimal(0))
    shipping = Decimal("0.00") if goods >= 60 else Decimal("5.90")
    charge = NeutralCharge(
        ChargeKind.SHIPPING, "standard", "Standard", shipping, taxes=(_vat(shipping, owner),)
    )
    total = goods + shipping
    name, language, street, city, region, postal_code, country = rng.choice(_PEOPLE)
    email = f"{name.split()[0].lower()}.{rng.randrange(40)}@example.com".encode("ascii", "ignore").decode()
    address = NeutralAddress(
        name=name,
        line1=street,
        city=city,
        region=region,
        postal_code=postal_code,
        country_code=country,
        email=email,
    )
    return NeutralOrder(
        external_id=external_id,
        number=external_id,
        placed_at=placed,
        currency=CURRENCY,
        prices_include_tax=True,
        lines=lines,
        buyer=NeutralBuyer(name=name, email=email, language=language),
        ship_to=address,
        bill_to=address,
        charges=(charge,),
        payments=(NeutralPayment(channel, external_id, PaymentStatus.CAPTURED, total, total, owner=owner),),
        total_amount=total,
        shipping_method="Standard",
    )


def _worth(line: NeutralLine) -> Decimal:
    return (line.subtotal_amount or Decimal(0)) - sum((share.amount for share in line.discounts), Decimal(0))


def _vat(gross: Decimal, owner: MoneyOwner) -> NeutralTax:
    return NeutralTax("IVA", round_money(gross * VAT / (100 + VAT), CURRENCY), VAT, owner)
