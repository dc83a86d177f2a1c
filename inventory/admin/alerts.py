"""Low stock: the alerts, what people say about them, and who hears of them by mail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.admin import (
    BancaleAdmin,
    Queue,
    SeenFilter,
    TransitionAdmin,
    TransitionVerb,
    badge_column,
    bulk_action,
    describe,
    queue_filter,
    set_tones,
)
from config.kernel.results import Results
from config.kernel.templatetags.bancale import ago, local_text, quantity
from inventory.admin.words import sku_column, sku_link
from inventory.enums import AlertStatus
from inventory.models import AlertFollower, LowStockAlert
from inventory.selectors import alerts
from inventory.services.adjustments import LONGEST_REASON
from inventory.services.alerts import acknowledge_alerts, snooze_alerts
from inventory.states import ACKNOWLEDGE, LOW_STOCK_ALERT, SNOOZE

MODEL = "inventory.LowStockAlert"
SNOOZES = (1, 3, 7, 14, 30)

set_tones(
    AlertStatus,
    {
        AlertStatus.OPEN: "stop",
        AlertStatus.ACKNOWLEDGED: "info",
        AlertStatus.SNOOZED: "idle",
        AlertStatus.CLEARED: "ok",
    },
)


def empty_in_words(rows: QuerySet[LowStockAlert]) -> str:
    """How many of these levels have nothing left to promise."""
    empty = rows.annotate(left=alerts.LEFT).filter(left__lte=0).count()
    return ngettext("%(n)d at zero", "%(n)d at zero", empty) % {"n": empty} if empty else ""


class AcknowledgeForm(forms.Form):
    reason = forms.CharField(
        label=_("What is being done"),
        max_length=LONGEST_REASON,
        help_text=_("For example: ordered 200, arriving on Friday."),
    )


class SnoozeForm(forms.Form):
    days = forms.TypedChoiceField(
        label=_("For how long"),
        coerce=int,
        choices=lambda: [(n, ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in SNOOZES],
        initial=7,
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


def snooze_for_days(alert_ids: Sequence[int], *, actor: Actor, days: int, reason: str) -> Results[int]:
    until = clock.now() + timedelta(days=days)
    return snooze_alerts(alert_ids, until=until, reason=reason, actor=actor)


ON_ACKNOWLEDGE = (_("It leaves “Low now”, and clears itself when the level is above its reorder point."),)
ON_SNOOZE = (_("It leaves “Low now” until then. If units come before, it clears itself."),)

ALERT_VERBS = {
    ACKNOWLEDGE.name: TransitionVerb(
        verb=acknowledge_alerts,
        form=AcknowledgeForm,
        title=_("Acknowledge low stock"),
        effect=_("Acknowledge"),
        success=_("Acknowledged."),
        consequences=lambda _alert: ON_ACKNOWLEDGE,
        undo=_("Snooze it for a day; it then stands among the open ones again."),
    ),
    SNOOZE.name: TransitionVerb(
        verb=snooze_for_days,
        form=SnoozeForm,
        title=_("Snooze low stock"),
        effect=_("Snooze"),
        success=_("Snoozed."),
        consequences=lambda _alert: ON_SNOOZE,
        undo=_("Acknowledge it, or snooze it for another time."),
    ),
}


@admin.register(LowStockAlert)
class LowStockAlertAdmin(TransitionAdmin):
    machine = LOW_STOCK_ALERT
    verbs = ALERT_VERBS
    lock_kind = "stock_level"
    lock_through = "level"
    sku_said = sku_column("level.sku")
    list_display = (
        "sku_said",
        "title",
        "location",
        "status_said",
        "left",
        "point",
        "target",
        "since",
        "reason",
    )
    list_filter = (
        queue_filter(
            (
                Queue(
                    "low", _("Low now"), alerts.low_now, "stop", ACKNOWLEDGE.permission, detail=empty_in_words
                ),
                Queue(
                    "acknowledged",
                    _("Acknowledged"),
                    alerts.acknowledged,
                    "",
                    ACKNOWLEDGE.permission,
                    on_front=False,
                ),
                Queue("snoozed", _("Snoozed"), alerts.snoozed, "", ACKNOWLEDGE.permission, on_front=False),
            )
        ),
        ("level__location", SeenFilter),
    )
    list_select_related = ("level__sku", "level__location")
    search_fields = ("level__sku__code__istartswith",)
    search_help_text = _("Beginning of the SKU")
    ordering = ("-id",)
    actions = (
        bulk_action(
            acknowledge_alerts, ACKNOWLEDGE.permission, ACKNOWLEDGE.label, model=MODEL,
            done=_("acknowledged"), form=AcknowledgeForm, consequences=ON_ACKNOWLEDGE,
        ),
        bulk_action(
            snooze_for_days, SNOOZE.permission, SNOOZE.label, model=MODEL,
            done=_("snoozed"), form=SnoozeForm, consequences=ON_SNOOZE,
        ),
    )  # fmt: skip
    fields = readonly_fields = (
        "sku_code", "title", "location", "left", "point", "target", "raised_at", "units", "reason",
        "snoozed_until", "cleared_at",
    )  # fmt: skip
    status_said = badge_column("status", AlertStatus, _("status"))
    empty_title = _("Nothing has been low yet")
    empty_text = _("Give a stock level a reorder point, and it is listed here as soon as it falls to it.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        title = f"{obj.level.sku.code} · {obj.level.location.name}"
        return {**page, "title": title, "sub": [obj.level.sku.title], "show_form": True}

    @admin.display(description=_("SKU"), ordering="level__sku__code")
    def sku_code(self, row: LowStockAlert) -> Any:
        return sku_link(row.level.sku)

    @admin.display(description=_("title"), ordering="level__sku__title")
    def title(self, row: LowStockAlert) -> str:
        return row.level.sku.title

    @admin.display(description=_("location"), ordering="level__location__preference")
    def location(self, row: LowStockAlert) -> str:
        return row.level.location.name

    @admin.display(description=_("left"))
    def left(self, row: LowStockAlert) -> Any:
        return quantity(row.level.unpromised)

    @admin.display(description=_("reorder point"))
    def point(self, row: LowStockAlert) -> Any:
        return quantity(row.level.reorder_point)

    @admin.display(description=_("target"))
    def target(self, row: LowStockAlert) -> Any:
        return quantity(row.level.target or None)

    @admin.display(description=_("low since"), ordering="raised_at")
    def since(self, row: LowStockAlert) -> Any:
        return ago(row.raised_at)


@admin.register(AlertFollower)
class AlertFollowerAdmin(BancaleAdmin):
    list_display = ("user", "address", "follows", "language")
    list_select_related = ("user",)
    fields = ("user", "locations", "language")
    ordering = ("user__username",)
    empty_title = _("Nobody follows low stock yet")
    empty_text = _("Add colleagues, and they get one mail an hour at most, listing what has fallen low.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("locations")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = forms.CheckboxSelectMultiple
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("e-mail"))
    def address(self, row: AlertFollower) -> str:
        return row.user.email or "–"

    @admin.display(description=_("locations"))
    def follows(self, row: AlertFollower) -> str:
        return ", ".join(location.name for location in row.locations.all()) or str(_("all"))


def _figures(facts: Any) -> str:
    return str(_("%(units)s left, reorder point %(reorder_point)s") % facts)


def _until(facts: Any) -> str:
    until = local_text(datetime.fromisoformat(facts["until"]))
    return str(_("until %(day)s: %(reason)s") % {"day": until, "reason": facts["reason"]})


OVER = {
    "units": _("Above its reorder point again"),
    "location_closed": _("Ended: its location was closed"),
    "sku_is_kit": _("Ended: the SKU became a kit"),
    "sku_not_active": _("Ended: the SKU is not active any more"),
}


def _over(facts: Any) -> str:
    return str(OVER[facts.get("why", "units")])


describe("low_stock_alert", "created", _("Fell to its reorder point"), detail=_figures, tone="stop")
describe("low_stock_alert", "acknowledge", _("Acknowledged"), detail="%(reason)s", tone="info")
describe("low_stock_alert", "snooze", _("Snoozed"), detail=_until, tone="idle")
describe("low_stock_alert", "wake", _("Low again after the snooze"), tone="stop")
describe("low_stock_alert", "clear", _over, tone="ok")
