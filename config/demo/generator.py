"""The demo's two months: every order with its channel, its day and its fate, made from a seed. Pure."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from config.demo.making import SHOPS, make_order, two_places
from orders.enums import PaymentStatus
from orders.neutral import NeutralOrder

DAYS = 60
COUNT = 2000
_SUNDAY = 6


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
    CANCELLED_IN_PART = "cancelled_in_part"
    PART_SHIPPED = "part_shipped"
    AUTHORISED = "authorised"
    CARRIER_TROUBLE = "carrier_trouble"
    CARRIER_RETURNED = "carrier_returned"
    CARRIER_LOST = "carrier_lost"
    RETURN_REQUESTED = "return_requested"
    RETURN_REJECTED = "return_rejected"
    RETURN_CANCELLED = "return_cancelled"
    RETURN_APPROVED = "return_approved"
    RETURN_EXPIRED = "return_expired"
    RETURN_IN_TRANSIT = "return_in_transit"
    RETURN_RECEIVED = "return_received"
    RETURN_INSPECTED = "return_inspected"
    RETURN_RESTOCKED = "return_restocked"
    RETURN_SCRAPPED = "return_scrapped"
    HELD_TOTALS = "held_totals"
    HELD_ADDRESS = "held_address"
    HELD_SKU = "held_sku"
    HELD_UNPAID = "held_unpaid"
    HELD_DETAILS = "held_details"
    HELD_DUPLICATE = "held_duplicate"
    HELD_FRAUD = "held_fraud"
    HELD_BY_STAFF = "held_by_staff"
    HELD_CANCEL = "held_cancel"


RETURNS = tuple(fate for fate in Fate if fate.startswith("return"))
HELD = tuple(fate for fate in Fate if fate.startswith("held"))
CARRIERS_FAULT = (Fate.CARRIER_TROUBLE, Fate.CARRIER_RETURNED, Fate.CARRIER_LOST)
# By the days that an order has had: fates and how often each comes.
_OLD = {
    Fate.DELIVERED: 900,
    Fate.CANCELLED: 45,
    Fate.CANCELLED_LATE: 15,
    Fate.CANCELLED_IN_PART: 15,
    **dict.fromkeys(CARRIERS_FAULT, 5),
    **dict.fromkeys(RETURNS, 7),
}
_RECENT = {
    Fate.SHIPPED: 60,
    Fate.RELEASED: 12,
    Fate.ALLOCATED: 6,
    Fate.CANCELLED: 4,
    Fate.PART_SHIPPED: 3,
    Fate.AUTHORISED: 2,
    Fate.CARRIER_TROUBLE: 2,
}
_FRESH = {
    Fate.PLACED: 22,
    Fate.CONFIRMED: 10,
    Fate.ALLOCATED: 34,
    Fate.RELEASED: 24,
    Fate.AUTHORISED: 4,
}
RECENT_DAYS = 4


@dataclass(frozen=True, slots=True)
class Story:
    """An order, the channel that sends it, its age in days at the end of the demo's months, and its fate."""

    channel: str
    order: NeutralOrder
    age: int
    fate: Fate


def stories(now: datetime, *, count: int = COUNT, seed: int = 20) -> list[Story]:
    """`count` orders over the sixty days that end at `now`, oldest first; the same seed tells the same months.

    Business grows by the week and rests on Sundays.
    """
    rng = random.Random(seed)  # noqa: S311  (a repeatable sample, no secret)
    days = range(DAYS + 1)
    pull = [
        (1.6 - age / DAYS) * (0.5 if (now - timedelta(days=age)).weekday() == _SUNDAY else 1) for age in days
    ]
    ages = sorted(rng.choices(days, pull, k=count), reverse=True)
    told: list[Story] = []
    troubles = _troubles(ages)
    for number, age in enumerate(ages):
        placed = now - timedelta(days=age, hours=5 + rng.random() * 12)
        told.append(_story(rng, number, age, placed, told, troubles.get(number)))
    return told


def fresh_orders(rng: random.Random, placed_at: datetime, prefix: str) -> Iterator[Story]:
    """Endless new orders for the trickle."""
    number = 0
    while True:
        number += 1
        shop = SHOPS[_channel(rng)]
        yield Story(
            shop.code, make_order(rng, f"{shop.prefix}-{prefix}-{number}", shop, placed_at), 0, Fate.PLACED
        )


def _troubles(ages: Sequence[int]) -> Mapping[int, Fate]:
    """Each kind of trouble befalls a few of the last orders, so that every queue has something in it."""
    recent = [number for number, age in enumerate(ages) if age <= 2]
    wanted = [fate for fate in HELD for _time in range(3)]
    step = max(1, len(recent) // len(wanted))
    return dict(zip(recent[::step], wanted, strict=False))


def _channel(rng: random.Random) -> str:
    return rng.choices(list(SHOPS), [shop.weight for shop in SHOPS.values()])[0]


def _story(
    rng: random.Random, number: int, age: int, placed: datetime, before: Sequence[Story], trouble: Fate | None
) -> Story:
    table = _FRESH if age == 0 else _RECENT if age <= RECENT_DAYS else _OLD
    fate = trouble or rng.choices(list(table), list(table.values()))[0]
    code = "amazon" if fate == Fate.HELD_DETAILS else _channel(rng)
    if fate in (Fate.AUTHORISED, Fate.HELD_UNPAID, Fate.HELD_FRAUD):
        code = "web"
    shop = SHOPS[code]
    codes = two_places() if fate == Fate.PART_SHIPPED else ()
    order = make_order(rng, f"{shop.prefix}-{7000 + number}", shop, placed, codes)
    if fate == Fate.HELD_DUPLICATE:
        for story in reversed(before):
            is_told = story.order.buyer.email != ""  # without an e-mail nobody can tell a twin
            if story.age == age and is_told and story.fate not in HELD:
                twin = replace(story.order, external_id=f"{order.external_id}-B", number=order.number)
                return Story(story.channel, twin, age, fate)
        fate = Fate.PLACED
    return Story(code, _troubled(order, fate), age, fate)


def _troubled(order: NeutralOrder, fate: Fate) -> NeutralOrder:
    if fate == Fate.HELD_TOTALS and order.total_amount is not None:
        return replace(order, total_amount=order.total_amount + 1)
    if fate == Fate.HELD_ADDRESS and order.ship_to is not None:
        return replace(order, ship_to=replace(order.ship_to, line1="", city=""))
    if fate == Fate.HELD_SKU:
        first = replace(order.lines[0], sku_code="OLD-2019", title="Moka pot, 2019 edition")
        return replace(order, lines=(first, *order.lines[1:]))
    if fate == Fate.HELD_UNPAID:
        return replace(order, payments=())
    if fate == Fate.HELD_BY_STAFF:
        paid = order.payments[0]
        more = replace(
            paid, authorised_amount=paid.authorised_amount + 10, captured_amount=paid.captured_amount + 10
        )
        return replace(order, payments=(more,))
    if fate == Fate.AUTHORISED:
        waiting = replace(order.payments[0], status=PaymentStatus.AUTHORISED, captured_amount=Decimal(0))
        return replace(order, payments=(waiting,))
    return _without_details(order) if fate == Fate.HELD_DETAILS else order


def _without_details(order: NeutralOrder) -> NeutralOrder:
    """As a marketplace tells of an order whose payment it still checks: no price, no address."""
    lines = tuple(
        replace(line, unit_amount=None, subtotal_amount=None, discounts=(), taxes=()) for line in order.lines
    )
    return replace(order, lines=lines, ship_to=None, bill_to=None, charges=(), payments=(), total_amount=None)
