"""The work queues of orders: what waits for a person, each a narrowing of a queryset of orders."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from config.kernel import clock
from config.kernel.outbox import LEASE
from orders.enums import GOODS_GONE, OPEN_ORDER, FulfillmentStatus, HoldKind, OrderStatus, Step
from orders.models import Hold, LegalEntity, Notification, Order, RawOrder
from orders.states import HOLD_REFUSES

_REFUSE_CONFIRM = sorted(kind for kind, steps in HOLD_REFUSES.items() if Step.CONFIRM in steps)
# Where units may be undecided: the one index of open orders is read by these, and no other order is looked at.
_UNDECIDED = (
    FulfillmentStatus.UNALLOCATED,
    FulfillmentStatus.PARTLY_ALLOCATED,
    FulfillmentStatus.PARTLY_SHIPPED,
    FulfillmentStatus.BACKORDERED,
)
_HERE = frozenset(FulfillmentStatus) - GOODS_GONE


def with_holds(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Adds `is_held`: whether any hold is open."""
    return rows.annotate(is_held=Exists(_open_holds()))


def to_confirm(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Placed orders that no hold keeps from being confirmed."""
    # A manual hold may let the order be confirmed; its facts say so, and the verb reads them.
    manual = Q(kind=HoldKind.MANUAL, facts__allows__0=Step.CONFIRM.value)
    refusing = _open_holds().filter(kind__in=_REFUSE_CONFIRM).exclude(manual)
    return rows.filter(~Exists(refusing), status=OrderStatus.PLACED)


def on_hold(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Open orders with an open hold."""
    return rows.filter(Exists(_open_holds()), status__in=OPEN_ORDER)


def unknown_sku(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Open orders one of whose lines names a SKU that nobody knows."""
    return rows.filter(Exists(_open_holds().filter(kind=HoldKind.UNKNOWN_SKU)), status__in=OPEN_ORDER)


def to_allocate(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Placed or confirmed orders some of whose units nobody has decided about."""
    return rows.filter(
        status__in=[OrderStatus.PLACED, OrderStatus.CONFIRMED],
        fulfillment_status__in=_UNDECIDED,
        undecided_quantity__gt=0,
        is_history=False,
        is_test=False,
    )


def backordered(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Open orders that wait for stock."""
    return rows.filter(status__in=OPEN_ORDER, fulfillment_status=FulfillmentStatus.BACKORDERED)


def late(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Open orders whose promised day has passed in their legal entity's zone and whose goods have not all left."""
    return _promised_before(rows, days_ahead=0)


def days_late(order: Order) -> int:
    """For how many days the order has been late, as the queue means it; 0 for one that is not. No query where the
    order was read with its legal entity."""
    day = order.dispatch_by_on
    if day is None or order.status not in OPEN_ORDER or order.fulfillment_status not in _HERE:
        return 0
    return max(0, (clock.today(order.legal_entity.time_zone) - day).days)


def leaving_until_today(rows: QuerySet[Order]) -> QuerySet[Order]:
    """Those that are late, and those that must leave today."""
    return _promised_before(rows, days_ahead=1)


def _promised_before(rows: QuerySet[Order], *, days_ahead: int) -> QuerySet[Order]:
    passed = Q(pk__in=[])
    for entity_id, zone in LegalEntity.objects.order_by("pk").values_list("pk", "time_zone"):
        day = clock.today(zone) + timedelta(days=days_ahead)
        passed |= Q(legal_entity=entity_id, dispatch_by_on__lt=day)
    return rows.filter(passed, status__in=OPEN_ORDER, fulfillment_status__in=_HERE)


def unread(rows: QuerySet[RawOrder]) -> QuerySet[RawOrder]:
    """Raw orders that became no order, and say why."""
    return rows.filter(order=None, settled_at=None).exclude(problem="")


def mails_unknown(rows: QuerySet[Notification]) -> QuerySet[Notification]:
    """Mails that nobody knows have left: a worker died, or the server's word never came."""
    return rows.filter(sent_at=None, sending_at__lt=clock.now() - LEASE)


def _open_holds() -> QuerySet[Hold]:
    return Hold.objects.filter(order=OuterRef("pk"), lifted_at=None)
