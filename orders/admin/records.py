"""What stands behind an order: raw bodies, holds, decisions, payments, mails."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ExtraVerb,
    Queue,
    ReadOnlyAdmin,
    ReasonForm,
    TransitionAdmin,
    admin_url,
    badge_column,
    bulk_action,
    describe,
    queue_filter,
    worded_filter,
)
from config.kernel.languages import readers_words
from config.kernel.machines import SETTLE
from config.kernel.templatetags.bancale import ago, badge, localtime, money, quantity
from orders.admin.decision import OUTCOMES, decision_words
from orders.admin.words import hold_reason, hold_text, hold_title, provider_words
from orders.enums import MailKind, PaymentStatus
from orders.models import AllocationDecision, Hold, MailDelivery, Notification, Order, Payment, RawOrder
from orders.privacy import SEE_PERSONAL
from orders.selectors.order_page import named_decision
from orders.selectors.work import mails_unknown, unread
from orders.services.mail_occasions import nobody_to_tell
from orders.services.mail_outcomes import mark_mails_sent, send_mails_again
from orders.services.mail_resending import RESEND, resend_mails
from orders.services.rereading import CLOSED, RAW_ORDER, close_raw_orders, retry_raw_orders
from orders.states import PLACE

MAIL_QUEUES = (Queue("unknown", _("Mails of unknown outcome"), mails_unknown, "stop", on_front=False),)


class OrderLinked:
    """A column that names the order and leads to it."""

    @admin.display(description=_("order"), ordering="order__number")
    def order_link(self, row: Any) -> Any:
        return linked_order(row.order)


class OfOrder(OrderLinked, ReadOnlyAdmin):
    """A record that belongs to an order."""

    list_select_related = ("order",)
    ordering = ("-id",)


def linked_order(order: Order | None) -> Any:
    if order is None:
        return "–"
    return format_html('<a href="{}">{}</a>', admin_url(Order, "change", order.pk), order.number)


def _is_open(row: RawOrder) -> bool:
    return row.order_id is None and row.settled_at is None


describe(RAW_ORDER, CLOSED, _("Nothing more to do"), detail="%(reason)s", tone="idle")


@admin.register(RawOrder)
class RawOrderAdmin(TransitionAdmin):
    """Bodies as they came; one that became no order can be tried again."""

    list_display = ("source", "external_id", "sales_channel", "outcome", "received", "problem_said")
    list_filter = (
        queue_filter((Queue("unread", _("Raw orders refused"), unread, "stop"),)),
        "source",
        "sales_channel",
    )
    list_select_related = ("sales_channel", "order")
    search_fields = ("=external_id", "=order__number")
    search_help_text = _("Channel reference or order number")
    ordering = ("-id",)
    fields = readonly_fields = (
        "sales_channel", "source", "external_id", "received_at", "settled_at", "order_link", "whole_problem",
        "shown_body",
    )  # fmt: skip
    empty_title = _("No raw orders yet")
    empty_text = _("Each order is kept here as it came, before anything reads it.")
    extra_verbs = (
        ExtraVerb(
            name="retry",
            label=_("Try again"),
            permission=PLACE.permission,
            tone="primary",
            verb=retry_raw_orders,
            applies=lambda row: _is_open(row),
            success=_("Accepted; this is the order."),
            consequences=lambda row: [
                _("The body is read once more; if it can be accepted now, the order is placed.")
            ],
            then=lambda _row, pk: admin_url(Order, "change", pk),
        ),
        ExtraVerb(
            name="close",
            label=_("Nothing more to do"),
            permission=PLACE.permission,
            verb=close_raw_orders,
            form=ReasonForm,
            applies=lambda row: _is_open(row) and bool(row.problem),
            success=_("It waits for nobody any more; body and problem stay here."),
            consequences=lambda row: [
                _("It leaves the queue of refused raw orders; nothing of it reaches an order.")
            ],
        ),
    )
    actions = (
        bulk_action(
            retry_raw_orders, PLACE.permission, _("Try again"), model="orders.RawOrder", done=_("accepted")
        ),
    )

    def timeline_of(self, obj: Any) -> list[Any] | None:
        """A body has no story but its outcome, and what a person decided."""
        return super().timeline_of(obj) or None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        # Bodies may be megabytes; the list shows none.
        return rows.defer("body") if match and match.url_name == "orders_raworder_changelist" else rows

    @admin.display(description=_("outcome"))
    def outcome(self, row: RawOrder) -> Any:
        if row.order_id is not None:
            return linked_order(row.order)
        if row.settled_at is not None:
            return badge(_("nothing more to do"), "idle")
        return badge(_("refused"), "stop") if row.problem else badge(_("waiting"), "wait")

    @admin.display(description=_("order"))
    def order_link(self, row: RawOrder) -> Any:
        return linked_order(row.order)

    @admin.display(description=_("received"), ordering="received_at")
    def received(self, row: RawOrder) -> Any:
        return ago(row.received_at)

    @admin.display(description=_("problem"))
    def problem_said(self, row: RawOrder) -> str:
        return readers_words(row.problem)[:120] or "–"

    @admin.display(description=_("problem"))
    def whole_problem(self, row: RawOrder) -> str:
        return readers_words(row.problem) or "–"

    @admin.display(description=_("body"))
    def shown_body(self, row: RawOrder) -> Any:
        return format_html('<pre class="body-text" tabindex="0">{}</pre>', row.body[:20_000])


class LiftedFilter(admin.SimpleListFilter):
    """Whether a hold still stands."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", capfirst(gettext("open"))), ("lifted", capfirst(gettext("lifted")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"open", "lifted"}:
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "open")


@admin.register(Hold)
class HoldAdmin(OfOrder):
    list_display = ("order_link", "kind", "said", "reason_said", "since", "lifted")
    list_display_links = ("kind",)
    list_filter = ("kind", LiftedFilter)
    search_fields = ("=order__number",)
    fields = readonly_fields = (
        "order_link",
        "kind",
        "explained",
        "reason_said",
        "opened_at",
        "opened_by",
        "lifted_at",
        "lifted_by",
    )
    needs = {"reason_said": SEE_PERSONAL}
    empty_title = _("Nothing has been held")
    empty_text = _("Rules hold an order that a person must look at; “Hold” on its page does it by hand.")

    @admin.display(description=_("why"))
    def said(self, row: Hold) -> str:
        return hold_title(row.kind, row.facts)

    @admin.display(description=_("why"))
    def explained(self, row: Hold) -> str:
        return f"{hold_title(row.kind, row.facts)} {hold_text(row, personal=False)}"

    @admin.display(description=_("reason"))
    def reason_said(self, row: Hold) -> str:
        return hold_reason(row) or "–"

    @admin.display(description=_("since"), ordering="opened_at")
    def since(self, row: Hold) -> Any:
        return ago(row.opened_at)

    @admin.display(description=_("lifted"), ordering="lifted_at")
    def lifted(self, row: Hold) -> Any:
        return localtime(row.lifted_at) if row.lifted_at else badge(_("open"), "stop")


@admin.register(AllocationDecision)
class AllocationDecisionAdmin(OfOrder):
    list_display = ("order_link", "in_words", "when", "units", "waiting_units")
    list_display_links = ("in_words",)
    list_filter = (("outcome", worded_filter(lambda code_: OUTCOMES.get(code_, code_))),)
    search_fields = ("=order__number",)
    fields = readonly_fields = ("order_link", "in_words", "decided_at", "said")
    empty_title = _("Nothing has been allocated")
    empty_text = _("Each time an order gets stock, the choice of locations stands here with its reasons.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {"title": gettext("Order %(number)s: where it ships from") % {"number": obj.order.number}}

    @admin.display(description=_("why"))
    def said(self, row: AllocationDecision) -> str:
        words = decision_words(named_decision(row)) or {}
        return " ".join(str(one) for part in ("chosen", "waiting", "others") for one in words.get(part, ()))

    @admin.display(description=_("outcome"), ordering="outcome")
    def in_words(self, row: AllocationDecision) -> Any:
        return OUTCOMES.get(row.outcome, row.outcome)

    @admin.display(description=_("decided"), ordering="decided_at")
    def when(self, row: AllocationDecision) -> Any:
        return localtime(row.decided_at)

    @admin.display(description=_("reserved"))
    def units(self, row: AllocationDecision) -> Any:
        return quantity(sum(share["quantity"] for share in row.chosen))

    @admin.display(description=_("waiting"))
    def waiting_units(self, row: AllocationDecision) -> Any:
        return quantity(sum(share["quantity"] for share in row.waiting))


@admin.register(Payment)
class PaymentAdmin(OfOrder):
    list_display = ("provider_said", "external_id", "order_link", "status_badge", "captured", "reported")
    list_filter = ("status", "provider", "owner")
    search_fields = ("=external_id", "=order__number")
    fields = readonly_fields = (
        "order_link", "provider_said", "external_id", "status", "owner", "authorised", "captured", "refunded",
        "reported_at",
    )  # fmt: skip
    status_badge = badge_column("status", PaymentStatus, _("status"))
    empty_title = _("No payments reported")
    empty_text = _("What a channel says was paid comes in with its orders; nobody enters it by hand.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        page = super().page_context(request, obj) or {}
        return {**page, "title": f"{provider_words(obj.provider)} {obj.external_id}"}

    @admin.display(description=_("provider"), ordering="provider")
    def provider_said(self, row: Payment) -> str:
        return provider_words(row.provider)

    @admin.display(description=_("authorised"))
    def authorised(self, row: Payment) -> Any:
        return money(row.authorised_amount, row.currency)

    @admin.display(description=_("refunded"))
    def refunded(self, row: Payment) -> Any:
        return money(row.refunded_amount, row.currency)

    @admin.display(description=_("captured"), ordering="captured_amount")
    def captured(self, row: Payment) -> Any:
        return money(row.captured_amount, row.currency)

    @admin.display(description=_("reported"), ordering="reported_at")
    def reported(self, row: Payment) -> Any:
        return ago(row.reported_at)


def _on_resend(mail: Notification) -> list[Any]:
    if why := nobody_to_tell(mail.order, MailKind(mail.kind)):
        return [{"text": gettext("Nobody would get it: %(why)s.") % {"why": why}, "tone": "stop"}]
    said: list[Any] = [
        gettext("The same words go once more to %(email)s.") % {"email": mail.order.email},
        gettext("Pressed twice within a minute it goes once."),
    ]
    if mail.order.email != mail.recipient:
        text = gettext("The first one went to %(email)s: the address was changed since.")
        said.append({"text": text % {"email": mail.recipient}, "tone": "wait"})
    return said


def _what_is_sent(mail: Notification) -> dict[str, Any]:
    rows = [[gettext("Subject"), mail.subject], [gettext("Text"), mail.body_text]]
    return {"columns": [gettext("Piece"), gettext("Words")], "rows": rows}


@admin.register(Notification)
class NotificationAdmin(OrderLinked, TransitionAdmin):
    """Mails as they left; one whose outcome nobody knows waits for a person's word."""

    list_select_related = ("order",)
    name_needs = SEE_PERSONAL
    ordering = ("-id",)
    list_display = ("subject", "order_link", "recipient", "outcome", "when")
    list_filter = (queue_filter(MAIL_QUEUES), "kind", "language")
    search_fields = ("=order__number", "=recipient")
    fields = readonly_fields = (
        "order_link", "kind", "recipient", "language", "subject", "text", "message_id", "sending_at", "sent_at",
        "attempts",
    )  # fmt: skip
    empty_title = _("No mail has been sent")
    empty_text = _(
        "Buyers are written to when an order is confirmed, waits, changes or leaves, as its channel says."
    )
    extra_verbs = (
        ExtraVerb(
            name="mark_sent",
            label=_("It was sent"),
            permission=SETTLE,
            verb=mark_mails_sent,
            form=ReasonForm,
            applies=lambda mail: mail.sent_at is None,
            success=_("Noted as sent."),
            consequences=lambda mail: [_("Nothing is sent. Say where you saw that it arrived.")],
        ),
        ExtraVerb(
            name="send_again",
            label=_("Send it again"),
            permission=SETTLE,
            verb=send_mails_again,
            applies=lambda mail: mail.sent_at is None,
            success=_("It is due again; a worker sends it within seconds."),
            consequences=lambda mail: [
                gettext("A new mail goes to %(email)s; if the first one did arrive, the buyer gets two.")
                % {"email": mail.recipient}
            ],
            then=lambda mail, _value: admin_url(Order, "change", mail.order_id),
        ),
        ExtraVerb(
            name="resend",
            label=_("Send once more"),
            permission=RESEND,
            verb=resend_mails,
            form=ReasonForm,
            applies=lambda mail: mail.sent_at is not None,
            success=_("It is due; a worker sends it within seconds."),
            consequences=_on_resend,
            lines=_what_is_sent,
            undo=_("A mail that has left cannot be taken back."),
            then=lambda mail, _value: admin_url(Order, "change", mail.order_id),
        ),
    )

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """No entry in the navigation: the log of mails stands there, and leads here."""
        return {}

    def timeline_of(self, obj: Any) -> None:
        """A mail's story stands on its order."""
        return

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body_html")

    @admin.display(description=_("outcome"), ordering="sent_at")
    def outcome(self, row: Notification) -> Any:
        return badge(_("sent"), "ok") if row.sent_at else badge(_("outcome unknown"), "stop")

    @admin.display(description=_("at"), ordering="sending_at")
    def when(self, row: Notification) -> Any:
        return localtime(row.sent_at or row.sending_at)

    @admin.display(description=_("attempts"))
    def attempts(self, row: Notification) -> Any:
        if row.delivery_id is None:
            return "–"
        url = admin_url(MailDelivery, "change", row.delivery_id)
        return format_html('<a href="{}">{}</a>', url, gettext("In the log"))

    @admin.display(description=_("text"))
    def text(self, row: Notification) -> Any:
        return format_html('<pre class="body-text" tabindex="0">{}</pre>', row.body_text)
