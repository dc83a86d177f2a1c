"""Parcels: where they are, and what staff know of them before the carrier says so."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import (
    Queue,
    TransitionAdmin,
    TransitionVerb,
    admin_url,
    badge_column,
    queue_filter,
    status_badge,
)
from config.kernel.admin.timeline import in_words
from config.kernel.models import Event
from config.kernel.results import Results
from config.kernel.states import Edge
from config.kernel.templatetags.bancale import code, local_text, localtime
from fulfillment.admin.passed import PassedFilter
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.selectors import queues
from fulfillment.selectors.page import goods_title
from fulfillment.selectors.search import search_parcels
from fulfillment.services.tracking import ParcelMark, mark_parcels
from fulfillment.states import DELIVER, LOSE, PARCEL, SEND_BACK, TROUBLE, VOID
from fulfillment.tracking import OURS
from orders.admin.mail_news import mail_said
from orders.enums import MailKind
from orders.models import Order

QUEUES = (
    Queue("under_way", gettext_lazy("Parcels under way"), queues.under_way, "info", on_front=False),
    Queue("quiet", gettext_lazy("Parcels without news for 5 days"), queues.quiet, on_front=False),
    Queue("troubled", gettext_lazy("Parcels in trouble"), queues.troubled, "stop", on_front=False),
)


def _marked(edge: Edge) -> Callable[..., Results[int]]:
    def mark(ids: Sequence[int], *, actor: Actor) -> Results[int]:
        """`mark_parcels` along one edge."""
        return mark_parcels([ParcelMark(pk, edge) for pk in ids], actor=actor)

    return mark


def _units(parcel: Parcel) -> int:
    return sum(parcel.lines.values_list("quantity", flat=True))


def _consequences(edge: Edge, parcel: Parcel) -> list[Any]:
    said: list[Any] = []
    if edge is DELIVER:
        units = _units(parcel)
        text = ngettext("%(n)s unit counts as delivered.", "%(n)s units count as delivered.", units)
        said += [
            text % {"n": units},
            _("Order %(number)s is completed once nothing more is to be delivered.")
            % {"number": parcel.order.number},
            mail_said(
                parcel.order,
                MailKind.DELIVERED,
                when=_("When no other parcel of the shipment is under way"),
                to=_("the buyer"),
            ),
        ]
    if edge in (TROUBLE, SEND_BACK, LOSE):
        said.append({"text": _("It appears among the parcels in trouble."), "tone": "wait"})
    return [*said, _("It is kept as your statement about the parcel, dated now.")]


def _undo(edge: Edge) -> Any:
    if edge is DELIVER:
        return gettext_lazy("It cannot be taken back; goods that come back are a return.")
    if edge in (SEND_BACK, VOID):
        return gettext_lazy("It cannot be taken back.")
    if edge is LOSE:
        return gettext_lazy("“Mark as delivered” remains possible if it turns up.")
    return gettext_lazy("What the carrier says later moves it on.")


PARCEL_VERBS = {
    edge.name: TransitionVerb(
        verb=_marked(edge),
        success=gettext_lazy("Noted."),
        consequences=partial(_consequences, edge),
        undo=_undo(edge),
    )
    for edge in PARCEL.edges
    if edge not in OURS
}


@admin.register(Parcel)
class ParcelAdmin(TransitionAdmin):
    machine = PARCEL
    lock_kind = "order"
    lock_through = "order"
    verbs = PARCEL_VERBS
    change_form_template = "fulfillment/parcel.html"
    list_display = ("tracking", "carrier", "shown_status", "order_link", "shipped", "delivered")
    list_filter = (queue_filter(QUEUES), "status", "carrier", PassedFilter)
    list_select_related = ("order", "shipment")
    search_fields = ("tracking_number",)
    search_help_text = gettext_lazy("Tracking number, order or shipment")
    ordering = ("-id",)
    shown_status = badge_column("status", ParcelStatus, gettext_lazy("status"))
    empty_title = gettext_lazy("No parcels yet")
    empty_text = gettext_lazy("A parcel appears here when work is shipped.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Parcel]:
        rows: QuerySet[Parcel] = super().get_queryset(request)
        return rows.select_related("order", "shipment__fulfillment_order__location")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Parcel], search_term: str
    ) -> tuple[QuerySet[Parcel], bool]:
        term = search_term.strip()[:80]
        return (search_parcels(queryset, term) if term else queryset), False

    def timeline_of(self, obj: Parcel) -> list[Any]:
        events = Event.objects.filter(Q(subject_type="parcel", subject_id=obj.pk))
        return list(in_words(events.order_by("-id")[: self.timeline_limit]))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        lines = obj.lines.select_related("line_part__line", "line_part__sku").order_by("pk")
        return {
            **page,
            "title": _("Parcel %(number)s") % {"number": obj.tracking_number},
            "sub": list(_sub(obj)),
            "show_form": False,
            "lines": [
                {
                    "title": goods_title(line.line_part),
                    "sku_code": line.line_part.sku,
                    "quantity": line.quantity,
                }
                for line in lines
            ],
            "statements": [_statement(row) for row in obj.tracking_events.order_by("-stated_at", "-pk")],
        }

    @admin.display(description=gettext_lazy("tracking number"), ordering="tracking_number")
    def tracking(self, row: Parcel) -> Any:
        return code(row.tracking_number)

    @admin.display(description=gettext_lazy("order"), ordering="order__number")
    def order_link(self, row: Parcel) -> Any:
        return format_html('<a href="{}">{}</a>', admin_url(Order, "change", row.order_id), row.order.number)

    @admin.display(description=gettext_lazy("shipped"), ordering="shipment__shipped_at")
    def shipped(self, row: Parcel) -> Any:
        return localtime(row.shipment.shipped_at)

    @admin.display(description=gettext_lazy("delivered"), ordering="delivered_at")
    def delivered(self, row: Parcel) -> Any:
        return localtime(row.delivered_at)


def _sub(parcel: Parcel) -> Any:
    work = parcel.shipment.fulfillment_order
    yield parcel.carrier
    order_url = admin_url(Order, "change", parcel.order_id)
    yield format_html(
        '<a href="{}">{}</a>', order_url, _("Order %(number)s") % {"number": parcel.order.number}
    )
    yield format_html('<a href="{}">{}</a>', admin_url(FulfillmentOrder, "change", work.pk), work.number)
    yield _("shipment %(number)s from %(place)s") % {
        "number": parcel.shipment.number,
        "place": work.location.name,
    }
    yield _("left %(when)s") % {"when": local_text(parcel.shipment.shipped_at)}


def _statement(event: Any) -> dict[str, Any]:
    return {
        "badge": status_badge(ParcelStatus, event.status),
        "stated_at": localtime(event.stated_at),
        "source": _("our staff") if event.source == "staff" else event.source,
        "code": event.code,
    }


def parcel_rows(work: FulfillmentOrder, request: HttpRequest) -> list[dict[str, Any]]:
    """The parcels of a fulfillment order with the buttons that this person may press."""
    pages = admin.site.get_model_admin(Parcel)
    parcels = Parcel.objects.filter(shipment__fulfillment_order=work).select_related("shipment", "order")
    return [
        {
            "parcel": parcel,
            "url": admin_url(Parcel, "change", parcel.pk),
            "title": _("Parcel %(number)s") % {"number": parcel},
            "badge": status_badge(ParcelStatus, parcel.status),
            "at": localtime(parcel.delivered_at or parcel.shipment.shipped_at),
            "buttons": pages.buttons(request, parcel),  # type: ignore[attr-defined]
        }
        for parcel in parcels.order_by("pk")
    ]
