"""The demo's two months, lived through the verbs: each day's orders are taken in, worked and shipped by the clock."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from channels.services.intake import Body, take_in
from config.demo.catalogue import PLACES
from config.demo.generator import CARRIERS_FAULT, COUNT, DAYS, RETURNS, Fate, Story, stories
from config.demo.making import SHOPS
from config.demo.master import ACTOR, Business, prepare
from config.demo.stockroom import Stockroom
from config.demo.warehouse import ask_back, give_back, ship, take_back, tell
from config.kernel import clock, idempotency, outbox
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.models import IdempotencyKey
from fulfillment.enums import ParcelStatus
from fulfillment.services.releasing import release_orders
from orders.enums import HoldKind
from orders.models import Order, OrderLine, SalesChannel
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold
from orders.services.noting import add_note, set_tags
from orders.services.raw import RawEntry, store_raw_orders

Say = Callable[[str], None]
# Written last: a sample without it was stopped halfway.
LOADED = ("demo", "sample")
_DELIVERED = {Fate.DELIVERED, Fate.CANCELLED_IN_PART, *RETURNS}
_SHIPPED = {*_DELIVERED, *CARRIERS_FAULT, Fate.SHIPPED}
_RELEASED = {*_SHIPPED, Fate.RELEASED, Fate.CANCELLED_LATE, Fate.PART_SHIPPED}
_RESERVED = {*_RELEASED, Fate.ALLOCATED, Fate.AUTHORISED}
_CONFIRMED = {*_RESERVED, Fate.CONFIRMED}
_RESERVED_UNCONFIRMED = {Fate.HELD_UNPAID, Fate.HELD_CANCEL, Fate.HELD_SKU, Fate.HELD_FRAUD}
_REFUNDED = {Fate.CANCELLED, Fate.CANCELLED_LATE, Fate.RETURN_RESTOCKED, Fate.RETURN_SCRAPPED}
_HOLDS = (
    (Fate.HELD_BY_STAFF, HoldKind.MANUAL, "Paid ten too much: ask the buyer what it is for."),
    (Fate.HELD_CANCEL, HoldKind.CANCEL_REQUESTED, "Found it cheaper elsewhere."),
    (Fate.HELD_FRAUD, HoldKind.FRAUD, "Three cards were tried."),
)
# For one day a sender address has a line break in it, pasted along; its mails of that day are given up.
MISTYPED, MISTYPED_AT = "ordini@\nexample.com", "japan"


@dataclass(slots=True)
class _Months:
    """Everything that was told, by day, and the orders that came of it by the channel's number."""

    business: Business
    told: dict[int, list[Story]]
    ids: dict[str, int] = field(default_factory=dict)

    @property
    def day_of_trouble(self) -> int:
        """The last day but the present one on which the shop with the mistyped address had mails to send."""
        days = [
            age
            for age in self.told
            if age and any(one.channel == MISTYPED_AT for one in self.chosen(age, _CONFIRMED))
        ]
        return min(days, default=0)

    def chosen(self, age: int, fates: Collection[Fate]) -> list[Story]:
        """Stories of these fates that were placed when the demo's last day was `age` days away."""
        return [story for story in self.told.get(age, ()) if story.fate in fates]

    def orders(self, age: int, fates: Collection[Fate]) -> list[int]:
        return [self.ids[story.order.external_id] for story in self.chosen(age, fates)]

    def by_order(self, age: int, fates: Collection[Fate]) -> dict[int, Story]:
        return {self.ids[story.order.external_id]: story for story in self.chosen(age, fates)}


def load(say: Say, *, count: int = COUNT) -> str:
    """Load the sample business into an empty database; says what is there. A second call changes nothing."""
    if Order.objects.filter(sales_channel__code__in=list(SHOPS)).exists():
        said = f"{Order.objects.count()} orders are there already"
        is_whole = IdempotencyKey.objects.filter(scope=LOADED[0], key=LOADED[1]).exists()
        return said if is_whole else f"{said}, but not all: “manage.py demo --reset” starts over"
    now = clock.now()
    told: dict[int, list[Story]] = defaultdict(list)
    for story in stories(now, count=count):
        told[story.age].append(story)
    with _written_lazily():
        with clock.frozen(now - timedelta(days=DAYS + 1)):
            months = _Months(prepare(), told)
            stockroom = Stockroom(months.business, random.Random(7))  # noqa: S311  (a repeatable sample)
            stockroom.open_shop()
        for age in range(DAYS, -1, -1):
            _live_a_day(months, stockroom, age, now)
            if age % 10 == 0:
                say(f"{len(months.ids)} orders, {age} days to go" if age else f"{len(months.ids)} orders")
        with clock.frozen(now - timedelta(hours=1)):
            stockroom.leave_open()
            _write_on_orders(months)
            _trouble_at_the_door(months.business)
            outbox.deliver_due("work")
            _send_mails(until_given_up=False)
    with transaction.atomic():
        idempotency.begin(*LOADED, {"count": count})
        idempotency.finish(*LOADED, {"orders": len(months.ids)})
    return f"{len(months.ids)} orders, {len(months.business.sku_ids)} SKUs, {len(PLACES)} locations"


@contextmanager
def _written_lazily() -> Iterator[None]:
    """On SQLite, do not wait for the disk after each of some thousand commits; a power cut may lose the last ones."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")


def _live_a_day(months: _Months, stockroom: Stockroom, age: int, now: datetime) -> None:
    today = now - timedelta(days=age)
    with clock.frozen(today - timedelta(hours=8)):
        stockroom.work(age)
    in_trouble = age == months.day_of_trouble
    with clock.frozen(today - timedelta(hours=4)), _sender(MISTYPED if in_trouble else ""):
        months.ids |= _take_in(months.business, months.told.get(age, ()))
        _hold(months, age)
        _run(confirm_orders, months.orders(age, _CONFIRMED))
        _run(allocate_orders, months.orders(age, _RESERVED | _RESERVED_UNCONFIRMED))
        _run(cancel_orders, months.orders(age, {Fate.CANCELLED}), reason="Changed their mind")
        _cancel_units(months.orders(age, {Fate.CANCELLED_IN_PART}))
        outbox.deliver_due("work")
        _send_mails(until_given_up=in_trouble)
    with clock.frozen(today - timedelta(hours=2)):
        _work(months, age)
        outbox.deliver_due("work")


def _work(months: _Months, age: int) -> None:
    """The afternoon: what came today is released, what came before goes out, arrives, and comes back."""
    _run(release_orders, months.orders(age, _RELEASED))
    _run(cancel_orders, months.orders(age + 1, {Fate.CANCELLED_LATE}), reason="Ordered twice")
    ship(months.orders(age + 1, _SHIPPED))
    ship(months.orders(age + 1, {Fate.PART_SHIPPED}), only_first=True)
    if age <= 3:
        tell(months.orders(age + 2, {Fate.SHIPPED}), ParcelStatus.IN_TRANSIT)
        tell(months.orders(age + 4, {Fate.SHIPPED}), ParcelStatus.OUT_FOR_DELIVERY)
    tell(months.orders(age + 3, _DELIVERED), ParcelStatus.DELIVERED)
    tell(months.orders(age + 3, {Fate.CARRIER_TROUBLE}), ParcelStatus.EXCEPTION)
    tell(months.orders(age + 5, {Fate.CARRIER_RETURNED}), ParcelStatus.RETURNED_TO_SENDER)
    tell(months.orders(age + 7, {Fate.CARRIER_LOST}), ParcelStatus.LOST)
    if asking := months.by_order(age + 8, RETURNS):
        ask_back({pk: story.fate for pk, story in asking.items()}, months.business)
    if coming := months.by_order(age + 13, RETURNS):
        take_back({pk: story.fate for pk, story in coming.items()})
    give_back(months.by_order(age + 14, _REFUNDED))


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
            incoming, sales_channel_id=channel_id, actor=Actor.channel(channel_id, SHOPS[channel].name)
        )
        results.raise_refusals()
        taken |= results.values
    return taken


def _body(story: Story) -> str:
    return json.dumps(asdict(story.order), default=str, ensure_ascii=False, sort_keys=True)


def _hold(months: _Months, age: int) -> None:
    for fate, kind, reason in _HOLDS:
        if ids := months.orders(age, {fate}):
            place_hold(ids, kind=kind, reason=reason, actor=ACTOR)


def _cancel_units(order_ids: Sequence[int]) -> None:
    """One unit of the first line of each order that has a second one."""
    lines = OrderLine.objects.filter(order__in=order_ids, position=1, quantity__gt=1)
    requests = [CancelUnits(line.order_id, {line.pk: 1}) for line in lines]
    if requests:
        in_batches(cancel_units, requests, reason="One is enough", actor=ACTOR)


@contextmanager
def _sender(address: str) -> Iterator[None]:
    """Let one shop send from this address inside the block; none leaves it alone."""
    shop = SalesChannel.objects.get(code=MISTYPED_AT)
    if address:
        SalesChannel.objects.filter(pk=shop.pk).update(sender_email=address)
    try:
        yield
    finally:
        if address:
            SalesChannel.objects.filter(pk=shop.pk).update(sender_email=shop.sender_email)


def _send_mails(*, until_given_up: bool) -> None:
    """Send what is due, once; or, on the day of trouble, until the outbox gives up.

    As many at a time as of any other work: these mails go into a folder.
    """
    outbox.deliver_due("mail", size=outbox.CLAIM_SIZE)
    for attempt in range(1, outbox.MAX_ATTEMPTS if until_given_up else 1):
        with clock.frozen(clock.now() + attempt * outbox.LONGEST_PAUSE):
            outbox.deliver_due("mail", size=outbox.CLAIM_SIZE)


def _write_on_orders(months: _Months) -> None:
    """What people note beside their work."""
    add_note(months.orders(1, {Fate.HELD_BY_STAFF}), text="Called twice, nobody picks up.", actor=ACTOR)
    add_note(months.orders(2, {Fate.CARRIER_TROUBLE}), text="Carrier asks for a floor number.", actor=ACTOR)
    set_tags(months.orders(0, {Fate.RELEASED})[:5], add=["gift"], actor=ACTOR)
    set_tags(months.orders(1, {Fate.SHIPPED})[:6], add=["new customer"], actor=ACTOR)


def _trouble_at_the_door(business: Business) -> None:
    """A body that nobody can read: it is kept, with what is wrong with it."""
    broken = Body("4711", '{"id": 4711, "status": "processing"')
    channel_id = business.channel_ids["web"]
    take_in(
        [broken],
        sales_channel_id=channel_id,
        door="webhook",
        actor=Actor.channel(channel_id, SHOPS["web"].name),
    )
