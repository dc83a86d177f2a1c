"""What must hold of keys, history, holds and mails."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Event, Fact
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation
from orders.enums import HoldKind, MailKind, OrderStatus, ProposalStatus
from orders.mail_kinds import SUBSCRIBERS
from orders.models import Address, Customer, Hold, LinePart, Notification, Order, OrderLine, Proposal
from orders.selectors.demand import ORDER_LINE_PART
from orders.services.merging import MOVE_MERGED

SHOWN = 50
CHUNK = 2_000


@invariant("orders.keys", _("A channel's key has one order, unless void"))
def one_order_a_key() -> Iterator[Violation]:
    keys = (
        Order.objects.exclude(status=OrderStatus.VOID)
        .order_by()
        .values_list("sales_channel_id", "external_id")
        .annotate(orders=Count("pk"))
        .filter(orders__gt=1)
    )
    for channel_id, external_id, orders in keys[:SHOWN]:
        yield Violation(f"sales channel:{channel_id}", f"{orders} orders with the key {external_id}")


@invariant(
    "orders.history", _("Orders imported as history reserve nothing, are not held, and nobody is told")
)
def history_is_over() -> Iterator[Violation]:
    claims = Reservation.objects.filter(reference_kind=ORDER_LINE_PART).values("reference_id")
    parts = LinePart.objects.filter(line__order__is_history=True, pk__in=claims)
    for order_id in parts.values_list("line__order_id", flat=True).distinct()[:SHOWN]:
        yield Violation(f"order:{order_id}", "history with a reservation")
    holds = Hold.objects.filter(order__is_history=True)
    for order_id in holds.order_by().values_list("order_id", flat=True).distinct()[:SHOWN]:
        yield Violation(f"order:{order_id}", "history with a hold")
    mails = Notification.objects.filter(order__is_history=True)
    for order_id in mails.order_by().values_list("order_id", flat=True).distinct()[:SHOWN]:
        yield Violation(f"order:{order_id}", "history with a mail")
    history = Order.objects.filter(is_history=True).values("pk")
    facts = Fact.objects.filter(
        kind__in=("order.accepted", "order.confirmed"), subject_type="order", subject_id__in=history
    )
    for fact in facts[:SHOWN]:
        yield Violation(f"order:{fact.subject_id}", f"history with the fact {fact.kind}")


@invariant("orders.ends", _("Only what is held for an unpaid order has an end"))
def ends_are_of_unpaid_orders() -> Iterator[Violation]:
    ends = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART,
        reference_id=OuterRef("pk"),
        state__in=LIVE_RESERVATION,
        expires_at__isnull=False,
    )
    unpaid = Hold.objects.filter(order=OuterRef("line__order"), kind=HoldKind.UNPAID, lifted_at=None)
    wrong = LinePart.objects.filter(Exists(ends)).exclude(Exists(unpaid))
    for order_id in wrong.order_by("line__order").values_list("line__order_id", flat=True).distinct()[:SHOWN]:
        yield Violation(f"order:{order_id}", "stock until a time, though the order is not unpaid")


@invariant("orders.holds", _("A cancelled or void order has no open hold"))
def called_off_is_not_held() -> Iterator[Violation]:
    closed = (OrderStatus.CANCELLED, OrderStatus.VOID)
    for hold in Hold.objects.filter(lifted_at=None, order__status__in=closed)[:SHOWN]:
        yield Violation(f"order:{hold.order_id}", f"closed with the hold {hold.kind}")


@invariant("orders.mails", _("Every confirmed order owes its buyer one mail: due, sent, or visibly not"))
def one_mail_an_order() -> Iterator[Violation]:
    owed = dict(
        Delivery.objects.filter(subscriber=SUBSCRIBERS[MailKind.CONFIRMATION])
        .order_by()
        .values_list("fact__subject_id")
        .annotate(deliveries=Count("pk"))
    )
    confirmed = Order.objects.filter(confirmed_at__isnull=False, is_history=False).order_by("pk")
    shown = 0
    for pk in confirmed.values_list("pk", flat=True).iterator(CHUNK):
        if owed.get(pk) != 1 and shown < SHOWN:
            shown += 1
            yield Violation(f"order:{pk}", f"{owed.get(pk, 0)} deliveries of its confirmation mail")


@invariant("orders.sent_mails", _("A mail that counts as delivered was sent"))
def delivered_mails_were_sent() -> Iterator[Violation]:
    for kind, subscriber in SUBSCRIBERS.items():
        sent = Notification.objects.filter(sent_at__isnull=False, kind=kind)
        delivered = Delivery.objects.filter(subscriber=subscriber, state=DeliveryState.DELIVERED)
        # The delivery of a second parcel counts by the mail of the first, which another delivery brought.
        rows = delivered.exclude(pk__in=sent.filter(delivery__isnull=False).values("delivery_id"))
        told = set(sent.values_list("order_id", flat=True)) if rows.exists() else set()
        for delivery in rows.select_related("fact").iterator(CHUNK):
            order_id = delivery.fact.payload.get("order_id", delivery.fact.subject_id)
            if order_id not in told:
                yield Violation(
                    f"order:{order_id}", f"its mail {kind} counts as delivered and was never sent"
                )


@invariant("orders.customers", _("No order or address names a customer who was merged, once it was heard of"))
def merged_customers_have_nothing() -> Iterator[Violation]:
    told = Delivery.objects.filter(subscriber=MOVE_MERGED, state=DeliveryState.DELIVERED)
    heard = Customer.objects.filter(merged_into__isnull=False, pk__in=told.values("fact__subject_id"))
    for model, name in ((Order, "order"), (Address, "address")):
        for row in model._default_manager.filter(customer__in=heard)[:SHOWN]:
            yield Violation(f"{name}:{row.pk}", f"names customer {row.customer_id}, who was merged")
    chained = Customer.objects.filter(merged_into__merged_into__isnull=False)
    for customer in chained[:SHOWN]:
        yield Violation(f"customer:{customer.pk}", "was merged into one who was merged")


@invariant("orders.unknown", _("A line without a SKU has one part, without a SKU and not reserved"))
def unknown_lines_have_one_part() -> Iterator[Violation]:
    lines = OrderLine.objects.filter(sku=None).annotate(
        pieces=Count("parts"), known=Count("parts__sku"), parts_allocated=Coalesce(Sum("parts__allocated"), 0)
    )
    for line in lines.exclude(pieces=1, known=0, parts_allocated=0)[:SHOWN]:
        yield Violation(f"line:{line.pk}", f"{line.pieces} parts, {line.known} of them with a SKU")


@invariant(
    "orders.changes", _("A confirmed change is told action by action, and moved what is owed by its sums")
)
def changes_are_told() -> Iterator[Violation]:
    told = dict(
        Event.objects.filter(subject_type="order", kind__startswith="changed_")
        .order_by()
        .values_list("facts__change")
        .annotate(events=Count("pk"))
    )
    rows = Proposal.objects.annotate(said=Count("actions"))
    for pk, said in rows.filter(status=ProposalStatus.CONFIRMED).values_list("pk", "said")[:CHUNK]:
        if told.get(pk, 0) != said:
            yield Violation(f"proposal:{pk}", f"{said} actions, {told.get(pk, 0)} events")
    ahead = Proposal.objects.filter(base_version__gt=F("order__version"))
    for pk in ahead.values_list("pk", flat=True)[:SHOWN]:
        yield Violation(f"proposal:{pk}", "was worked out on an order that is not there yet")
    yield from _sums_of_changes()


def _sums_of_changes() -> Iterator[Violation]:
    moved: dict[int, Decimal] = defaultdict(Decimal)
    # A rolled back import gives what its changes took away back, and says so by itself.
    confirmed = Event.objects.filter(
        Q(subject_type="proposal", kind="confirm") | Q(subject_type="order", kind="restored")
    ).filter(facts__has_keys=["before", "after"])
    for order_id, facts in confirmed.values_list("thread_id", "facts").iterator(CHUNK):
        if facts["before"] is not None and facts["after"] is not None:
            moved[order_id] += Decimal(facts["after"]) - Decimal(facts["before"])
    changed = dict(Order.objects.exclude(changed_amount=0).values_list("pk", "changed_amount"))
    for pk in sorted({*moved, *changed}):
        if moved.get(pk, 0) != changed.get(pk, 0):
            yield Violation(
                f"order:{pk}", f"changed by {changed.get(pk, 0)}, its changes say {moved.get(pk, 0)}"
            )
