"""Pairs and crowds that meet at the same row: each thing happens once, whoever wins."""

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from channels.services.intake import Body, take_in
from config.kernel import outbox
from config.kernel.audit import run_audit
from config.kernel.batches import batch_transaction, in_batches
from config.kernel.idempotency import begin, finish
from config.prove.bodies import body_of
from config.prove.crew import Crew
from config.prove.database import deadlocks
from config.prove.figures import Figures
from config.prove.rivalry import Call, at_once
from config.prove.shop import ACTOR, Shop, paid_order
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand
from inventory.enums import ReservationState
from inventory.models import Reservation, StockLevel
from inventory.services.correcting import Adjustment, adjust_stock
from inventory.services.receiving import Receipt, receive_stock
from orders.enums import PaymentStatus
from orders.models import Order, Payment
from orders.neutral import NeutralPayment
from orders.services.accepting import Incoming, accept_orders
from orders.services.allocating import allocate_orders
from orders.services.backorders import fill_backorders
from orders.services.cancelling import cancel_orders
from orders.services.confirming import confirm_orders
from orders.services.payments import PaymentReport, report_payments

RIVALS = 8
# Of the checks of a race that fail so many are told in full.
SHOWN = 10


@dataclass(slots=True)
class Track:
    """Where one race is run: the shop, the rivals, the dice, and the figures it adds to."""

    shop: Shop
    crew: Crew
    dice: random.Random
    figures: Figures
    round: int = 0

    def number(self) -> int:
        return next(self.shop.numbers)


def opposite_lines(track: Track) -> None:
    """Batches of six-line orders, half of them upwards, half downwards."""
    shop = track.shop
    skus = shop.new_skus(6)
    shop.receive(dict.fromkeys(skus.values(), 10))
    codes = sorted(skus)
    wishes = [[(code, 1) for code in (codes if number % 2 else codes[::-1])] for number in range(RIVALS * 3)]
    orders = shop.place_orders(wishes)
    track.dice.shuffle(orders)
    calls: list[Call] = [
        (allocate_orders, orders[place::RIVALS], {"actor": ACTOR}) for place in range(RIVALS)
    ]
    answers = at_once(track.crew, calls)
    track.figures.must_be(_at(track, "answers"), dict(answers), {"done": RIVALS})
    for sku in skus.values():
        track.figures.must_be(_at(track, f"sku {sku} promised"), promised(sku), 10)


def double_ship(track: Track) -> None:
    """The same work shipped by eight, each with another tracking number."""
    (work,) = released(track, 1)
    calls: list[Call] = [
        (ship_by_hand, [HandShipment(work.pk, "GLS", f"TN{track.number():07}")], {"actor": ACTOR})
        for _rival in range(RIVALS)
    ]
    answers = at_once(track.crew, calls)
    track.figures.must_be(_at(track, "answers"), dict(answers), {"done": 1, "AlreadyShipped": RIVALS - 1})
    parcels = Parcel.objects.filter(order_id=work.order_id).count()
    track.figures.must_be(_at(track, "parcels"), parcels, 1)


def cancel_and_ship(track: Track) -> None:
    """Four orders are shipped and cancelled at the same moment."""
    work = released(track, RIVALS // 2)
    calls: list[Call] = []
    for one in work:
        shipment = HandShipment(one.pk, "GLS", f"TN{track.number():07}")
        calls.append((ship_by_hand, [shipment], {"actor": ACTOR}))
        calls.append((cancel_orders, [one.order_id], {"reason": "changed their mind", "actor": ACTOR}))
    answers = at_once(track.crew, calls)
    orders = Order.objects.filter(pk__in=[one.order_id for one in work])
    shipped = set(Parcel.objects.filter(order__in=orders).values_list("order_id", flat=True))
    cancelled = set(orders.filter(cancelled_at__isnull=False).values_list("pk", flat=True))
    track.figures.must_be(_at(track, "both"), len(shipped & cancelled), 0)
    track.figures.must_be(_at(track, "either"), len(shipped | cancelled), len(work))
    track.figures.must_be(_at(track, "done"), answers["done"], len(work))


def same_order(track: Track) -> None:
    """One order of the shop comes in by four doors that know it and four that read its body."""
    ((code, _sku),) = track.shop.new_skus(1).items()
    key = str(10_000_000 + track.number())
    channel = {"sales_channel_id": track.shop.channel_id, "actor": ACTOR}
    known: Call = (accept_orders, [Incoming(paid_order(key, [(code, 1)]))], channel)
    read: Call = (take_in, [Body(key, body_of(key, code))], {**channel, "door": "webhook"})
    answers = at_once(track.crew, [known, read] * (RIVALS // 2))
    track.figures.must_be(_at(track, "orders"), Order.objects.filter(external_id=key).count(), 1)
    track.figures.must_be(_at(track, "answers"), set(answers) <= {"done", "unchanged"}, True)
    # Nobody, where one reads the body that another one has stored, and both find its order known.
    track.figures.must_be(_at(track, "accepted by one"), answers["done"] <= 1, True)


def same_key(track: Track) -> None:
    """Seven requests under one idempotency key, and an eighth that means something else."""
    ((_code, sku),) = track.shop.new_skus(1).items()
    key, place = f"key-{track.number()}", track.shop.locations[0].pk
    calls: list[Call] = [(receive_once, key, {"sku": sku, "place": place, "units": 5})] * (RIVALS - 1)
    answers = at_once(track.crew, [*calls, (receive_once, key, {"sku": sku, "place": place, "units": 6})])
    on_hand = StockLevel.objects.get(sku=sku).on_hand
    good = {"executed": 1, "replayed": RIVALS - 2, "KeyReused": 1}
    other = {"executed": 1, "KeyReused": RIVALS - 1}
    track.figures.must_be(_at(track, "answers"), dict(answers) in (good, other), True)
    track.figures.must_be(_at(track, "units"), on_hand, 5 if dict(answers) == good else 6)


def receive_once(key: str, *, sku: int, place: int, units: int) -> str:
    """A request that must have one effect; each attempt would post under a source key of its own."""
    request = {"sku": sku, "units": units}
    with batch_transaction():
        if begin("proof", key, request) is not None:
            return "replayed"
        posted = Receipt(f"{key}:{id(request)}:{units}", sku, place, units)
        receive_stock([posted], reference=("proof", 1), actor=ACTOR).raise_refusals()
        finish("proof", key, {"units": units})
    return "executed"


def payment_pairs(track: Track) -> None:
    """Two refunds of 60 of a captured 100, the second as the provider's sum, each told four times; and 110."""
    ((code, _sku),) = track.shop.new_skus(1).items()
    (order,) = track.shop.place_orders([[(code, 10)]])
    (payment,) = Payment.objects.filter(order=order)
    told = [_refund(payment, amount) for amount in ("60", "100", "60", "100", "60", "100", "110", "160")]
    calls: list[Call] = [(report_payments, [PaymentReport(order, (one,))], {"actor": ACTOR}) for one in told]
    answers = at_once(track.crew, calls)
    payment.refresh_from_db()
    track.figures.must_be(_at(track, "refunded"), payment.refunded_amount, Decimal(100))
    track.figures.must_be(_at(track, "beyond captured refused"), answers["InvalidInput"], 2)
    track.figures.must_be(_at(track, "counted"), answers["done"] in (1, 2), True)


def _refund(payment: Payment, amount: str) -> NeutralPayment:
    return NeutralPayment(
        provider=payment.provider,
        external_id=payment.external_id,
        status=PaymentStatus.CAPTURED,
        authorised_amount=payment.authorised_amount,
        captured_amount=payment.captured_amount,
        refunded_amount=Decimal(amount),
    )


def fill_and_allocate(track: Track) -> None:
    """Units come free for those in line, while others walk in."""
    ((code, sku),) = track.shop.new_skus(1).items()
    waiting = track.shop.place_orders([[(code, 1)]] * 6)
    in_batches(allocate_orders, waiting, actor=ACTOR).raise_refusals()
    track.shop.receive({sku: 8})
    fresh = track.shop.place_orders([[(code, 1)]] * 6)
    fill: Call = (fill_backorders, [sku], {"actor": ACTOR})
    calls: list[Call] = [(allocate_orders, [pk], {"actor": ACTOR}) for pk in fresh]
    answers = at_once(track.crew, [fill, *calls, fill])
    fill_backorders([sku], actor=ACTOR).raise_refusals()
    first = Reservation.objects.filter(
        reference_id__in=_parts(waiting), state=ReservationState.OPEN
    ).aggregate(units=Sum("quantity"))["units"]
    track.figures.must_be(_at(track, "answers"), set(answers) <= {"done", "unchanged"}, True)
    track.figures.must_be(_at(track, "first in line served"), first, 6)
    track.figures.must_be(_at(track, "promised"), promised(sku), 8)


def loss_and_allocate(track: Track) -> None:
    """Units turn out missing while they are being promised."""
    ((code, sku),) = track.shop.new_skus(1).items()
    track.shop.receive({sku: 10})
    orders = track.shop.place_orders([[(code, 2)]] * 6)
    place = track.shop.locations[0].pk
    loss: list[Call] = [
        (adjust_stock, [Adjustment(f"loss:{track.number()}", sku, place, -3)], _REASON) for _n in range(2)
    ]
    calls: list[Call] = [(allocate_orders, [pk], {"actor": ACTOR}) for pk in orders]
    answers = at_once(track.crew, [loss[0], *calls, loss[1]])
    outbox.deliver_due("work")
    level = StockLevel.objects.get(sku=sku, location=place)
    track.figures.must_be(_at(track, "answers"), dict(answers), {"done": RIVALS})
    track.figures.must_be(_at(track, "on hand and reserved"), (level.on_hand, level.reserved), (4, 4))


_REASON = {"reason": "not on the shelf", "actor": ACTOR}


def first_units(track: Track) -> None:
    """Nobody has stocked it: four order two each, while its first two units come to each of two places."""
    ((code, sku),) = track.shop.new_skus(1).items()
    orders = track.shop.place_orders([[(code, 2)]] * 4)
    calls: list[Call] = [(allocate_orders, [pk], {"actor": ACTOR}) for pk in orders]
    for place in track.shop.locations[:2]:
        receipt = Receipt(f"first:{track.number()}", sku, place.pk, 2)
        calls.append((receive_stock, [receipt], {"reference": ("proof", 1), "actor": ACTOR}))
        calls.append((fill_backorders, [sku], {"actor": ACTOR}))
    track.dice.shuffle(calls)
    answers = at_once(track.crew, calls)
    fill_backorders([sku], actor=ACTOR)
    track.figures.must_be(_at(track, "answers"), set(answers) <= {"done", "unchanged"}, True)
    track.figures.must_be(_at(track, "promised"), promised(sku), 4)
    (overtaken,) = run_audit(["stock.queue"])
    track.figures.must_be(_at(track, "overtaken"), len(overtaken.violations), 0)


RACES: dict[str, Callable[[Track], None]] = {
    "opposite line order": opposite_lines,
    "double ship": double_ship,
    "cancel against ship": cancel_and_ship,
    "same external order by two doors": same_order,
    "same idempotency key": same_key,
    "refund reports": payment_pairs,
    "fill against allocate": fill_and_allocate,
    "loss against allocate": loss_and_allocate,
    "first units against allocate": first_units,
}
# These rest on row locks. The others are decided by a unique key, or by the status that the statement asks for.
LOCKED = frozenset(RACES) - {
    "same external order by two doors",
    "same idempotency key",
    "cancel against ship",
}


def prove(shop: Shop, rounds: int, seed: int, *, is_control: bool = False) -> Iterator[Figures]:
    """Run each race so many times; with `is_control` those that rest on row locks, without any."""
    names = sorted(LOCKED) if is_control else list(RACES)
    with Crew(RIVALS, is_control=is_control) as crew:
        for name in names:
            race = RACES[name]
            figures, before = Figures(f"race, {name}"), deadlocks()
            track = Track(shop, crew, random.Random(f"{seed} {name}"), figures)
            for track.round in range(rounds):
                race(track)
            checks, figures.rows = len(figures.rows), []
            failed = len(figures.broken)
            figures.broken = figures.broken[:SHOWN]
            figures.show("rounds", f"{rounds} of {RIVALS} rivals")
            figures.show("checks", checks)
            figures.must_be("failed", failed, 0)
            figures.must_be("deadlocks", deadlocks() - before, 0)
            outbox.deliver_due("work", rounds=1_000)
            yield figures


def unnoticed(broken: Collection[str]) -> list[str]:
    """The races of a control that no broken sentence tells of."""
    told = [name for name in LOCKED if any(one.startswith(f"race, {name}: failed is") for one in broken)]
    return sorted(LOCKED.difference(told))


def released(track: Track, count: int) -> list[FulfillmentOrder]:
    """So many orders of two units, asked of the warehouse."""
    ((code, sku),) = track.shop.new_skus(1).items()
    track.shop.receive({sku: 2 * count})
    orders = track.shop.place_orders([[(code, 2)]] * count)
    for verb in (confirm_orders, allocate_orders, release_orders):
        verb(orders, actor=ACTOR).raise_refusals()
    return list(FulfillmentOrder.objects.filter(order__in=orders).order_by("pk"))


def promised(sku: int) -> int:
    rows = Reservation.objects.filter(sku=sku, state=ReservationState.OPEN)
    return rows.aggregate(units=Sum("quantity"))["units"] or 0


def _parts(order_ids: list[int]) -> list[int]:
    return list(Order.objects.filter(pk__in=order_ids).values_list("lines__parts__pk", flat=True))


def _at(track: Track, label: str) -> str:
    return f"round {track.round}, {label}"
