"""The demo's month, lived through the verbs: each day's orders are taken in, worked and shipped by the clock."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from channels.services.intake import Body, take_in
from config.demo.catalogue import PLACES, SCARCE
from config.demo.generator import DAYS, RETURNS, Fate, Story, stories
from config.demo.master import ACTOR, Business, prepare
from config.demo.warehouse import bring_back, deliver, ship
from config.kernel import clock, outbox
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from fulfillment.services.releasing import release_orders
from inventory.services.receiving import Receipt, receive_stock
from orders.enums import HoldKind
from orders.models import Order
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from orders.services.raw import RawEntry, store_raw_orders

Say = Callable[[str], None]
_WENT_ON = {
    Fate.CONFIRMED,
    Fate.ALLOCATED,
    Fate.RELEASED,
    Fate.SHIPPED,
    Fate.DELIVERED,
    Fate.CANCELLED_LATE,
    *RETURNS,
}
_RESERVED = _WENT_ON - {Fate.CONFIRMED}
_RELEASED = _RESERVED - {Fate.ALLOCATED}
_SHIPPED = _RELEASED - {Fate.RELEASED, Fate.CANCELLED_LATE}


def load(say: Say) -> str:
    """Load the sample business into an empty database; says what is there. A second call changes nothing."""
    if Order.objects.filter(sales_channel__code__in=("web", "amazon", "ebay")).exists():
        return f"{Order.objects.count()} orders are there already"
    now = clock.now()
    told = stories(now)
    with clock.frozen(now - timedelta(days=DAYS + 1)):
        business = prepare()
        _receive(business, random.Random(7), "opening")  # noqa: S311  (a repeatable sample, no secret)
    ids: dict[str, int] = {}
    for age in range(DAYS, -1, -1):
        _live_a_day(business, told, ids, age, now)
        if age % 10 == 0:
            say(f"{len(ids)} orders, {age} days to go" if age else f"{len(ids)} orders")
    _trouble_at_the_door(business)
    return f"{len(ids)} orders, {len(business.sku_ids)} SKUs, {len(PLACES)} locations"


def _live_a_day(
    business: Business, told: Sequence[Story], ids: dict[str, int], age: int, now: datetime
) -> None:
    today = now - timedelta(days=age)
    with clock.frozen(today - timedelta(hours=8)):
        if age and age % 7 == 0:
            _receive(business, random.Random(age), f"week-{age}")  # noqa: S311
    with clock.frozen(today - timedelta(hours=4)):
        fresh = [story for story in told if story.age == age]
        ids |= _take_in(business, fresh)
        _hold(fresh, ids)
        _run(confirm_orders, _ids(fresh, ids, _WENT_ON))
        _run(allocate_orders, _ids(fresh, ids, _RESERVED | {Fate.HELD_UNPAID, Fate.HELD_CANCEL}))
        _run(cancel_orders, _ids(fresh, ids, {Fate.CANCELLED}), reason="Changed their mind")
        outbox.deliver_due("work")
        outbox.deliver_due("mail")
    with clock.frozen(today - timedelta(hours=2)):
        _run(release_orders, _ids(_aged(told, age, 0), ids, _RELEASED))
        _run(cancel_orders, _ids(_aged(told, age, 1), ids, {Fate.CANCELLED_LATE}), reason="Ordered twice")
        ship(_ids(_aged(told, age, 1), ids, _SHIPPED), ACTOR)
        deliver(_ids(_aged(told, age, 3), ids, {Fate.DELIVERED, *RETURNS}), ACTOR)
        returning = [story for story in _aged(told, age, 5) if story.fate in RETURNS]
        bring_back({ids[story.order.external_id]: story.fate for story in returning}, business, ACTOR)
        outbox.deliver_due("work")
        outbox.deliver_due("mail")


def _aged(told: Sequence[Story], age: int, days: int) -> list[Story]:
    """Stories that were placed `days` before the day of this age."""
    return [story for story in told if story.age == age + days]


def _ids(told: Sequence[Story], ids: dict[str, int], fates: set[Fate]) -> list[int]:
    return [ids[story.order.external_id] for story in told if story.fate in fates]


def _run(verb: Callable[..., object], ids: Sequence[int], **facts: object) -> None:
    """Run a verb; refusals are part of the sample (what is on hold or waits is not shipped)."""
    if ids:
        in_batches(verb, ids, actor=ACTOR, **facts)  # type: ignore[arg-type]


def _take_in(business: Business, told: Sequence[Story]) -> dict[str, int]:
    taken: dict[str, int] = {}
    for channel, channel_id in business.channel_ids.items():
        mine = [story for story in told if story.channel == channel]
        if not mine:
            continue
        entries = [RawEntry(s.order.external_id, "demo", s.order.external_id, _body(s)) for s in mine]
        raw = store_raw_orders(entries, sales_channel_id=channel_id)
        incoming = [Incoming(story.order, raw_id=raw.values[story.order.external_id]) for story in mine]
        results = accept_orders(
            incoming, sales_channel_id=channel_id, actor=Actor.channel(channel_id, channel)
        )
        results.raise_refusals()
        taken |= results.values
    return taken


def _body(story: Story) -> str:
    return json.dumps(asdict(story.order), default=str, ensure_ascii=False, sort_keys=True)


def _hold(fresh: Sequence[Story], ids: dict[str, int]) -> None:
    by_staff = _ids(fresh, ids, {Fate.HELD_BY_STAFF})
    if by_staff:
        place_hold(by_staff, kind=HoldKind.MANUAL, reason="Call the buyer about the colour.", actor=ACTOR)
    wants_out = _ids(fresh, ids, {Fate.HELD_CANCEL})
    if wants_out:
        place_hold(
            wants_out, kind=HoldKind.CANCEL_REQUESTED, reason="Found it cheaper elsewhere.", actor=ACTOR
        )


def _receive(business: Business, rng: random.Random, key: str) -> None:
    opening = key == "opening"
    receipts = []
    for place_number, place in enumerate(PLACES):
        for code, sku_id in business.sku_ids.items():
            if code in business.kit_codes or (place_number and rng.random() < 0.4 * place_number):
                continue
            if code in SCARCE:
                quantity = 18 if opening and place_number == 0 else 0
            else:
                quantity = (
                    rng.randint(25, 70) // (place_number + 1) if opening else rng.choice((0, 0, 0, 6, 12))
                )
            if quantity:
                source = f"demo:{key}:{place.code}:{code}"
                receipts.append(Receipt(source, sku_id, business.location_ids[place.code], quantity))
    for number, start in enumerate(range(0, len(receipts), 200)):
        chunk = receipts[start : start + 200]
        receive_stock(chunk, reference=("demo_delivery", number + 1), actor=ACTOR).raise_refusals()


def _trouble_at_the_door(business: Business) -> None:
    """A body that nobody can read: it is kept, with what is wrong with it."""
    broken = Body("4711", '{"id": 4711, "status": "processing"')
    channel_id = business.channel_ids["web"]
    take_in([broken], sales_channel_id=channel_id, door="webhook", actor=Actor.channel(channel_id, "web"))
