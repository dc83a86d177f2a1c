"""What a delivery asks to be told, to whom, and whether there is still a reason to tell it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Exists, OuterRef, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.fastpath import attach
from config.kernel.outbox import Owed
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.enums import ActionKind, FulfillmentStatus, HoldKind, ImportStatus, MailKind, OrderStatus
from orders.mail_kinds import AGAIN_MAIL, KINDS
from orders.models import Hold, LegalEntity, Notification, Order, SalesChannel
from orders.parcels_told import ParcelSet, parcel_sets
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.owed_mails import order_id_of

CALLED_OFF = frozenset({OrderStatus.CANCELLED, OrderStatus.VOID})
GONE = frozenset({FulfillmentStatus.NOTHING_TO_SHIP, FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED})
# Of what a buyer has a confirmation.
TOLD_OF = frozenset({OrderStatus.CONFIRMED, OrderStatus.COMPLETED})
AGAIN_MARK = "+"
OF_PARCELS = frozenset({MailKind.SHIPPED, MailKind.DELIVERED})


@dataclass(frozen=True, slots=True)
class Occasion:
    """One mail that a fact asks for. `key` tells it from others of its kind to the same order; `units` are those
    it speaks of, by line part; `changed` is what a change of the order was about; `again` is a mail that left and
    is to be repeated word by word."""

    order: Order
    kind: MailKind
    key: str = ""
    delivery_id: int | None = None
    units: Mapping[int, int] = field(default_factory=dict)
    parcels: ParcelSet | None = None
    hold: Hold | None = None
    promised_on: date | None = None
    changed: tuple[ActionKind, ...] = ()
    again: Notification | None = None


def read_occasions(owed: Sequence[Owed]) -> dict[int, Occasion]:
    """By delivery id what each asks to be told; one whose order is gone is left out. A fixed number of statements."""
    repeated = [one for one in owed if one.subscriber == AGAIN_MAIL]
    return _read_news([one for one in owed if one.subscriber in KINDS]) | _read_repeated(repeated)


def _read_repeated(owed: Sequence[Owed]) -> dict[int, Occasion]:
    if not owed:
        return {}
    orders = read_orders({one.subject_id for one in owed})
    mails = Notification.objects.in_bulk([one.payload["mail"] for one in owed])
    found = {}
    for one in owed:
        order, mail = orders.get(one.subject_id), mails.get(one.payload["mail"])
        if order is not None and mail is not None:
            key = f"{mail.parcel_set.partition(AGAIN_MARK)[0]}{AGAIN_MARK}{one.fact_id}"
            found[one.delivery_id] = Occasion(order, MailKind(mail.kind), key, one.delivery_id, again=mail)
    return found


def _read_news(owed: Sequence[Owed]) -> dict[int, Occasion]:
    if not owed:
        return {}
    kinds = {one.delivery_id: KINDS[one.subscriber] for one in owed}
    parcels = parcel_sets([one.subject_id for one in owed if kinds[one.delivery_id] in OF_PARCELS])
    orders = read_orders({order_id_of(one.payload, one.subject_id) for one in owed})
    holds = _holds(one.payload["hold"] for one in owed if kinds[one.delivery_id] == MailKind.HOLD)
    waiting = waiting_units(
        [orders[one.subject_id] for one in owed if _is(one, MailKind.BACKORDER) and one.subject_id in orders]
    )
    found: dict[int, Occasion] = {}
    for one in owed:
        order = orders.get(order_id_of(one.payload, one.subject_id))
        if order is None:
            continue
        kind = kinds[one.delivery_id]
        together = parcels.get(one.subject_id) if kind in OF_PARCELS else None
        hold = holds.get(one.payload["hold"]) if kind == MailKind.HOLD else None
        day = date.fromisoformat(one.payload["day"]) if kind == MailKind.DELAY else None
        found[one.delivery_id] = Occasion(
            order,
            kind,
            _key(one, kind, together),
            one.delivery_id,
            _units(one, kind, together, waiting),
            together,
            hold,
            day,
            _changed(one, kind),
        )
    return found


def _is(one: Owed, kind: MailKind) -> bool:
    return KINDS[one.subscriber] == kind


def read_orders(order_ids: Collection[int]) -> dict[int, Order]:
    """Orders with all that a mail may say of them: seven statements."""
    rows = Order.objects.select_related("customer", "ship_to", "bill_to", "import_run")
    held = Hold.objects.filter(order=OuterRef("pk"), kind=HoldKind.IMPORT, lifted_at=None)
    rows = rows.annotate(is_held_by_import=Exists(held))
    rows = rows.prefetch_related("lines__parts__sku", "charges", "tax_lines").filter(pk__in=order_ids)
    orders: dict[int, Order] = {order.pk: order for order in rows}
    channels = SalesChannel.objects.select_related("logo")
    attach(
        orders.values(), "sales_channel", channels.in_bulk({one.sales_channel_id for one in orders.values()})
    )
    entities = LegalEntity.objects.in_bulk({one.legal_entity_id for one in orders.values()})
    attach(orders.values(), "legal_entity", entities)
    return orders


def _holds(hold_ids: Iterable[int]) -> dict[int, Hold]:
    ids = list(hold_ids)
    return Hold.objects.in_bulk(ids) if ids else {}


def waiting_units(orders: Sequence[Order]) -> dict[int, int]:
    """By line part the units that wait for stock; the orders' parts are at hand. One statement, none for none."""
    parts = [part.pk for order in orders for line in order.lines.all() for part in line.parts.all()]
    if not parts:
        return {}
    rows = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id__in=parts, state=ReservationState.WAITING
    )
    return dict(rows.order_by().values_list("reference_id").annotate(units=Sum("quantity")))


def _key(one: Owed, kind: MailKind, parcels: ParcelSet | None) -> str:
    if kind == MailKind.HOLD:
        return f"hold:{one.payload['hold']}"
    if kind == MailKind.DELAY:
        return str(one.payload["day"])
    if kind in (MailKind.PART_CANCELLATION, MailKind.CHANGE):
        return f"fact:{one.fact_id}"
    return parcels.key if parcels is not None else ""


def _units(
    one: Owed, kind: MailKind, parcels: ParcelSet | None, waiting: Mapping[int, int]
) -> Mapping[int, int]:
    if kind == MailKind.BACKORDER:
        return waiting
    if kind == MailKind.PART_CANCELLATION:
        return {int(pk): units for pk, units in one.payload["parts"].items()}
    return parcels.units if parcels is not None else {}


def _changed(one: Owed, kind: MailKind) -> tuple[ActionKind, ...]:
    said = one.payload["kinds"] if kind == MailKind.CHANGE else ()
    return tuple(action for action in ActionKind if action in said)


def nothing_due(occasion: Occasion | None) -> str | Promise:
    """Why nobody is told (any more); empty where the mail is due."""
    if occasion is None:
        return _("the order does not exist")
    nobody = nobody_to_tell(occasion.order, occasion.kind)
    return nobody or ("" if occasion.again is not None else _moved_on(occasion))


def nobody_to_tell(order: Order, kind: MailKind) -> str | Promise:
    """Why such news of an order reach nobody, whenever they are due; empty where somebody is told."""
    if order.is_history:
        return _("history: nobody is told")
    if order.is_test:
        return _("a test order")
    if order.import_run is not None and order.import_run.status != ImportStatus.FINISHED:
        return _("its import is not finished")
    if order.mails_stopped:
        return _("the mails of this order were stopped")
    if not order.sales_channel.sends(kind):
        return _("the sales channel sends no such mail")
    if not order.email:
        return _("the order has no e-mail address")
    try:
        validate_email(order.email)
    except ValidationError:
        return _("the e-mail address is not valid")
    return ""


def _moved_on(occasion: Occasion) -> str | Promise:
    order, kind = occasion.order, occasion.kind
    if kind == MailKind.CANCELLATION:
        return "" if order.status == OrderStatus.CANCELLED else _("the order is not cancelled any more")
    if order.status in CALLED_OFF:
        return _("the order was cancelled")
    # A hold and a backorder are told when that import is finished, where it is still so then.
    if kind in (MailKind.HOLD, MailKind.BACKORDER, MailKind.CHANGE) and order.is_held_by_import:  # type: ignore[attr-defined]
        return _("its import is not finished")
    if kind == MailKind.CHANGE and not occasion.changed:
        return _("a file brought the change: the channel tells of it")
    if kind == MailKind.CHANGE and order.status not in TOLD_OF:
        return _("the order is not confirmed yet: its confirmation tells it as it stands")
    if kind == MailKind.HOLD and (occasion.hold is None or occasion.hold.lifted_at is not None):
        return _("the hold was lifted")
    if kind == MailKind.BACKORDER and order.fulfillment_status != FulfillmentStatus.BACKORDERED:
        return _("the order waits for stock no longer")
    if kind == MailKind.DELAY and order.dispatch_by_on != occasion.promised_on:
        return _("another day was promised")
    if kind == MailKind.DELAY and (order.is_closed or order.fulfillment_status in GONE):
        return _("the goods have left")
    return _parcels_moved_on(occasion) if kind in OF_PARCELS else ""


def _parcels_moved_on(occasion: Occasion) -> str | Promise:
    parcels = occasion.parcels
    if parcels is None or not parcels.has_left:
        return _("the parcel has not left")
    if occasion.kind == MailKind.SHIPPED and parcels.has_arrived:
        return _("the parcel has arrived")
    if occasion.kind == MailKind.DELIVERED and not parcels.has_arrived:
        return _("another parcel of the shipment is still on its way")
    return ""
