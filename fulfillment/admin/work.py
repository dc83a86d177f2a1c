"""Fulfillment orders: the list with the warehouse's queues, and the page where work is shipped by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import (
    Queue,
    SeenFilter,
    TransitionAdmin,
    TransitionVerb,
    admin_url,
    bulk_action,
    queue_filter,
    status_badge,
)
from config.kernel.admin.queues import PARAMETER
from config.kernel.admin.timeline import in_words
from config.kernel.countries import country_name
from config.kernel.errors import BancaleError
from config.kernel.models import Event
from config.kernel.results import Results
from config.kernel.templatetags.bancale import badge, code, local_text, localtime, quantity
from fulfillment.admin.parcels import parcel_rows
from fulfillment.admin.passed import PassedFilter
from fulfillment.enums import LIVE_FULFILLMENT, FulfillmentOrderStatus
from fulfillment.models import FulfillmentOrder
from fulfillment.selectors import queues
from fulfillment.selectors.page import last_carrier, work_lines
from fulfillment.selectors.search import search_work
from fulfillment.services.cancelling import cancel_fulfillment_orders
from fulfillment.services.shipping import HandShipment, ship_by_hand, why_stopped
from fulfillment.states import CANCEL, FULFILLMENT_ORDER
from fulfillment.tracking import LONGEST_CARRIER, clean_carrier, clean_tracking_number
from inventory.admin.closing import PlaceUse, register_place_use
from inventory.models import Location
from orders.admin.mail_news import mail_said
from orders.enums import MailKind
from orders.models import Address, Order
from orders.phone import told_reference
from orders.privacy import SEE_PERSONAL, sees_recipient

QUEUES = (
    Queue("to_ship", gettext_lazy("To ship"), queues.to_ship, "info", since="released_at"),
    Queue(
        "stopped", gettext_lazy("Stopped work"), queues.stopped, "stop", since="released_at", on_front=False
    ),
)


class ShipForm(forms.Form):
    """What is typed from the label."""

    carrier = forms.CharField(label=gettext_lazy("Carrier"), max_length=LONGEST_CARRIER)
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"),
        max_length=80,
        help_text=gettext_lazy("4 to 60 letters, digits, hyphens and spaces; scanned or typed."),
        # Ready for the scanner: typed into no field, a code opens what it names and leaves the page.
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "autofocus": True}
        ),
    )

    def clean_carrier(self) -> str:
        return _typed(clean_carrier, self.cleaned_data["carrier"])

    def clean_tracking_number(self) -> str:
        return _typed(clean_tracking_number, self.cleaned_data["tracking_number"])


def _typed(clean: Any, value: str) -> str:
    try:
        return str(clean(value))
    except BancaleError as error:
        raise forms.ValidationError(str(error)) from error


def ship_typed(ids: Sequence[int], *, carrier: str, tracking_number: str, actor: Actor) -> Results[int]:
    """`ship_by_hand` for the one fulfillment order of a confirm page."""
    return ship_by_hand([HandShipment(pk, carrier, tracking_number) for pk in ids], actor=actor)


def stop_of(work: FulfillmentOrder) -> str:
    """Why live work may not leave now, asked once an instance; "" when it may."""
    if not hasattr(work, "_stop"):
        error = why_stopped(work) if work.status in LIVE_FULFILLMENT else None
        work._stop = "" if error is None else str(error)  # type: ignore[attr-defined]
    return str(work._stop)  # type: ignore[attr-defined]


def _lines(work: FulfillmentOrder) -> Mapping[str, Any]:
    rows = [[line.title, line.sku_code, line.quantity] for line in work_lines(work)]
    return {"columns": [_("Line"), _("SKU"), _("Units")], "rows": rows}


def _on_ship(work: FulfillmentOrder) -> list[Any]:
    units = sum(line.quantity for line in work_lines(work))
    left = ngettext("%(n)s unit leaves %(place)s.", "%(n)s units leave %(place)s.", units)
    return [
        left % {"n": units, "place": work.location.name},
        _("The parcel goes to %(address)s.") % {"address": address_text(work.ship_to)},
        mail_said(work.order, MailKind.SHIPPED, to=_("the buyer")),
        _("Holds, a cancellation and the address are looked at once more when you press."),
    ]


def _on_cancel(work: FulfillmentOrder) -> list[str]:
    return [
        _("The warehouse stops working on it."),
        _("Its units stay reserved for order %(number)s.") % {"number": work.order.number},
    ]


def address_text(address: Address | None) -> str:
    if address is None:
        return _("no address")
    place = f"{address.postal_code} {address.city}".strip()
    parts = (address.name, address.company, address.line1, address.line2, place, address.region)
    return ", ".join(part for part in (*parts, country_name(address.country_code)) if part)


WORK_VERBS = {
    "ship_by_hand": TransitionVerb(
        verb=ship_typed,
        form=ShipForm,
        initial=lambda work: {"carrier": last_carrier(work.location_id)},
        effect=gettext_lazy("Ship: stock leaves now"),
        success=gettext_lazy("Shipped; the goods have left the stock."),
        consequences=_on_ship,
        lines=_lines,
        undo=gettext_lazy("It cannot be taken back; goods that come back are a return."),
        blocked=stop_of,
    ),
    "cancel": TransitionVerb(
        verb=cancel_fulfillment_orders,
        effect=gettext_lazy("Cancel this work"),
        success=gettext_lazy("Cancelled; the order can be released again."),
        consequences=_on_cancel,
        lines=_lines,
        undo=gettext_lazy("Release the order again: it makes new work with the address as it then is."),
    ),
}


@register_place_use
def work_at(location: Location) -> PlaceUse | None:
    """Work that a location is asked for goes on there when it is closed."""
    count = FulfillmentOrder.objects.filter(location=location, status__in=LIVE_FULFILLMENT).count()
    if not count:
        return None
    text = ngettext(
        "%(count)s fulfillment order is at work here. It can be shipped from a closed location, or cancelled.",
        "%(count)s fulfillment orders are at work here. They can be shipped from a closed location, or cancelled.",
        count,
    )
    query = f"location__id__exact={location.pk}&status__in={','.join(sorted(LIVE_FULFILLMENT))}"
    return PlaceUse(text % {"count": count}, FulfillmentOrder, query)


@admin.register(FulfillmentOrder)
class FulfillmentOrderAdmin(TransitionAdmin):
    machine = FULFILLMENT_ORDER
    lock_kind = "order"
    lock_through = "order"
    verbs = WORK_VERBS
    change_form_template = "fulfillment/fulfillment_order.html"
    list_display = (
        "number",
        "status_stopped",
        "order_link",
        "location",
        "to",
        "asked",
        "leaves_by",
        "released",
    )
    list_filter = (queue_filter(QUEUES), "status", ("location", SeenFilter), PassedFilter)
    list_select_related = ("order", "location", "ship_to")
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, order or tracking number")
    ordering = ("-id",)
    actions = (
        bulk_action(
            cancel_fulfillment_orders,
            CANCEL.permission,
            gettext_lazy("Cancel work…"),
            model="fulfillment.FulfillmentOrder",
            done=gettext_lazy("cancelled"),
            risk=True,
            consequences=(gettext_lazy("Their units stay reserved for their orders."),),
        ),
    )
    empty_title = gettext_lazy("Nothing for the warehouse yet")
    empty_text = gettext_lazy(
        "Work appears here when a confirmed order with reserved stock is released to the warehouse."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FulfillmentOrder]:
        rows: QuerySet[FulfillmentOrder] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "fulfillment_fulfillmentorder_changelist":
            return queues.with_units(queues.with_stops(rows))
        return rows.select_related("order__sales_channel", "location", "ship_to", "order__ship_to")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[FulfillmentOrder], search_term: str
    ) -> tuple[QuerySet[FulfillmentOrder], bool]:
        term = search_term.strip()[:80]
        return (search_work(queryset, term) if term else queryset), False

    def own_columns(self, request: HttpRequest) -> list[str]:
        """Of where goods go, whoever does not pack them reads the country."""
        sees = sees_recipient(request.user, is_live=True)
        return [name if sees or name != "to" else "country" for name in super().own_columns(request)]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Work to ship stands in the order of what was promised; the rest newest first."""
        is_to_ship = request.GET.get(PARAMETER) == "to_ship"
        return ("order__dispatch_by_on", "id") if is_to_ship else ("-id",)

    def timeline_of(self, obj: FulfillmentOrder) -> list[Any]:
        """Its own events and those of its parcels, not the whole order's."""
        parcels = list(obj.shipments.values_list("parcels", flat=True))
        own = Q(subject_type="fulfillment_order", subject_id=obj.pk)
        events = Event.objects.filter(own | Q(subject_type="parcel", subject_id__in=parcels))
        return list(in_words(events.order_by("-id")[: self.timeline_limit]))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        stop, personal = stop_of(obj), request.user.has_perm(SEE_PERSONAL)
        if stop:
            page["badges"] = [(_("Stopped"), "stop"), *page["badges"]]
        return {
            **page,
            "title": _("Work %(number)s") % {"number": obj.number},
            "sub": list(_sub(obj)),
            "notices": [{"tone": "stop", "title": _("Do not ship."), "text": stop}] if stop else [],
            "steps": _steps(obj),
            "show_form": False,
            "lines": work_lines(obj),
            "is_live": obj.status in LIVE_FULFILLMENT,
            "parcels": parcel_rows(obj, request),
            "address": _address_rows(obj.ship_to, request.user, is_live=obj.status in LIVE_FULFILLMENT),
            "order": list(_order_rows(obj.order)),
            "note": obj.order.note if personal else "",
        }

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_stopped(self, row: Any) -> Any:
        status = status_badge(FulfillmentOrderStatus, row.status)
        if row.status not in LIVE_FULFILLMENT or not row.is_stopped:
            return status
        return format_html("{} {}", status, badge(_("Stopped"), "stop"))

    @admin.display(description=gettext_lazy("order"), ordering="order__number")
    def order_link(self, row: FulfillmentOrder) -> Any:
        return format_html('<a href="{}">{}</a>', admin_url(Order, "change", row.order_id), row.order.number)

    @admin.display(description=gettext_lazy("to"))
    def to(self, row: FulfillmentOrder) -> str:
        address = row.ship_to
        # Whoever sends the goods reads the name; afterwards it stands on the order, for those who may see it.
        name = address.name if address and row.status in LIVE_FULFILLMENT else ""
        parts = (name, address.city, country_name(address.country_code)) if address else ()
        return ", ".join(part for part in parts if part) or "–"

    @admin.display(description=gettext_lazy("country"))
    def country(self, row: FulfillmentOrder) -> str:
        return (country_name(row.ship_to.country_code) if row.ship_to else "") or "–"

    @admin.display(description=gettext_lazy("units"), ordering="units")
    def asked(self, row: Any) -> Any:
        return quantity(row.units)

    @admin.display(description=gettext_lazy("leaves by"), ordering="order__dispatch_by_on")
    def leaves_by(self, row: FulfillmentOrder) -> str:
        day = row.order.dispatch_by_on
        return date_format(day, _("j M")) if day else "–"

    @admin.display(description=gettext_lazy("released"), ordering="released_at")
    def released(self, row: FulfillmentOrder) -> Any:
        return localtime(row.released_at)


def _sub(work: FulfillmentOrder) -> Any:
    url = admin_url(Order, "change", work.order_id)
    yield format_html('<a href="{}">{}</a>', url, _("Order %(number)s") % {"number": work.order.number})
    yield work.location.name
    if work.released_at is not None:
        yield _("released %(when)s") % {"when": local_text(work.released_at)}


def _steps(work: FulfillmentOrder) -> list[tuple[str, str]]:
    if work.status == FulfillmentOrderStatus.CANCELLED:
        return [(_("Released"), "done"), (str(FulfillmentOrderStatus.CANCELLED.label), "stop")]
    if work.status == FulfillmentOrderStatus.SHIPPED:
        return [(_("Released"), "done"), (_("Shipped"), "done")]
    return [(_("Released"), "done"), (_("Ship"), "stop" if stop_of(work) else "now")]


def _address_rows(address: Address | None, user: Any, *, is_live: bool) -> list[tuple[Any, Any]]:
    """Where it goes; without the right to personal data no more than sending needs, while it needs it."""
    if address is None:
        return [(_("Address"), _("none"))]
    if not sees_recipient(user, is_live=True):
        return [(_("Country"), country_name(address.country_code))]
    place = f"{address.postal_code} {address.city}".strip()
    personal, named = user.has_perm(SEE_PERSONAL), sees_recipient(user, is_live=is_live)
    rows = [
        (_("Name"), address.name if named else ""),
        (_("Company"), address.company if named else ""),
        (_("Street"), address.line1 if named else ""),
        (_("More"), address.line2 if named else ""),
        (_("City"), place if named else address.city),
        (_("Region"), address.region),
        (_("Country"), country_name(address.country_code)),
        (_("Phone"), address.phone if personal else ""),
    ]
    return [(label, value) for label, value in rows if value]


def _order_rows(order: Order) -> Any:
    yield _("Channel"), order.sales_channel.name
    if reference := order.external_number or told_reference(order.external_id):
        yield _("Channel reference"), code(reference)
    yield _("Shipping method"), order.shipping_method
    if order.dispatch_by_on is not None:
        yield _("Leaves by"), date_format(order.dispatch_by_on, _("D j M"))
