"""Orders: the list with its work queues, and the page where an order is read and moved on."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ExtraVerb,
    OptionalColumn,
    Queue,
    TransitionAdmin,
    Undo,
    badge_column,
    bulk_action,
    offer_columns,
    queue_filter,
    register_bulk,
    status_badge,
)
from config.kernel.templatetags.bancale import badge, localtime, money
from orders.admin.details import details_view
from orders.admin.hold_filter import HoldFilter, hold_reasons
from orders.admin.mail_news import cancellation_mails, mails_of_many
from orders.admin.marks import NoteForm, TagFilter, TagForm, one_tag, tag_orders, untag_orders
from orders.admin.new_order import new_order_view
from orders.admin.new_order_sums import skus_view
from orders.admin.order_columns import COLUMNS
from orders.admin.order_mails import mails_view
from orders.admin.page import page_of
from orders.admin.panels import extra_buttons
from orders.admin.sold import SoldFilter
from orders.admin.verbs import (
    EXTRA_VERBS,
    ORDER_VERBS,
    WITH_ADDRESS,
    BulkLiftForm,
    CancelForm,
    HoldAgainForm,
    HoldForm,
    hold_orders,
)
from orders.enums import FulfillmentStatus, HoldKind, MailKind, OrderStatus, PaymentAxis
from orders.models import Order
from orders.privacy import SEE_MONEY, SEE_PERSONAL
from orders.selectors import work
from orders.selectors.order_page import with_page_rows
from orders.selectors.search import search_numbers, search_orders
from orders.services.allocating import ALLOCATE, allocate_orders
from orders.services.cancelling import cancel_orders
from orders.services.completing import complete_orders, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.holding_again import hold_again
from orders.services.holds import HOLD_ORDER, release_holds
from orders.services.noting import NOTE, TAG, add_note
from orders.services.reallocating import reallocate_orders
from orders.states import CANCEL, COMPLETE, CONFIRM, ORDER, PLACE, REOPEN


def days_over(rows: QuerySet[Order]) -> str:
    """For how many days the oldest promise of late orders has been broken, by its legal entity's day; one statement."""
    oldest = rows.select_related("legal_entity").order_by("dispatch_by_on", "pk").first()
    days = work.days_late(oldest) if oldest is not None else 0
    return ngettext("%(n)d day over", "%(n)d days over", days) % {"n": days}


ORDER_QUEUES = (
    Queue("to_confirm", _("To confirm"), work.to_confirm, "info", CONFIRM.permission, "accepted_at"),
    Queue(
        "on_hold", pgettext_lazy("orders", "On hold"), work.on_hold, "stop", HOLD_ORDER, reasons=hold_reasons
    ),
    Queue("unknown_sku", _("Unmapped SKU"), work.unknown_sku, "stop", ALLOCATE, "accepted_at"),
    Queue("to_allocate", _("To allocate"), work.to_allocate, "wait", ALLOCATE, "accepted_at"),
    Queue("backordered", _("Backordered"), work.backordered, "wait", ALLOCATE, "placed_at"),
    Queue("late", _("Late"), work.late, "stop", detail=days_over),
)

ORDER_ACTIONS = (
    bulk_action(
        confirm_orders, CONFIRM.permission, CONFIRM.label, model="orders.Order", done=_("confirmed"),
        foresee=mails_of_many(MailKind.CONFIRMATION),
    ),
    bulk_action(
        allocate_orders, ALLOCATE, _("Allocate stock"), model="orders.Order",
        done=pgettext_lazy("how many", "decided"),
        consequences=(_("What is free is reserved, what is missing waits in line."),),
        foresee=mails_of_many(MailKind.BACKORDER, when=_("When it has to wait for stock")),
    ),
    bulk_action(
        hold_orders, HOLD_ORDER, _("Hold…"), model="orders.Order", done=_("held"), form=HoldForm,
        consequences=(_("Nothing of them leaves until the hold is lifted."),),
        trial={"kind": HoldKind.MANUAL, "reason": "-"},
        foresee=mails_of_many(MailKind.HOLD, when=WITH_ADDRESS),
        undo=Undo(release_holds, lambda given: {"kind": given["kind"], "reason": given["reason"]}),
        names=("kind",),
    ),
    bulk_action(
        release_holds, HOLD_ORDER, _("Lift hold…"), model="orders.Order",
        done=pgettext_lazy("how many", "lifted"), form=BulkLiftForm, trial={"kind": HoldKind.MANUAL},
        undo=Undo(hold_again, lambda given: {"kind": given["kind"], "since": given["since"]}), names=("kind",),
        consequences=(
            _("What a channel's rule confirms is confirmed at once where nothing else holds it, with its mail."),
        ),
    ),
    bulk_action(
        reallocate_orders, ALLOCATE, _("Plan anew"), model="orders.Order",
        done=pgettext_lazy("how many", "planned anew"),
        consequences=(_("As many units stay reserved, from better places where there are any."),),
    ),
    bulk_action(
        add_note, NOTE, _("Note…"), model="orders.Order", done=pgettext_lazy("how many", "noted"), form=NoteForm,
        trial={"text": "-"},
    ),
    bulk_action(
        tag_orders, TAG, _("Tag…"), model="orders.Order", done=pgettext_lazy("how many", "tagged"), form=TagForm,
        undo=Undo(untag_orders, one_tag), names=("tags",),
    ),
    bulk_action(
        untag_orders, TAG, _("Take tags off…"), model="orders.Order",
        done=pgettext_lazy("how many", "changed"), form=TagForm, undo=Undo(tag_orders, one_tag),
        names=("tags",),
    ),
    bulk_action(
        complete_orders, COMPLETE.permission, COMPLETE.label, model="orders.Order",
        done=pgettext_lazy("how many", "completed"),
        consequences=(
            _("Orders of which all has left are over, also where nobody said that it arrived."),
            _("Nothing more is expected of them. Returns stay possible."),
        ),
        undo=Undo(reopen_orders, lambda given: {}),
    ),
    bulk_action(
        cancel_orders, CANCEL.permission, _("Cancel…"), model="orders.Order",
        done=pgettext_lazy("how many", "cancelled"),
        form=CancelForm, risk=True,
        consequences=(_("Their stock is free for others at once; it cannot be taken back."),),
        trial={"reason": "-"}, foresee=cancellation_mails, names=("reason",),
    ),
)  # fmt: skip


register_bulk(
    hold_again, HOLD_ORDER, _("Hold again"), model="orders.Order", done=_("held again"), form=HoldAgainForm,
    names=("kind",),
)  # fmt: skip
register_bulk(
    reopen_orders, REOPEN.permission, REOPEN.label, model="orders.Order",
    done=pgettext_lazy("how many", "open again"),
)  # fmt: skip


@admin.register(Order)
class OrderAdmin(TransitionAdmin):
    machine = ORDER
    lock_kind = "order"
    verbs = ORDER_VERBS
    change_form_template = "orders/order.html"
    list_display = (
        "number", "status_held", "goods", "payment", "sales_channel", "buyer", "total", "placed", "leaves_by",
    )  # fmt: skip
    list_filter: ClassVar[tuple[Any, ...]] = (
        queue_filter(ORDER_QUEUES),
        "status",
        "fulfillment_status",
        "payment_status",
        "sales_channel",
        HoldFilter,
        TagFilter,
        SoldFilter,
        "is_history",
    )
    # What has an index; by status and channel one filters.
    sortable_by = ("number", "placed", "leaves_by")
    list_select_related = ("sales_channel", "customer", "ship_to")
    search_fields = ("number",)
    search_help_text = _("Number, name, phone, e-mail, SKU, tracking…")
    ordering = ("-placed_at", "-id")
    needs = {
        "buyer": SEE_PERSONAL, "total": SEE_MONEY, "payment": SEE_MONEY, "payment_status": SEE_MONEY,
    }  # fmt: skip
    actions: tuple[Any, ...] = ORDER_ACTIONS
    goods = badge_column("fulfillment_status", FulfillmentStatus, _("fulfillment"))
    payment = badge_column("payment_status", PaymentAxis, _("payment"))
    empty_title = _("No orders yet")
    empty_text = _(
        "They come in from your sales channels; an order from the phone is entered with “New order”."
    )

    def get_extra_verbs(self) -> Sequence[ExtraVerb]:
        return (*EXTRA_VERBS, *extra_buttons())

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(partial(view, self)),
                name=f"orders_order_{name}",
            )
            for name, view in (("mails", mails_view), ("edit", details_view))
        ]
        skus = self.admin_site.admin_view(skus_view)
        return [*own, path("add/skus/", skus, name="orders_order_skus"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name == "orders_order_changelist":
            if request.GET.get("status__exact") != OrderStatus.VOID:
                rows = rows.exclude(status=OrderStatus.VOID)
            return work.with_holds(rows)
        return with_page_rows(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        find = search_orders if request.user.has_perm(SEE_PERSONAL) else search_numbers
        return find(queryset, search_term[:200]), False

    def search_hint(self, request: HttpRequest) -> Any:
        if request.user.has_perm(SEE_PERSONAL):
            return self.search_help_text
        return _("Number, reference, SKU, tracking…")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PLACE.permission)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return new_order_view(self, request)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, **page_of(obj, request)}

    @admin.display(description=_("status"), ordering="status")
    def status_held(self, row: Any) -> Any:
        status = status_badge(OrderStatus, row.status)
        return format_html("{} {}", status, badge(_("On hold"), "stop")) if row.is_held else status

    @admin.display(description=_("buyer"))
    def buyer(self, row: Order) -> str:
        """Where a marketplace tells no buyer, whom the goods go to: by that name the order is searched for too."""
        names = (row.customer.name if row.customer else "", row.ship_to.name if row.ship_to else "")
        return next((name for name in (*names, row.email) if name), "–")

    @admin.display(description=_("total"))
    def total(self, row: Order) -> Any:
        return money(row.owed_amount, row.currency)

    @admin.display(description=_("placed"), ordering="placed_at")
    def placed(self, row: Order) -> Any:
        return localtime(row.placed_at)

    @admin.display(description=_("leaves by"), ordering="dispatch_by_on")
    def leaves_by(self, row: Order) -> str:
        return date_format(row.dispatch_by_on, gettext("j M")) if row.dispatch_by_on else "–"


offer_columns(OrderAdmin, *COLUMNS)


def add_order_queue(queue: Queue, *, after: str) -> None:
    """Add an upper room's work queue to the order list, behind another one; called once, from its own `admin`."""
    offered = list(OrderAdmin.list_filter[0].offered)
    place = [one.name for one in offered].index(after) + 1
    queues = (*offered[:place], queue, *offered[place:])
    OrderAdmin.list_filter = (queue_filter(queues), *OrderAdmin.list_filter[1:])


def add_order_filter(one: Any) -> None:
    """Add an upper room's filter to the order list, as the last."""
    OrderAdmin.list_filter = (*OrderAdmin.list_filter, one)


def add_order_action(action: Any, *, place: int) -> None:
    """Add an upper room's bulk action (`bulk_action` of "orders.Order") to the order list, as the `place`-th."""
    actions = list(OrderAdmin.actions)
    OrderAdmin.actions = (*actions[:place], action, *actions[place:])


def add_order_column(column: OptionalColumn) -> None:
    """Let people add an upper room's column to the order list, offered as the last."""
    offer_columns(OrderAdmin, column)
