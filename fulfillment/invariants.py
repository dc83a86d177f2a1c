"""Invariants of this room as queries (`manage.py audit`)."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Event
from fulfillment.enums import LIVE_FULFILLMENT, FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import (
    FulfillmentOrder,
    FulfillmentOrderLine,
    Parcel,
    ParcelLine,
    Shipment,
    TrackingEvent,
)
from fulfillment.selectors.work import ORDER_LINE_PART
from fulfillment.states import FULFILLMENT_ORDER
from fulfillment.subscribers import CALL_BACK, CALLED_OFF
from inventory.enums import MovementKind, ReservationState
from inventory.models import Reservation, StockMovement
from orders.enums import CLOSED_ORDER, ActionKind, OrderStatus, ProposalStatus
from orders.models import Hold, LinePart, Order, ProposalAction
from orders.services.importing.revising import RESTORED
from orders.states import CONFIRM_CHANGE, PROPOSAL

SHOWN = 50
OWED = (DeliveryState.DUE, DeliveryState.IN_FLIGHT, DeliveryState.FAILED)


def _total(rows: QuerySet, group: str, column: str = "quantity") -> Coalesce:
    """A subquery's sum of `column` by `group`, 0 without rows."""
    sums = rows.order_by().values(group).annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


def _being_called_back() -> QuerySet:
    """Orders whose cancellation this room has yet to hear of."""
    rows = Delivery.objects.filter(subscriber=CALL_BACK, state__in=OWED, fact__kind__in=CALLED_OFF)
    return rows.values("fact__subject_id")


@invariant("parcels.shipped", _("Units in parcels equal what reservations gave, and are counted as shipped"))
def parcels_equal_shipped() -> Iterator[Violation]:
    """More may be counted than we sent: history, and what a channel says had left before we knew the order."""
    sent = ParcelLine.objects.filter(line_part=OuterRef("pk")).exclude(parcel__status=ParcelStatus.VOIDED)
    used = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id=OuterRef("pk"), state=ReservationState.CONSUMED
    )
    parts = LinePart.objects.annotate(sent=_total(sent, "line_part"), used=_total(used, "reference_id"))
    for part in parts.exclude(sent=F("used"), shipped__gte=F("sent"))[:SHOWN]:
        yield Violation(
            f"line_part:{part.pk}",
            f"{part.sent} in parcels, {part.used} left by reservations, {part.shipped} counted as shipped",
        )


@invariant("parcels.delivered", _("What was shipped and is in no parcel on its way counts as delivered"))
def what_is_not_under_way_is_delivered() -> Iterator[Violation]:
    """So do history and what had left before we knew the order, which no parcel of ours will tell of."""
    there = (ParcelStatus.DELIVERED, ParcelStatus.VOIDED)
    under_way = ParcelLine.objects.filter(line_part=OuterRef("pk")).exclude(parcel__status__in=there)
    parts = LinePart.objects.filter(shipped__gt=0).annotate(under_way=_total(under_way, "line_part"))
    for part in parts.exclude(shipped=F("delivered") + F("under_way"))[:SHOWN]:
        units = (
            f"{part.shipped} shipped, {part.delivered} delivered, {part.under_way} in parcels on their way"
        )
        yield Violation(f"line_part:{part.pk}", units)


@invariant("parcels.same_order", _("A parcel, its shipment and its lines belong to one order"))
def parcel_of_one_order() -> Iterator[Violation]:
    strangers = ParcelLine.objects.exclude(parcel__order=F("line_part__line__order"))
    for line in strangers.select_related("parcel")[:SHOWN]:
        yield Violation(f"parcel:{line.parcel_id}", f"holds line part {line.line_part_id} of another order")
    torn = Parcel.objects.exclude(
        order=F("shipment__order"), shipment__order=F("shipment__fulfillment_order__order")
    )
    for parcel in torn[:SHOWN]:
        yield Violation(f"parcel:{parcel.pk}", "parcel, shipment and fulfillment order name different orders")


@invariant("parcels.tracking", _("A tracking number is unique per carrier among live parcels"))
def tracking_unique() -> Iterator[Violation]:
    live = Parcel.objects.exclude(status=ParcelStatus.VOIDED).order_by()
    pairs = live.values(name=Lower("carrier"), number=F("tracking_number")).annotate(parcels=Count("pk"))
    for pair in pairs.filter(parcels__gt=1)[:SHOWN]:
        yield Violation(f"{pair['name']} {pair['number']}", f"on {pair['parcels']} parcels")


@invariant("parcels.story", _("A delivered parcel has a time, and a statement that says so"))
def delivered_was_stated() -> Iterator[Violation]:
    untimed = Parcel.objects.filter(
        Q(status=ParcelStatus.DELIVERED, delivered_at=None)
        | ~Q(status=ParcelStatus.DELIVERED) & Q(delivered_at__isnull=False)
    )
    for parcel in untimed[:SHOWN]:
        yield Violation(f"parcel:{parcel.pk}", f"{parcel.status}, delivered at {parcel.delivered_at}")
    stated = TrackingEvent.objects.filter(status=ParcelStatus.DELIVERED).values("parcel")
    for parcel in Parcel.objects.filter(status=ParcelStatus.DELIVERED).exclude(pk__in=stated)[:SHOWN]:
        yield Violation(f"parcel:{parcel.pk}", "delivered, and nobody said so")


@invariant("work.reserved", _("Live fulfillment orders ask for no more than is reserved for them"))
def work_within_reservations() -> Iterator[Violation]:
    reserved = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART,
        reference_id=OuterRef("line_part"),
        level__location=OuterRef("fulfillment_order__location"),
        state=ReservationState.OPEN,
    )
    asked = (
        FulfillmentOrderLine.objects.filter(fulfillment_order__status__in=LIVE_FULFILLMENT)
        .exclude(fulfillment_order__order__in=_being_called_back())
        .order_by()
        .values("line_part", "fulfillment_order__location")
        .annotate(asked=Sum("quantity"), reserved=_total(reserved, "reference_id"))
    )
    for row in asked.filter(asked__gt=F("reserved"))[:SHOWN]:
        yield Violation(
            f"line_part:{row['line_part']}",
            f"{row['asked']} asked of location {row['fulfillment_order__location']}, {row['reserved']} reserved",
        )


@invariant(
    "work.called_back", _("No closed order has live warehouse work, once its cancellation was heard of")
)
def closed_order_has_no_work() -> Iterator[Violation]:
    left = FulfillmentOrder.objects.filter(status__in=LIVE_FULFILLMENT, order__status__in=CLOSED_ORDER)
    for work in left.exclude(order__in=_being_called_back()).select_related("order")[:SHOWN]:
        yield Violation(f"fulfillment_order:{work.pk}", f"{work.status}, its order is {work.order.status}")


@invariant("work.asked", _("An order counts the units that live work asks for of it"))
def asked_is_counted() -> Iterator[Violation]:
    rows = FulfillmentOrderLine.objects.filter(fulfillment_order__status__in=LIVE_FULFILLMENT).order_by()
    units = rows.values_list("fulfillment_order__order").annotate(units=Sum("quantity"))
    asked: dict[int, int] = dict(units.iterator())
    stored = Order.objects.filter(asked_quantity__gt=0).values_list("pk", "asked_quantity")
    wrong = {pk: (counted, asked.pop(pk, 0)) for pk, counted in stored.iterator()}
    wrong = {pk: pair for pk, pair in wrong.items() if pair[0] != pair[1]} | {
        pk: (0, found) for pk, found in asked.items()
    }
    for pk, (counted, found) in sorted(wrong.items())[:SHOWN]:
        yield Violation(f"order:{pk}", f"{counted} counted, live work asks for {found}")


@invariant("work.ledger", _("What a shipped fulfillment order asked left in its parcels and by the ledger"))
def shipped_work_left_by_ledger() -> Iterator[Violation]:
    asked = FulfillmentOrderLine.objects.filter(fulfillment_order=OuterRef("pk"))
    packed = ParcelLine.objects.filter(parcel__shipment__fulfillment_order=OuterRef("pk")).exclude(
        parcel__status=ParcelStatus.VOIDED
    )
    moved = StockMovement.objects.filter(
        reference_kind="fulfillment_order", reference_id=OuterRef("pk"), kind=MovementKind.SHIP
    )
    work = FulfillmentOrder.objects.annotate(
        asked=_total(asked, "fulfillment_order"),
        packed=_total(packed, "parcel__shipment__fulfillment_order"),
        moved=_total(moved, "reference_id", "delta"),
    )
    shipped = Q(status=FulfillmentOrderStatus.SHIPPED)
    wrong = (shipped & ~Q(asked=F("packed"), moved=-F("packed"))) | (~shipped & ~Q(packed=0, moved=0))
    for one in work.filter(wrong)[:SHOWN]:
        yield Violation(
            f"fulfillment_order:{one.pk}",
            f"{one.status}: {one.asked} asked, {one.packed} in parcels, {one.moved} in the ledger",
        )
    yield from _other_goods()


def _other_goods() -> Iterator[Violation]:
    """The sums of the work may agree where its goods do not: other SKUs left, or from another location."""
    same = FulfillmentOrderLine.objects.filter(
        fulfillment_order=OuterRef("fulfillment_order"), line_part__sku=OuterRef("line_part__sku")
    )
    moved = StockMovement.objects.filter(
        reference_kind="fulfillment_order",
        reference_id=OuterRef("fulfillment_order"),
        level__sku=OuterRef("line_part__sku"),
        level__location=OuterRef("fulfillment_order__location"),
        kind=MovementKind.SHIP,
    )
    lines = FulfillmentOrderLine.objects.filter(fulfillment_order__status=FulfillmentOrderStatus.SHIPPED)
    lines = lines.annotate(
        asked=_total(same, "fulfillment_order"), moved=_total(moved, "reference_id", "delta")
    )
    for line in lines.exclude(asked=-F("moved")).order_by("pk")[:SHOWN]:
        yield Violation(
            f"fulfillment_order:{line.fulfillment_order_id}",
            f"{line.asked} asked of line part {line.line_part_id}'s SKU, {line.moved} in the ledger",
        )
    own = FulfillmentOrderLine.objects.filter(
        fulfillment_order=OuterRef("reference_id"),
        fulfillment_order__location=OuterRef("level__location"),
        line_part__sku=OuterRef("level__sku"),
    )
    every = StockMovement.objects.filter(reference_kind="fulfillment_order")
    for row in every.exclude(Exists(own), kind=MovementKind.SHIP).order_by("pk")[:SHOWN]:
        yield Violation(
            f"stock_movement:{row.pk}",
            f"{row.kind} {row.delta:+d} at level {row.level_id}, of which fulfillment order {row.reference_id}"
            " asked nothing",
        )


@invariant("work.address", _("Goods went to the address that was released"))
def shipped_work_has_address() -> Iterator[Violation]:
    """It was the order's own until they had left: another one came later, or the work was called back for it.

    What came first is told by the numbers of events, which are written under the order's lock; its moments are of
    the clocks of several processes.
    """
    shipped = FulfillmentOrder.objects.filter(status=FulfillmentOrderStatus.SHIPPED)
    for pk in shipped.filter(ship_to=None).order_by("pk").values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"fulfillment_order:{pk}", "shipped to no address")
    for pk in islice(_elsewhere(shipped), SHOWN):
        yield Violation(f"fulfillment_order:{pk}", "shipped to an address that is not its order's")
    for pk in islice(_past_a_change(shipped), SHOWN):
        yield Violation(f"fulfillment_order:{pk}", "shipped to the address from before a change")


def _event(status: FulfillmentOrderStatus) -> Subquery:
    """The number of the event by which a fulfillment order came to a status, None without one."""
    own = Event.objects.filter(
        subject_type=FULFILLMENT_ORDER.name, subject_id=OuterRef("pk"), to_status=status
    )
    return Subquery(own.order_by("-pk").values("pk")[:1])


def _elsewhere(shipped: QuerySet[FulfillmentOrder]) -> Iterator[int]:
    """Work that went to another address than its order has, and the order got none after it had left."""
    named = ProposalAction.objects.filter(proposal=OuterRef("subject_id"), kind=ActionKind.ADDRESS)
    changed = Q(Exists(named), subject_type=PROPOSAL.name, kind=CONFIRM_CHANGE.name)
    restored = Q(subject_type="order", kind=RESTORED)
    news = Event.objects.filter(changed | restored, thread_type="order", thread_id=OuterRef("order"))
    another = shipped.exclude(ship_to=F("order__ship_to")).filter(ship_to__isnull=False).order_by("pk")
    rows = another.annotate(
        sent=_event(FulfillmentOrderStatus.SHIPPED), last=Subquery(news.order_by("-pk").values("pk")[:1])
    )
    for pk, sent, last in rows.values_list("pk", "sent", "last").iterator():
        if sent is None or last is None or last < sent:
            yield pk


def _past_a_change(shipped: QuerySet[FulfillmentOrder]) -> Iterator[int]:
    """Work of which the order got another address between its release and its shipping; two statements."""
    confirmed = Event.objects.filter(
        subject_type=PROPOSAL.name, subject_id=OuterRef("proposal"), kind=CONFIRM_CHANGE.name
    )
    actions = ProposalAction.objects.filter(
        kind=ActionKind.ADDRESS, proposal__status=ProposalStatus.CONFIRMED
    )
    told = actions.annotate(told=Subquery(confirmed.order_by("-pk").values("pk")[:1]))
    # Of several in one change the last one counts.
    last = {
        proposal: (order, event, payload["address"])
        for proposal, order, event, payload in told.order_by("proposal", "position").values_list(
            "proposal", "proposal__order", "told", "payload"
        )
        if event is not None
    }
    changes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for order, event, address in last.values():
        changes[order].append((event, address))
    work = shipped.filter(order__in=actions.values("proposal__order")).order_by("pk")
    rows = work.annotate(
        released=_event(FulfillmentOrderStatus.RELEASED), sent=_event(FulfillmentOrderStatus.SHIPPED)
    )
    for pk, order, ship_to, released, sent in rows.values_list(
        "pk", "order", "ship_to", "released", "sent"
    ).iterator():
        others = (event for event, address in changes[order] if address != ship_to)
        if released and sent and any(released < event < sent for event in others):
            yield pk


@invariant(
    "work.stopped", _("Nothing left while its order was held, and nothing of a cancelled order at all")
)
def nothing_left_while_stopped() -> Iterator[Violation]:
    holds = Hold.objects.filter(order=OuterRef("order"), opened_at__lt=OuterRef("shipped_at"))
    standing = holds.filter(Q(lifted_at=None) | Q(lifted_at__gt=OuterRef("shipped_at")))
    stopped = Q(order__status__in=[OrderStatus.CANCELLED, OrderStatus.VOID]) | Exists(standing)
    for shipment in Shipment.objects.filter(stopped)[:SHOWN]:
        yield Violation(
            f"shipment:{shipment.pk}", f"left while order {shipment.order_id} was held or cancelled"
        )
