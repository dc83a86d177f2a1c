"""The log of mails: every one that buyers are owed or were sent, with each try and what came of it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ExtraVerb,
    Queue,
    ReasonForm,
    TransitionAdmin,
    TransitionVerb,
    admin_url,
    bulk_action,
    queue_filter,
    status_pair,
)
from config.kernel.admin.failure_words import failure_words
from config.kernel.admin.outbox import AttemptInline, list_elsewhere
from config.kernel.admin.subjects import call_subscribers
from config.kernel.deliveries import retry_deliveries
from config.kernel.enums import DeliveryState
from config.kernel.languages import readers_words
from config.kernel.locks import lock_rows
from config.kernel.machines import DELIVERY, SETTLE
from config.kernel.models import Attempt
from config.kernel.templatetags.bancale import badge, localtime
from inventory.admin.pages import PageAdmin
from orders.admin.order_mails import kind_words
from orders.admin.records import linked_order
from orders.mail_kinds import AGAIN_MAIL, KINDS, MAILS
from orders.models import MailDelivery, Notification, Order
from orders.privacy import SEE_PERSONAL
from orders.selectors.owed_mails import HELD_BACK, facts_of, set_kinds
from orders.services.mail_stopping import STOP_MAILS, suppress_mails

STUCK = (DeliveryState.DEAD, DeliveryState.UNKNOWN)
WAITING = (DeliveryState.DUE, DeliveryState.IN_FLIGHT, DeliveryState.FAILED)


def stuck(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Given up, or with an unknown outcome: a person decides."""
    return rows.filter(state__in=STUCK)


def waiting(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Due, on their way, or to be tried again."""
    return rows.filter(state__in=WAITING)


LOG_QUEUES = (
    Queue("stuck", _("Mails that need a decision"), stuck, "stop", on_front=False),
    Queue("waiting", _("Mails not sent yet"), waiting, on_front=False),
)


def mail_state(state: str) -> tuple[str, str]:
    """A mail's state in words and its tone: what counts as delivered was handed to the server."""
    return (gettext("Sent"), "ok") if state == DeliveryState.DELIVERED else status_pair(DeliveryState, state)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, mail_state(state)[0]) for state in DeliveryState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    title = _("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(subscriber, _kind_name(subscriber)) for subscriber in MAILS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subscriber=self.value()) if self.value() else queryset


class TryInline(AttemptInline):
    @admin.display(description=_("why"))
    def why(self, row: Attempt) -> str:
        return failure_words(row.error).title or "–"

    def shown(self, outcome: str) -> Any:
        return badge(*mail_state(outcome))


list_elsewhere(MAILS)
call_subscribers(
    {subscriber: kind.label for subscriber, kind in KINDS.items()} | {AGAIN_MAIL: _("Repeated mail")}
)


def _kind_name(subscriber: str) -> str:
    kind = KINDS.get(subscriber)
    return str(kind.label) if kind else gettext("Repeated mail")


def read_rows(rows: list[Any]) -> None:
    """Put on each mail its kind, its order and what was sent; four statements at most."""
    set_kinds(rows)
    orders = Order.objects.in_bulk({row.order_pk for row in rows})
    ids = [row.pk for row in rows]
    sent = {
        mail.delivery_id: mail for mail in Notification.objects.filter(delivery__in=ids).defer("body_html")
    }
    for row in rows:
        row.order_of_it, row.sent_mail = orders.get(row.order_pk), sent.get(row.pk)


def _failed(row: Any) -> list[dict[str, Any]]:
    """Why it did not leave, and what can be done."""
    failure = failure_words(row.last_error)
    if row.state not in (*STUCK, DeliveryState.FAILED) or not failure.title:
        return []
    return [{"tone": "stop", "title": f"{failure.title}.", "text": failure.advice}]


def _read(row: Any) -> Any:
    if not hasattr(row, "sent_mail"):
        read_rows([row])
    return row


@admin.register(MailDelivery)
class MailDeliveryAdmin(PageAdmin, TransitionAdmin):
    machine = DELIVERY
    list_display = ("mail", "order_link", "state_badge", "recipient", "attempt_count", "when", "said")
    list_filter = (
        queue_filter(LOG_QUEUES),
        StateFilter,
        KindFilter,
    )
    list_select_related = ("fact",)
    search_fields = ("subscriber",)
    search_help_text = _("Number of the order")
    ordering = ("-id",)
    needs = {"recipient": SEE_PERSONAL}
    fields = readonly_fields = (
        "mail", "order_link", "recipient", "what_was_sent", "attempt_count", "due", "settled", "error_text",
    )  # fmt: skip
    inlines = (TryInline,)
    empty_title = _("No mail has been due yet")
    empty_text = _("Each mail to a buyer stands here from the moment it is due, with every try to send it.")
    verbs = {
        "retry": TransitionVerb(
            verb=retry_deliveries,
            success=_("It is due again; a worker takes it within seconds."),
            consequences=lambda row: [
                _("It is sent as it reads now, if there is still a reason to send it.")
            ],
            applies=lambda row: row.state != DeliveryState.UNKNOWN,
        )
    }
    extra_verbs = (
        ExtraVerb(
            name="keep_back",
            label=_("Do not send…"),
            permission=STOP_MAILS,
            tone="risk",
            verb=suppress_mails,
            form=ReasonForm,
            effect=_("Do not send"),
            success=_("They never leave."),
            consequences=lambda row: [
                _("The buyer never hears of it by mail; other mails of the order go on.")
            ],
            undo=_("It cannot be taken back."),
            applies=lambda row: row.state in HELD_BACK,
        ),
    )
    actions = (
        bulk_action(retry_deliveries, SETTLE, _("Try again"), model="orders.MailDelivery", done=_("due again")),
        bulk_action(
            suppress_mails, STOP_MAILS, _("Do not send…"), model="orders.MailDelivery", done=_("suppressed"),
            form=ReasonForm, risk=True,
        ),
    )  # fmt: skip

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        read_rows(rows)

    def locked(self, pk: int) -> Any:
        """The mail with its order's row locked, as its verbs lock it first."""
        row = self.model._default_manager.filter(pk=pk).first()
        if row is not None:
            lock_rows("order", Order.objects.filter(pk=row.order_pk))
        return self.model._default_manager.filter(pk=pk).first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        number = search_term.strip()[:40]
        if not number:
            return queryset, False
        ids = list(Order.objects.filter(number=number).values_list("pk", flat=True))
        return queryset.filter(facts_of(ids)), False

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        page = super().page_context(request, obj) or {}
        return {
            **page,
            "title": kind_words(_read(obj)),
            "badges": [mail_state(obj.state)],
            "notices": _failed(obj),
            "timeline": page.get("timeline") or None,
        }

    @admin.display(description=_("mail"), ordering="subscriber")
    def mail(self, row: Any) -> str:
        return kind_words(_read(row))

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, row: Any) -> Any:
        return badge(*mail_state(row.state))

    @admin.display(description=_("order"))
    def order_link(self, row: Any) -> Any:
        return linked_order(_read(row).order_of_it)

    @admin.display(description=_("recipient"))
    def recipient(self, row: Any) -> str:
        found = _read(row)
        if found.sent_mail is not None:
            return str(found.sent_mail.recipient)
        return (found.order_of_it.email if found.order_of_it else "") or "–"

    @admin.display(description=_("at"), ordering="due_at")
    def when(self, row: Any) -> Any:
        return localtime(row.settled_at or row.due_at)

    @admin.display(description=_("due"))
    def due(self, row: Any) -> Any:
        return localtime(row.due_at)

    @admin.display(description=_("settled"))
    def settled(self, row: Any) -> Any:
        return localtime(row.settled_at) if row.settled_at else "–"

    @admin.display(description=_("last error"))
    def error_text(self, row: Any) -> str:
        """As it was kept, for whoever looks after the server."""
        return readers_words(row.last_error) or "–"

    @admin.display(description=_("said"))
    def said(self, row: Any) -> str:
        return failure_words(row.last_error).title[:80] or "–"

    @admin.display(description=_("what was sent"))
    def what_was_sent(self, row: Any) -> Any:
        sent = _read(row).sent_mail
        if sent is None:
            return "–"
        return format_html('<a href="{}">{}</a>', admin_url(Notification, "change", sent.pk), sent.subject)
