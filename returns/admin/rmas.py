"""Returns: the list with its queues, and the page that guides goods from the door to the shelf."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import (
    Queue,
    SeenFilter,
    TransitionAdmin,
    admin_url,
    badge_column,
    bulk_action,
    queue_filter,
    status_badge,
)
from config.kernel.admin.timeline import in_words
from config.kernel.models import Event
from config.kernel.templatetags.bancale import ago, local_text, quantity
from inventory.admin.closing import PlaceUse, register_place_use
from inventory.models import Location
from orders.models import Order
from orders.privacy import SEE_PERSONAL
from returns.admin.forms import labels_of, units_of
from returns.admin.verbs import EXTRA_VERBS, RMA_VERBS, count_of
from returns.enums import ORDER_VOID, Disposition, Reception, RmaStatus
from returns.models import Rma
from returns.selectors import queues
from returns.selectors.search import search_returns
from returns.services.approving import approve_returns
from returns.states import APPROVE, CANCEL, RMA

TO_COME = CANCEL.sources
QUEUES = (
    Queue(
        "to_approve",
        gettext_lazy("Returns to approve"),
        queues.to_approve,
        "wait",
        APPROVE.permission,
        "requested_at",
    ),
    Queue("to_receive", gettext_lazy("Returns expected"), queues.to_receive, "info", on_front=False),
    Queue("to_inspect", gettext_lazy("Returns to inspect"), queues.to_inspect, since="received_at"),
    Queue("to_close", gettext_lazy("Returns to close"), queues.to_close, "info", on_front=False),
    Queue("refurbishing", gettext_lazy("Being refurbished"), queues.refurbishing, "info", on_front=False),
)


@register_place_use
def returns_to(location: Location) -> PlaceUse | None:
    """Returns whose goods are yet to come back to a location find it closed."""
    count = Rma.objects.filter(location=location, status__in=TO_COME).count()
    if not count:
        return None
    text = ngettext(
        "%(count)s return is to come back here. Nothing is received at a closed location: cancel it, and request "
        "it to another one.",
        "%(count)s returns are to come back here. Nothing is received at a closed location: cancel them, and "
        "request them to another one.",
        count,
    )
    query = f"location__id__exact={location.pk}&status__in={','.join(sorted(TO_COME))}"
    return PlaceUse(text % {"count": count}, Rma, query)


@admin.register(Rma)
class RmaAdmin(TransitionAdmin):
    machine = RMA
    lock_kind = "order"
    lock_through = "order"
    verbs = RMA_VERBS
    extra_verbs = EXTRA_VERBS
    change_form_template = "returns/rma.html"
    list_display = ("number", "shown_status", "order_link", "why", "asked", "location", "since")
    list_filter = (queue_filter(QUEUES), "status", "reason", ("location", SeenFilter))
    list_select_related = ("order", "location")
    search_fields = ("number",)
    search_help_text = gettext_lazy("Number, order or e-mail")
    ordering = ("-id",)
    shown_status = badge_column("status", RmaStatus, gettext_lazy("status"))
    actions = (
        bulk_action(
            approve_returns,
            APPROVE.permission,
            APPROVE.label,
            model="returns.Rma",
            done=gettext_lazy("approved"),
            consequences=(gettext_lazy("The goods may come back."),),
        ),
    )
    empty_title = gettext_lazy("No returns yet")
    empty_text = gettext_lazy("A return begins on the page of an order whose goods have left.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rma]:
        rows: QuerySet[Rma] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "returns_rma_changelist":
            return queues.with_units(rows)
        return rows.select_related("order", "location")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Rma], search_term: str
    ) -> tuple[QuerySet[Rma], bool]:
        term = search_term.strip()[:254]
        if not term:
            return queryset, False
        return search_returns(queryset, term, personal=request.user.has_perm(SEE_PERSONAL)), False

    def search_hint(self, request: HttpRequest) -> Any:
        return self.search_help_text if request.user.has_perm(SEE_PERSONAL) else _("Number or order")

    def timeline_of(self, obj: Rma) -> list[Any]:
        """Its own events and those of its units."""
        own = Q(subject_type="rma", subject_id=obj.pk) | Q(thread_type="rma", thread_id=obj.pk)
        return list(in_words(Event.objects.filter(own).order_by("-id")[: self.timeline_limit]))

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        labels = labels_of(obj)
        return {
            **page,
            "title": _("Return %(number)s") % {"number": obj.number},
            "sub": list(_sub(obj)),
            "notices": list(_notices(obj)),
            "steps": _steps(obj),
            "show_form": False,
            "units": [
                {
                    "label": labels[unit.pk],
                    "reception": status_badge(Reception, unit.reception),
                    "condition": unit.get_condition_display() if unit.condition else "",
                    "disposition": status_badge(Disposition, unit.disposition) if unit.disposition else "",
                }
                for unit in units_of(obj)
            ],
            "facts": list(_facts(obj)),
        }

    @admin.display(description=gettext_lazy("order"), ordering="order__number")
    def order_link(self, row: Rma) -> Any:
        return format_html('<a href="{}">{}</a>', admin_url(Order, "change", row.order_id), row.order.number)

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def why(self, row: Rma) -> str:
        return str(row.get_reason_display())

    @admin.display(description=gettext_lazy("units"), ordering="unit_count")
    def asked(self, row: Any) -> Any:
        return quantity(row.unit_count)

    @admin.display(description=gettext_lazy("requested"), ordering="requested_at")
    def since(self, row: Rma) -> Any:
        return ago(row.requested_at)


def _sub(rma: Rma) -> Any:
    url = admin_url(Order, "change", rma.order_id)
    yield format_html('<a href="{}">{}</a>', url, _("Order %(number)s") % {"number": rma.order.number})
    yield _("requested %(when)s") % {"when": local_text(rma.requested_at)}
    yield _("comes back to %(place)s") % {"place": rma.location.name}


def _notices(rma: Rma) -> Any:
    expected = count_of(rma, reception=Reception.EXPECTED)
    if rma.status == RmaStatus.RECEIVED and expected:
        text = ngettext("%(n)s unit is still expected.", "%(n)s units are still expected.", expected)
        yield {
            "tone": "wait",
            "title": text % {"n": expected},
            "text": _("“Receive the rest” counts it in, or says that it will not come."),
        }


def _steps(rma: Rma) -> list[tuple[str, str]]:
    if rma.status in (RmaStatus.REJECTED, RmaStatus.CANCELLED, RmaStatus.EXPIRED):
        return [(_("Requested"), "done"), (str(RmaStatus(rma.status).label), "stop")]
    words = [
        (_("Requested"), _("Requested")),
        (_("Approve"), _("Approved")),
        (_("Receive"), _("Received")),
        (_("Inspect"), _("Inspected")),
        (_("Close"), _("Closed")),
    ]
    reached = {
        RmaStatus.REQUESTED: 1,
        RmaStatus.APPROVED: 2,
        RmaStatus.IN_TRANSIT: 2,
        RmaStatus.RECEIVED: 3,
        RmaStatus.INSPECTED: 4,
        RmaStatus.RESOLVED: 5,
    }[RmaStatus(rma.status)]
    return [
        (past, "done") if place < reached else (verb, "now" if place == reached else "")
        for place, (verb, past) in enumerate(words)
    ]


def _facts(rma: Rma) -> Any:
    yield _("Reason"), rma.get_reason_display()
    yield _("Comes back to"), rma.location.name
    if rma.received_at is not None:
        yield _("Received"), local_text(rma.received_at)
    if rma.resolved_at is not None:
        yield _("Closed"), local_text(rma.resolved_at)
    if rma.closed_reason:
        is_ours = rma.closed_reason == ORDER_VOID
        yield _("Closed because"), _("its order was taken away") if is_ours else rma.closed_reason
