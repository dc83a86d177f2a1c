"""Orders that are late or must leave today: where each is stuck, and why."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext, pgettext

from config.kernel import clock
from config.kernel.admin import admin_url
from config.kernel.templatetags.bancale import badge, code
from config.kernel.together import read_together
from config.kernel.visibility import visible_to
from fulfillment.enums import LIVE_FULFILLMENT
from fulfillment.models import FulfillmentOrder
from inventory.enums import ReservationState
from inventory.models import Reservation
from orders.admin.words import hold_title
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import Hold, LinePart, Order
from orders.privacy import SEE_MONEY
from orders.selectors.demand import ORDER_LINE_PART
from orders.selectors.work import leaving_until_today

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

SHOWN = 6
SKUS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LateOrder:
    number: str
    url: str
    channel: str
    stuck: str
    because: str
    promise: str


def late_orders(user: "AbstractUser | AnonymousUser") -> list[LateOrder]:
    """The most overdue open orders that somebody may see and those due today, oldest promise first.

    Three statements.
    """
    seen = visible_to(user, Order.objects.select_related("sales_channel", "legal_entity"))
    rows = leaving_until_today(seen)
    orders = list(rows.order_by("dispatch_by_on", "pk")[:SHOWN])
    ids = [order.pk for order in orders]
    held, asked, waiting = read_together([_holds(ids), _work(ids), _awaited(ids)])
    holds = {hold.order_id: hold for hold in reversed(held)}
    work = {one.order_id: one for one in asked}
    skus: dict[int, dict[str, None]] = defaultdict(dict)
    for order_id, sku in waiting:
        skus[order_id][sku] = None
    money = user.has_perm(SEE_MONEY)
    return [
        LateOrder(
            order.number,
            admin_url(Order, "change", order.pk),
            order.sales_channel.name,
            *_stuck(order, holds.get(order.pk), work.get(order.pk), list(skus[order.pk]), money=money),
            _promise(order.dispatch_by_on, clock.today(order.legal_entity.time_zone)),
        )
        for order in orders
    ]


def _holds(order_ids: Sequence[int]) -> QuerySet[Hold]:
    return Hold.objects.filter(order__in=order_ids, lifted_at=None).order_by("pk")


def _work(order_ids: Sequence[int]) -> QuerySet[FulfillmentOrder]:
    """Live work, the oldest of an order last."""
    rows = FulfillmentOrder.objects.filter(order__in=order_ids, status__in=LIVE_FULFILLMENT)
    return rows.select_related("location").order_by("-pk")


def _awaited(order_ids: Sequence[int]) -> QuerySet[LinePart, tuple[int, str]]:
    """(order, SKU) of what orders wait for."""
    waiting = Reservation.objects.filter(
        reference_kind=ORDER_LINE_PART, reference_id=OuterRef("pk"), state=ReservationState.WAITING
    )
    parts = LinePart.objects.filter(Exists(waiting), line__order__in=order_ids)
    return parts.order_by("pk").values_list("line__order", "sku__code")


def _stuck(
    order: Order, hold: Hold | None, work: FulfillmentOrder | None, skus: Sequence[str], *, money: bool
) -> tuple[str, str]:
    if hold is not None:
        title = str(hold_title(hold.kind, hold.facts if money else {}))
        return badge(pgettext("orders", "On hold"), "stop"), title
    if order.status == OrderStatus.PLACED:
        return badge(gettext("To confirm"), "wait"), gettext("Nobody has confirmed it yet")
    if order.fulfillment_status == FulfillmentStatus.BACKORDERED:
        more = "" if len(skus) <= SKUS_SHOWN else " …"
        named = format_html_join(", ", "{}", ((code(sku),) for sku in skus[:SKUS_SHOWN]))
        return badge(gettext("Waiting for stock"), "wait"), format_html("{}{}", named, more)
    if work is not None:
        return badge(work.get_status_display(), "info"), f"{work.number}, {work.location.name}"
    if order.fulfillment_status in {FulfillmentStatus.UNALLOCATED, FulfillmentStatus.PARTLY_ALLOCATED}:
        return badge(gettext("To allocate"), "wait"), gettext("Nobody has looked for stock yet")
    return badge(gettext("To release"), "wait"), gettext("The warehouse has not been asked yet")


def _promise(day: date | None, today: date) -> str:
    over = (today - day).days if day else 0
    if over <= 0:
        return badge(gettext("today"), "wait")
    return badge(ngettext("%(n)d day over", "%(n)d days over", over) % {"n": over}, "stop")
