"""What must hold of parts and their reservations."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.models import Event
from inventory.enums import LIVE_RESERVATION, ReservationState
from inventory.models import Reservation, Sku
from orders.axes import derive_fulfillment, derive_payment
from orders.enums import CLOSED_ORDER, FulfillmentStatus, OrderStatus
from orders.models import AllocationDecision, LinePart, Order
from orders.planner import Reason
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.unpaid import orders_that_gave_back
from orders.services.axes import part_states, payment_states
from orders.states import REOPEN

SHOWN = 50
CHUNK = 2_000
ZEROS = (0, 0)


def chunks(rows: Iterable[Order]) -> Iterator[list[Order]]:
    chunk: list[Order] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def live_units() -> dict[int, tuple[int, int]]:
    """Open and waiting units of every part that has any."""
    rows = (
        Reservation.objects.filter(reference_kind=ORDER_LINE_PART, state__in=LIVE_RESERVATION)
        .values_list("reference_id", "state")
        .annotate(units=Sum("quantity"))
    )
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for part_id, state, units in rows.iterator(CHUNK):
        found[part_id][state == ReservationState.WAITING] += units
    return {part_id: (held, waiting) for part_id, (held, waiting) in found.items()}


@invariant(
    "orders.counters", _("Parts count no more than is there: delivered, returned, shipped, packed, ordered")
)
def counters_within_each_other() -> Iterator[Violation]:
    wrong = LinePart.objects.filter(
        Q(delivered__gt=F("shipped"))
        | Q(returned__gt=F("shipped"))
        | Q(ordered__lt=F("packed") + F("shipped") + F("cancelled"))
        | Q(ordered__lt=F("allocated") + F("shipped") + F("cancelled"))
        | ~Q(ordered=F("line__quantity") * F("per_unit"))
    )
    for part in wrong[:SHOWN]:
        yield Violation(f"line part:{part.pk}", f"{part.ordered} ordered, {part.shipped} shipped, ...")


@invariant("orders.allocated", _("Allocated units of a part are its open reservations"))
def allocated_is_reserved() -> Iterator[Violation]:
    live = live_units()
    seen: set[int] = set()
    shown = 0
    for part_id, allocated in _parts("pk", "allocated"):
        held = live.get(part_id, ZEROS)[0]
        seen.add(part_id)
        if allocated != held and shown < SHOWN:
            shown += 1
            yield Violation(f"line part:{part_id}", f"{allocated} allocated, {held} in open reservations")
    for part_id in sorted(set(live) - seen)[:SHOWN]:
        yield Violation(f"line part:{part_id}", "is reserved for and does not exist")


@invariant("orders.decided", _("A decided part is reserved, waiting, shipped or cancelled to the last unit"))
def decided_to_the_last_unit() -> Iterator[Violation]:
    live = live_units()
    decided = set(AllocationDecision.objects.values_list("order_id", flat=True).distinct())
    open_parts: list[tuple[int, int, int]] = []
    shown = 0
    kits = set(Sku.objects.filter(is_kit=True).values_list("pk", flat=True))
    columns = ("pk", "line__order_id", "sku_id", "line__requires_shipping", "ordered", "shipped", "cancelled")
    for part_id, order_id, sku_id, is_goods, ordered, shipped, cancelled in _parts(*columns):
        rest = ordered - shipped - cancelled - sum(live.get(part_id, ZEROS))
        if rest < 0 and shown < SHOWN:
            shown += 1
            yield Violation(f"line part:{part_id}", f"{-rest} units more are claimed than ordered")
        # A SKU that became a kit after it was ordered cannot be promised any more.
        if rest > 0 and is_goods and sku_id and sku_id not in kits and order_id in decided:
            open_parts.append((part_id, order_id, rest))
    yield from _forgotten(open_parts, live)


def _parts(*columns: str) -> Iterator[Sequence[int]]:
    return LinePart.objects.order_by("pk").values_list(*columns).iterator(CHUNK)


def _forgotten(
    open_parts: Sequence[tuple[int, int, int]], live: Mapping[int, tuple[int, int]]
) -> Iterator[Violation]:
    """Of parts with undecided units those that a decision names: they were decided and lost units.

    Units of an expired reservation may be undecided again, and with them what was added to them while nobody pays.
    """
    expired = dict(
        Reservation.objects.filter(
            reference_kind=ORDER_LINE_PART, state=ReservationState.EXPIRED,
            reference_id__in=[part_id for part_id, _order, _rest in open_parts],
        )
        .values_list("reference_id")
        .annotate(units=Sum("quantity"))
    )  # fmt: skip
    unpaid = orders_that_gave_back({order_id for _part, order_id, _rest in open_parts})
    open_parts = [
        (part_id, order_id, rest)
        for part_id, order_id, rest in open_parts
        if rest > expired.get(part_id, 0)
        and (order_id not in unpaid or part_id not in expired or part_id in live)
    ]
    named: set[int] = set()
    for decision in AllocationDecision.objects.filter(
        order__in={order_id for _p, order_id, _r in open_parts}
    ):
        waiting = [row for row in decision.waiting if row["reason"] != Reason.UNKNOWN_SKU]
        named.update(row["part"] for row in (*decision.chosen, *waiting))
    for part_id, _order_id, rest in [one for one in open_parts if one[0] in named][:SHOWN]:
        yield Violation(f"line part:{part_id}", f"{rest} units are neither reserved nor waiting")


@invariant("orders.claims", _("A live reservation of an order is of an open order's part and of its SKU"))
def claims_belong_to_open_orders() -> Iterator[Violation]:
    live = Reservation.objects.filter(reference_kind=ORDER_LINE_PART, state__in=LIVE_RESERVATION)
    parts = LinePart.objects.filter(pk__in=live.values("reference_id"))
    for part in parts.filter(Q(line__order__status__in=CLOSED_ORDER) | Q(line__order__is_history=True))[
        :SHOWN
    ]:
        yield Violation(f"line part:{part.pk}", "has live reservations though its order is closed")
    sku_of = dict(parts.values_list("pk", "sku_id"))
    rows = live.values_list("pk", "reference_id", "sku_id").iterator(CHUNK)
    wrong = [pk for pk, part_id, sku_id in rows if sku_of.get(part_id) != sku_id]
    for pk in wrong[:SHOWN]:
        yield Violation(f"reservation:{pk}", "is of another SKU than its part")


@invariant("orders.promises", _("What is kept for an order is promised for the order's day"))
def claims_keep_the_promise() -> Iterator[Violation]:
    """The day ends at another hour in each zone, and the legal entity's may have been changed since."""
    live = Reservation.objects.filter(reference_kind=ORDER_LINE_PART, state__in=LIVE_RESERVATION)
    days = LinePart.objects.filter(pk__in=live.values("reference_id"))
    day_of = dict(days.values_list("pk", "line__order__dispatch_by_on"))
    wrong = (
        (pk, promised, day_of.get(part_id))
        for pk, part_id, promised in live.values_list("pk", "reference_id", "promised_at").iterator(CHUNK)
        if not _is_end_of(promised, day_of.get(part_id))
    )
    for pk, promised, day in islice(wrong, SHOWN):
        yield Violation(f"reservation:{pk}", f"promised for {promised}, its order for {day}")


def _is_end_of(moment: datetime | None, day: date | None) -> bool:
    if moment is None or day is None:
        return moment is day is None
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    return noon - timedelta(hours=3) < moment < noon + timedelta(hours=25)


@invariant(
    "orders.ended",
    _("An order of which all has arrived is completed, and none is cancelled of which part left"),
)
def ended_orders_are_over() -> Iterator[Violation]:
    """A delivered order that was reopened waits for a person; the other open ones are completed by themselves."""
    left = (FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED)
    reopened = Event.objects.filter(subject_type="order", subject_id=OuterRef("pk"), kind=REOPEN.name)
    forgotten = Q(status=OrderStatus.PLACED, fulfillment_status__in=left) | Q(
        ~Exists(reopened), status=OrderStatus.CONFIRMED, fulfillment_status=FulfillmentStatus.DELIVERED
    )
    wrong = Q(status=OrderStatus.CANCELLED) & ~Q(fulfillment_status=FulfillmentStatus.NOTHING_TO_SHIP)
    rows = Order.objects.filter(forgotten | wrong).order_by("pk")
    for pk, status, goods in rows.values_list("pk", "status", "fulfillment_status")[:SHOWN]:
        yield Violation(f"order:{pk}", f"{status}, of its goods: {goods}")


@invariant(
    "orders.axes", _("Fulfillment, payment, reserved and undecided units follow from parts and payments")
)
def axes_follow() -> Iterator[Violation]:
    columns = (
        *("pk", "fulfillment_status", "payment_status", "allocated_quantity", "undecided_quantity"),
        *("total_sent_amount", "total_computed_amount", "changed_amount", "cancelled_amount"),
    )
    shown = 0
    for orders in chunks(Order.objects.order_by("pk").only(*columns).iterator(CHUNK)):
        parts, payments = part_states(orders), payment_states(orders)
        for order in orders:
            mine = parts.get(order.pk, ())
            goods = derive_fulfillment(mine)
            money = derive_payment(order.owed_amount, payments.get(order.pk, ()))
            allocated, undecided = (
                sum(getattr(part, name) for part in mine) for name in ("allocated", "undecided")
            )
            stored = (order.fulfillment_status, order.payment_status)
            counted = (order.allocated_quantity, order.undecided_quantity)
            if (*stored, *counted) != (goods, money, allocated, undecided) and shown < SHOWN:
                shown += 1
                said = "/".join(map(str, (*stored, *counted)))
                derived = f"{goods}/{money}/{allocated}/{undecided}"
                yield Violation(f"order:{order.pk}", f"stored {said}, derived {derived}")
