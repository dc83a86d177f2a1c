"""Orders from outside: kept as they came, read by the channel's adapter, accepted. One bad body spoils no other."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db import OperationalError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.adapters import ADAPTERS, read_order
from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH, in_batches
from config.kernel.errors import BancaleError, NotFound, TooMany
from config.kernel.languages import joined
from config.kernel.results import Results
from orders.enums import UNCLEAR_PAYMENT, ChannelKind, HoldKind, NeutralState
from orders.errors import OrderClosed
from orders.models import Order, RawOrder, SalesChannel
from orders.neutral import NeutralOrder
from orders.services.accepting import Incoming, accept_orders
from orders.services.filling import Details, fill_details
from orders.services.holds import place_hold
from orders.services.payments import PaymentReport, report_payments
from orders.services.raw import (
    RawEntry,
    name_raw_orders,
    record_problems,
    settle_raw_orders,
    store_raw_orders,
)

log = logging.getLogger(__name__)

# Younger ones are still in the hands of the door that stored them.
LEFT_ALONE = timedelta(minutes=2)
READER = Actor.system("intake")


class Unreadable(BancaleError):
    """A defect of an adapter: its name is all that is safe to show."""

    code = "unreadable"
    message = _("The body could not be read (%(error)s).")


class NewsRefused(BancaleError):
    """What a later body says of an order that we have could not be taken. `facts`: `order` (pk), `number`, `why`."""

    code = "news_refused"
    message = _("Order %(number)s is here; what this says of it was refused: %(why)s")


@dataclass(frozen=True, slots=True)
class Body:
    """One order's body and the caller's own name for it."""

    key: str
    text: str


def take_in(bodies: Sequence[Body], *, sales_channel_id: int, door: str, actor: Actor) -> Results[str]:
    """Keep bodies, then read and accept them; the value of each key is the order's pk.

    At most 200. Everything is stored before anything is read. `unchanged`: the same body, or its order, is
    known. `door` is a short word ("file", "webhook"). See `read_raw_orders` for what is refused.
    """
    channel = SalesChannel.objects.filter(pk=sales_channel_id).first()
    if channel is None:
        raise NotFound()
    results: Results[str] = Results(body.key for body in bodies)
    entries = [RawEntry(body.key, f"{door}:{channel.kind}", "", body.text) for body in bodies]
    stored = store_raw_orders(entries, sales_channel_id=channel.pk)
    read = read_raw_orders(list(dict.fromkeys(stored.values.values())), actor=actor)
    for key in results.keys:
        raw_id = stored.values.get(key)
        if raw_id is None:
            results.refuse(key, stored.refusals[key])
        elif raw_id in read.refusals:
            results.refuse(key, read.refusals[raw_id])
        elif read.is_done(raw_id) and stored.is_done(key):
            results.done(key, read.values[raw_id])
        else:
            results.unchanged(key, read.values[raw_id])
    return results


def read_raw_orders(raw_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Read kept bodies with their channel's adapter and accept them; the value of each is the order's pk.

    At most 200 ids; also for another try after a problem was put right. A settled one is `unchanged`. Where the
    order is known already, what it lacked is filled in and its payments are brought up to what the body reports;
    one that the channel has cancelled meanwhile is held for a person, unless it is over, and so is one of whose
    payments it says what cannot be.

    Refuses what cannot be read (`PayloadError`, `NoAdapter`, `Unreadable`) or accepted (see `accept_orders`), and
    what says something of a known order that cannot be (`NewsRefused`); the reason then stands on the raw order,
    which stays open. `NotFound`. Raises `NotAllowed`.
    """
    results: Results[int] = Results(raw_ids)
    if len(results.keys) > MAX_BATCH:
        raise TooMany(limit=MAX_BATCH, count=len(results.keys))
    rows = RawOrder.objects.select_related("sales_channel").in_bulk(results.keys)
    read: dict[int, NeutralOrder] = {}
    for pk in results.keys:
        row = rows.get(pk)
        if row is None:
            results.refuse(pk, NotFound())
        elif row.settled_at is not None and row.order_id is not None:
            results.unchanged(pk, row.order_id)
        else:
            try:
                read[pk] = _read(row)
            except BancaleError as error:
                results.refuse(pk, error)
    record_problems({pk: error for pk, error in results.refusals.items() if pk in rows})
    name_raw_orders({pk: order.external_id for pk, order in read.items()})
    _accept(read, rows, results, actor)
    return results


def _read(row: RawOrder) -> NeutralOrder:
    # The source says which format the body had when it came, whatever the channel has become since.
    stated = row.source.rpartition(":")[2]
    kind = ChannelKind(stated if stated in ChannelKind.values else row.sales_channel.kind)
    try:
        return read_order(kind, row.body)
    except BancaleError:
        raise
    except Exception as error:
        log.exception("raw order %s cannot be read", row.pk)
        raise Unreadable(error=type(error).__name__) from error


def _accept(
    read: Mapping[int, NeutralOrder], rows: Mapping[int, RawOrder], results: Results[int], actor: Actor
) -> None:
    by_channel: dict[int, list[int]] = defaultdict(list)
    for pk in read:
        by_channel[rows[pk].sales_channel_id].append(pk)
    for channel_id, pks in by_channel.items():
        incoming = [Incoming(read[pk]) for pk in pks]
        accepted = accept_orders(incoming, sales_channel_id=channel_id, actor=actor)
        known: dict[int, int] = {}  # of several bodies of one order the last speaks
        taken: set[str] = set()
        for pk in pks:
            key = read[pk].external_id
            if key in accepted.refusals:
                results.refuse(pk, accepted.refusals[key])
            elif accepted.is_done(key) and key not in taken:
                results.done(pk, accepted.values[key])
            else:
                known[accepted.values[key]] = pk
            taken.add(key)
        told = {order_id: read[pk] for order_id, pk in known.items()}
        refused = _tell_known(told, Actor.channel(channel_id, rows[pks[0]].sales_channel.name))
        for pk in pks:
            if pk in results.refusals or results.is_done(pk):
                continue
            order_id = accepted.values[read[pk].external_id]
            if order_id in refused and known[order_id] == pk:
                results.refuse(pk, refused[order_id])
            else:
                results.unchanged(pk, order_id)
    record_problems({pk: results.refusals[pk] for pk in read if pk in results.refusals})
    # Last: cut off before here, a body is read again, and its payments and its cancellation are not lost.
    settle_raw_orders({pk: results.values[pk] for pk in read if pk in results.values})


def _tell_known(known: Mapping[int, NeutralOrder], actor: Actor) -> dict[int, NewsRefused]:
    """What a later body says of an order that we have: what was not stated before, its payments, and that it was
    cancelled out there. Returns what could not be taken, by order."""
    details = [Details(pk, order) for pk, order in known.items()]
    reports = [PaymentReport(pk, order.payments) for pk, order in known.items()]
    cancelled = [pk for pk, order in known.items() if order.state == NeutralState.CANCELLED]
    facts = {"cause": "cancelled_by_channel"}
    # Details come last: whoever lacks nothing after them is confirmed by itself, unless it is held by then.
    told = [
        in_batches(place_hold, cancelled, kind=HoldKind.CANCEL_REQUESTED, facts=facts, actor=actor),
        payments := in_batches(report_payments, reports, actor=actor),
        _hold_unclear(payments, actor),
        in_batches(fill_details, details, actor=actor),
    ]
    refused: dict[int, list[BancaleError]] = defaultdict(list)
    for results in told:
        for pk, error in results.refusals.items():
            # Of an order that is over nothing is left to hold.
            if not isinstance(error, OrderClosed):
                refused[pk].append(error)
    numbers = dict(Order.objects.filter(pk__in=refused).values_list("pk", "number")) if refused else {}
    return {
        pk: NewsRefused(order=pk, number=numbers.get(pk, pk), why=joined(errors, " "))
        for pk, errors in refused.items()
    }


def _hold_unclear(payments: Results[int], actor: Actor) -> Results[int]:
    """Hold the orders of whose payments something was refused: nothing of them leaves until a person has looked."""
    unclear = [pk for pk, error in payments.refusals.items() if not isinstance(error, NotFound)]
    facts = {"cause": UNCLEAR_PAYMENT}
    return in_batches(
        place_hold, unclear, kind=HoldKind.MANUAL, reason="payment unclear", facts=facts, actor=actor
    )


def sweep_raw_orders() -> int:
    """Read what a door stored and never got to read, because it died in between; returns how many."""
    # Those that no adapter reads are left out before the batch is full: they stay, and would be its head for ever.
    is_readable = reduce(or_, (Q(source=kind) | Q(source__endswith=f":{kind}") for kind in ADAPTERS))
    rows = RawOrder.objects.filter(
        is_readable, settled_at=None, problem="", order=None, received_at__lt=clock.now() - LEFT_ALONE
    )
    left = list(rows.order_by("pk").values_list("pk", flat=True)[:MAX_BATCH])
    try:
        read_raw_orders(left, actor=READER)
    except Exception:
        log.exception("%d raw orders could not be read together", len(left))
        for pk in left:
            _read_alone(pk)
    return len(left)


def _read_alone(raw_id: int) -> None:
    """Read one body; one that breaks whatever reads it waits for a person, out of the others' way."""
    try:
        read_raw_orders([raw_id], actor=READER)
    except OperationalError:
        log.exception("raw order %s is left for the next sweep", raw_id)
    except Exception as error:
        log.exception("raw order %s cannot be read", raw_id)
        record_problems({raw_id: Unreadable(error=type(error).__name__)})
