"""What the warehouse adds to the order page: its work and parcels, and the button that releases."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from config.kernel.admin import (
    ExtraVerb,
    OptionalColumn,
    Queue,
    acting,
    admin_url,
    bulk_action,
    status_badge,
)
from config.kernel.admin.bulk_verbs import bulk_name
from config.kernel.templatetags.bancale import localtime
from fulfillment.admin.passed import PassedFilter
from fulfillment.enums import FulfillmentOrderStatus, ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.selectors.page import goods_title
from fulfillment.selectors.parcels import tracking_of
from fulfillment.selectors.queues import gone_as, not_closed, to_release, with_units
from fulfillment.services.releasing import refusal, release_orders
from fulfillment.states import RELEASE
from inventory.errors import LocationClosed
from inventory.models import Location
from orders.admin import (
    PanelContext,
    add_order_action,
    add_order_column,
    add_order_filter,
    add_order_queue,
    register_order_button,
    register_order_panel,
)
from orders.admin.hold_filter import in_a_row
from orders.admin.verbs import holds_of
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import LinePart, Order
from orders.selectors.order_goods import goods_of
from orders.selectors.order_rows import register_order_rows, rows_of
from orders.services.completing import complete_orders
from orders.states import COMPLETE

Wanted = dict[int, dict[int, int]]


def wanted_of(order: Order) -> Wanted:
    """Reserved units that nobody asked the warehouse for, by location and part; asked once an instance."""
    return goods_of(order).unasked() if order.status == OrderStatus.CONFIRMED else {}


def _blocked(order: Order) -> str:
    problem = refusal(order, holds_of(order))
    if problem is None and (closed := _closed_places(order)):
        problem = LocationClosed(location=closed)
    if problem is None and order.ship_to_id is None:
        return _("It has no address to ship to.")
    return "" if problem is None else str(problem)


def _closed_places(order: Order) -> str:
    """The closed locations that would be asked for goods; no statement beside those of `wanted_of`."""
    wanted = wanted_of(order)
    levels = (row.level for row in goods_of(order).reservations if row.level is not None)
    places = {level.location_id: level.location for level in levels if level.location_id in wanted}
    return ", ".join(place.name for _pk, place in sorted(places.items()) if not place.is_active)


def _on_release(order: Order) -> list[str]:
    wanted = wanted_of(order)
    names = dict(Location.objects.filter(pk__in=list(wanted)).values_list("pk", "name"))
    said = []
    for place, units in sorted(wanted.items()):
        count = sum(units.values())
        text = ngettext(
            "%(place)s is asked to send %(n)s unit.", "%(place)s is asked to send %(n)s units.", count
        )
        said.append(text % {"place": names.get(place, place), "n": count})
    return [*said, _("The address is kept as it is now; if it changes, nothing leaves.")]


def _lines(order: Order) -> dict[str, Any]:
    wanted = wanted_of(order)
    names = dict(Location.objects.filter(pk__in=list(wanted)).values_list("pk", "name"))
    ids = {part_id for units in wanted.values() for part_id in units}
    parts = LinePart.objects.select_related("line", "sku").in_bulk(ids)
    rows = [
        [goods_title(parts[part_id]), str(parts[part_id].sku), names.get(place, ""), count]
        for place, units in sorted(wanted.items())
        for part_id, count in units.items()
    ]
    return {"columns": [_("Line"), _("SKU"), _("Location"), _("Units")], "rows": rows}


def _gone_reasons(rows: QuerySet[Order]) -> list[tuple[str, str]]:
    """What is to be closed: (`shipped 3`, what to add to the list's address)."""
    return [
        (f"{in_a_row(str(FulfillmentStatus(status).label))} {count}", f"fulfillment_status__exact={status}")
        for status, count in gone_as(rows)
    ]


register_order_rows(
    "work",
    lambda order: (
        with_units(FulfillmentOrder.objects.filter(order=order)).select_related("location").order_by("pk")
    ),
)
register_order_rows(
    "parcels", lambda order: Parcel.objects.filter(order=order).select_related("shipment").order_by("pk")
)
register_order_button(
    ExtraVerb(
        name="release",
        label=gettext_lazy("Release to warehouse"),
        permission=RELEASE.permission,
        tone="primary",
        verb=release_orders,
        success=gettext_lazy("Released; the work is in the warehouse's list."),
        consequences=_on_release,
        lines=_lines,
        undo=gettext_lazy("Each piece of work can be cancelled until it has shipped."),
        blocked=_blocked,
        applies=lambda order: bool(wanted_of(order)),
    )
)


add_order_queue(
    Queue(
        "to_release",
        gettext_lazy("To release"),
        to_release,
        "wait",
        RELEASE.permission,
        "confirmed_at",
    ),
    after="to_allocate",
)
add_order_queue(
    Queue(
        "not_closed",
        gettext_lazy("To close"),
        not_closed,
        "wait",
        COMPLETE.permission,
        reasons=_gone_reasons,
        on_front=False,
        leads=bulk_name("orders.Order", complete_orders),
    ),
    after="late",
)
add_order_filter(PassedFilter)
add_order_column(
    OptionalColumn(
        "tracking",
        gettext_lazy("tracking number"),
        lambda parcels: ", ".join(f"{carrier} {number}" for carrier, number in parcels),
        reads=tracking_of,
    )
)
add_order_action(
    bulk_action(
        release_orders,
        RELEASE.permission,
        gettext_lazy("Release to warehouse"),
        model="orders.Order",
        done=pgettext_lazy("how many", "released"),
        consequences=(gettext_lazy("Each location is asked for the units it has reserved."),),
    ),
    place=2,
)


@register_order_panel
def warehouse_panel(order: Order, request: HttpRequest) -> PanelContext | None:
    """The order's work and parcels; nothing before the first release."""
    work = rows_of(order, "work")
    if not work:
        return None
    actor = acting(request)
    may_see = actor.may("fulfillment.view_fulfillmentorder")
    seen = {one.pk for one in work if may_see and actor.sees_place(one.location_id)}
    parcels: dict[int, list[dict[str, Any]]] = {}
    for parcel in rows_of(order, "parcels"):
        work_id = parcel.shipment.fulfillment_order_id
        parcels.setdefault(work_id, []).append(
            {
                "label": str(parcel),
                "url": admin_url(Parcel, "change", parcel.pk) if work_id in seen else "",
                "badge": status_badge(ParcelStatus, parcel.status),
                "at": localtime(parcel.delivered_at or parcel.shipment.shipped_at),
            }
        )
    rows = [
        {
            "number": one.number,
            "url": admin_url(FulfillmentOrder, "change", one.pk) if one.pk in seen else "",
            "place": one.location.name,
            "units": one.units,
            "badge": status_badge(FulfillmentOrderStatus, one.status),
            "parcels": parcels.get(one.pk, []),
        }
        for one in work
    ]
    return PanelContext(
        title=_("Warehouse"),
        template="fulfillment/_order_panel.html",
        context={"rows": rows},
        place=20,
    )
