"""The outbox: what is owed to whom, what failed, and what a person decides about it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.admin.addresses import admin_url
from config.kernel.admin.base import ReadOnlyAdmin, ReadOnlyTabularInline
from config.kernel.admin.bulk import bulk_action
from config.kernel.admin.failure_words import failure_text, failure_words
from config.kernel.admin.filters import worded_filter
from config.kernel.admin.presses import ReasonForm, TransitionVerb
from config.kernel.admin.queues import Queue, queue_filter
from config.kernel.admin.subjects import SubjectAdmin, fact_words, named_subjects, subscriber_words, unnamed
from config.kernel.admin.timeline import describe
from config.kernel.admin.tones import badge_column, status_badge
from config.kernel.admin.transitions import TransitionAdmin
from config.kernel.deliveries import mark_delivered, retry_deliveries, suppress_deliveries
from config.kernel.enums import DeliveryState
from config.kernel.machines import DELIVERY, SETTLE
from config.kernel.models import Attempt, Delivery, Fact
from config.kernel.templatetags.bancale import ago, code, localtime

_listed_elsewhere: set[str] = set()


def list_elsewhere(subscribers: Iterable[str]) -> None:
    """Say that what these subscribers are owed stands in a list of its own, with a queue of what failed."""
    _listed_elsewhere.update(subscribers)


def dead_letters(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Given up, or with an unknown outcome: only a person moves them on. Each stands in one queue only."""
    given_up = rows.filter(state__in=[DeliveryState.DEAD, DeliveryState.UNKNOWN])
    return given_up.exclude(subscriber__in=sorted(_listed_elsewhere))


def failing(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Tried and not done; the next try has its time."""
    return rows.filter(state=DeliveryState.FAILED)


def overdue(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Due now and not yet taken by a worker."""
    return rows.filter(state__in=[DeliveryState.DUE, DeliveryState.FAILED], due_at__lte=clock.now())


DELIVERY_QUEUES = (
    Queue("dead", _("Failed deliveries"), dead_letters, "stop", since="due_at"),
    Queue("failing", _("Failing, tried again"), failing, on_front=False),
    Queue("due", _("Due now"), overdue, "info", on_front=False),
)

LANES = {"mail": _("Mails"), "work": _("Everything else")}


def lane_words(lane: str) -> str:
    """What goes in a lane of its own, so that one does not wait behind the other."""
    return str(LANES.get(lane, lane))


describe("delivery", "retry", _("Tried again"), tone="info")
describe("delivery", "suppress", _("Suppressed"), detail="%(reason)s")
describe("delivery", "deliver", _("Marked as delivered"), detail="%(reason)s", tone="ok")


class AttemptInline(ReadOnlyTabularInline):
    """The tries of one delivery; `shown` says how one ended, for a list that tells its states in other words."""

    model = Attempt
    fields = readonly_fields = ("nth", "began", "ended", "came_of_it", "why")
    verbose_name_plural = _("Attempts")

    @admin.display(description=_("try"))
    def nth(self, row: Attempt) -> int:
        return row.number

    @admin.display(description=_("began"))
    def began(self, row: Attempt) -> Any:
        return localtime(row.started_at)

    @admin.display(description=_("ended"))
    def ended(self, row: Attempt) -> Any:
        return localtime(row.ended_at) if row.ended_at else "–"

    @admin.display(description=_("outcome"))
    def came_of_it(self, row: Attempt) -> Any:
        return self.shown(row.outcome) if row.outcome else "–"

    @admin.display(description=_("why"))
    def why(self, row: Attempt) -> str:
        return failure_text(row.error) or "–"

    def shown(self, outcome: str) -> Any:
        return status_badge(DeliveryState, outcome)


@admin.register(Delivery)
class DeliveryAdmin(SubjectAdmin, TransitionAdmin):
    machine = DELIVERY
    list_display = ("name", "fact_kind", "subject", "state_badge", "attempt_count", "due", "error")
    list_filter = (
        queue_filter(DELIVERY_QUEUES),
        "state",
        ("lane", worded_filter(lane_words)),
        ("subscriber", worded_filter(subscriber_words)),
    )
    list_select_related = ("fact",)
    search_fields = ("fact__kind", "subscriber", "=fact__subject_id")
    subject_fields = (("fact__subject_type", "fact__subject_id"),)
    search_help_text = _("Number of what it is about, or code of the fact or subscriber")
    ordering = ("-id",)
    fields = readonly_fields = (
        "name", "subscriber", "fact_kind", "subject", "lane_said", "attempt_count",
        "due_at", "lease_until", "settled_at", "why", "fact_payload",
    )  # fmt: skip
    inlines = (AttemptInline,)
    empty_title = _("Nothing has been sent yet")
    empty_text = _("Each fact that others must hear of appears here, with every try to deliver it.")
    verbs = {
        "retry": TransitionVerb(
            verb=retry_deliveries,
            success=_("It is due again; a worker takes it within seconds."),
            consequences=lambda row: [
                _("“%(name)s” is called once more with this fact.")
                % {"name": subscriber_words(row.subscriber)},
                *(
                    [_("Nobody knows whether the last try arrived: it may happen twice.")]
                    if _unknown(row)
                    else []
                ),
            ],
        ),
        "deliver": TransitionVerb(
            verb=mark_delivered,
            form=ReasonForm,
            success=_("Marked as delivered; nothing is sent any more."),
            consequences=lambda row: [_("Nothing is sent. Say where you saw that it arrived.")],
            blocked=lambda row: _in_flight(row),
        ),
        "suppress": TransitionVerb(
            verb=suppress_deliveries,
            form=ReasonForm,
            success=_("Suppressed; nothing is owed any more."),
            consequences=lambda row: [
                _("“%(name)s” never hears of this fact.") % {"name": subscriber_words(row.subscriber)}
            ],
            blocked=lambda row: _in_flight(row),
        ),
    }
    actions = (
        bulk_action(
            retry_deliveries, SETTLE, _("Try again"), model="kernel.Delivery", done=_("due again")
        ),
        bulk_action(
            suppress_deliveries, SETTLE, _("Suppress…"), model="kernel.Delivery", done=_("suppressed"),
            form=ReasonForm, risk=True,
        ),
    )  # fmt: skip
    state_badge = badge_column("state", DeliveryState, _("state"))

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        found = named_subjects(((row.fact.subject_type, row.fact.subject_id) for row in rows), request)
        for row in rows:
            row.about = found[row.fact.subject_type, row.fact.subject_id]

    @admin.display(description=_("delivery"), ordering="subscriber")
    def name(self, row: Delivery) -> str:
        return subscriber_words(row.subscriber)

    @admin.display(description=_("fact"), ordering="fact__kind")
    def fact_kind(self, row: Delivery) -> str:
        return fact_words(row.fact.kind)

    @admin.display(description=_("lane"))
    def lane_said(self, row: Delivery) -> str:
        return lane_words(row.lane)

    @admin.display(description=_("about"))
    def subject(self, row: Any) -> Any:
        named = getattr(row, "about", None) or unnamed(row.fact.subject_type, row.fact.subject_id)
        return named.link()

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, row: Delivery) -> Any:
        return ago(row.due_at)

    @admin.display(description=_("last error"))
    def error(self, row: Delivery) -> str:
        return failure_words(row.last_error).title[:80] or "–"

    @admin.display(description=_("last error"))
    def why(self, row: Delivery) -> str:
        return failure_text(row.last_error) or "–"

    @admin.display(description=_("payload"))
    def fact_payload(self, row: Delivery) -> Any:
        return code(str(row.fact.payload)) if row.fact.payload else "–"

    def timeline_of(self, obj: Any) -> list[Any] | None:
        """What people decided; the attempts tell the rest."""
        return super().timeline_of(obj) or None

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        self.load_page(request, [obj])
        sub = [localtime(obj.fact.recorded_at)]
        failure = failure_words(obj.last_error)
        is_open = obj.state in (DeliveryState.DEAD, DeliveryState.UNKNOWN, DeliveryState.FAILED)
        notice = {"tone": "stop", "title": f"{failure.title}.", "text": failure.advice}
        notices = [notice] if is_open and failure.title else []
        return {**page, "title": subscriber_words(obj.subscriber), "sub": sub, "notices": notices}


def _unknown(row: Delivery) -> bool:
    return row.state == DeliveryState.UNKNOWN


def _in_flight(row: Delivery) -> str:
    if row.state != DeliveryState.IN_FLIGHT:
        return ""
    return str(_("A worker is on it right now; wait until it has an outcome."))


class DeliveryInline(ReadOnlyTabularInline):
    model = Delivery
    fields = readonly_fields = ("owed", "is_now", "attempt_count", "due_at", "settled_at", "why")

    @admin.display(description=_("delivery"))
    def owed(self, row: Delivery) -> Any:
        name = subscriber_words(row.subscriber)
        return format_html('<a href="{}">{}</a>', admin_url(Delivery, "change", row.pk), name)

    @admin.display(description=_("last error"))
    def why(self, row: Delivery) -> str:
        return failure_text(row.last_error) or "–"

    @admin.display(description=_("state"))
    def is_now(self, row: Delivery) -> Any:
        return status_badge(DeliveryState, row.state)


@admin.register(Fact)
class FactAdmin(SubjectAdmin, ReadOnlyAdmin):
    list_display = ("told", "subject", "recorded")
    list_filter = (("kind", worded_filter(fact_words)),)
    search_fields = ("=subject_id", "kind")
    search_help_text = _("Number of what it is about, or code of the fact")
    ordering = ("-id",)
    fields = readonly_fields = ("told", "kind_code", "subject", "payload", "recorded_at", "correlation")
    inlines = (DeliveryInline,)
    empty_text = _(
        "What happens and others must hear of is noted here, in the same moment as the change itself."
    )

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        found = named_subjects(((row.subject_type, row.subject_id) for row in rows), request)
        for row in rows:
            row.about = found[row.subject_type, row.subject_id]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        self.load_page(request, [obj])
        return {**(super().page_context(request, obj) or {}), "title": self.told(obj)}

    @admin.display(description=_("code"))
    def kind_code(self, row: Fact) -> Any:
        return code(row.kind)

    @admin.display(description=_("fact"), ordering="kind")
    def told(self, row: Fact) -> str:
        return fact_words(row.kind)

    @admin.display(description=_("about"))
    def subject(self, row: Any) -> Any:
        named = getattr(row, "about", None) or unnamed(row.subject_type, row.subject_id)
        return named.link()

    @admin.display(description=_("recorded"), ordering="recorded_at")
    def recorded(self, row: Fact) -> Any:
        return ago(row.recorded_at)
