"""Low-stock alerts: raised when a level falls to its reorder point, cleared when it is above again.

A level's lock guards its alert.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput, NotFound
from config.kernel.events import record_events
from config.kernel.locks import lock_rows
from config.kernel.results import Results
from config.kernel.states import Edge, apply_transition
from config.kernel.visibility import seen_by
from inventory.enums import AlertStatus
from inventory.models import LowStockAlert, StockLevel
from inventory.selectors.alerts import alerts_by_level
from inventory.services.adjustments import clean_reason
from inventory.states import ACKNOWLEDGE, CLEAR, LOW_STOCK_ALERT, SNOOZE, WAKE

LONGEST_SNOOZE = timedelta(days=90)


@verb
def refresh_alerts(level_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Raise the alert of each level that is low and has none; clear that of each that is not low any more, and of each
    at a location that was closed, or of a SKU that is not active or became a kit.

    At most 200 ids. Locks the levels by ascending pk. A level whose alert is as it should be comes back
    `unchanged`; repeating the call changes nothing. Values: the alert's pk.

    Refuses: `NotFound`. Raises `NotAllowed`.
    """
    actor.require(CLEAR.permission)
    results = Results(level_ids)
    with batch_transaction():
        levels = {
            row.pk: row
            for row in lock_rows(
                "stock_level", StockLevel.objects.filter(pk__in=level_ids).select_related("location", "sku")
            )
        }
        low = {pk for pk, level in levels.items() if level.is_low and level.is_reordered}
        live = alerts_by_level(levels)
        at = clock.now()
        raised: list[LowStockAlert] = []
        cleared: list[LowStockAlert] = []
        for pk in results.keys:
            if (level := levels.get(pk)) is None:
                results.refuse(pk, NotFound(level_id=pk))
            elif (pk in low) == (pk in live):
                results.unchanged(pk)
            elif pk in low:
                raised.append(_alert(level, at))
            else:
                cleared.append(live[pk])
        also = {"cleared_at": at, "snoozed_until": None}
        facts = {row.pk: {"why": _why_over(levels[row.level_id])} for row in cleared}
        apply_transition(LOW_STOCK_ALERT, CLEAR, cleared, actor=actor, facts=facts, also=also)
        if raised:
            LowStockAlert.objects.bulk_create(raised)
            record_events([LOW_STOCK_ALERT.created_entry(row, _figures(row)) for row in raised], actor=actor)
        for row in (*raised, *cleared):
            results.done(row.level_id, row.pk)
    return results


def _why_over(level: StockLevel) -> str:
    """What ended an alert: `units`, or what makes it nobody's work while the level is low."""
    if not level.is_low:
        return "units"
    if not level.location.is_active:
        return "location_closed"
    return "sku_is_kit" if level.sku.is_kit else "sku_not_active"


def _alert(level: StockLevel, at: datetime) -> LowStockAlert:
    return LowStockAlert(
        level=level,
        status=AlertStatus.OPEN,
        units=level.unpromised,
        reorder_point=level.reorder_point,
        raised_at=at,
    )


def _figures(row: LowStockAlert) -> dict[str, int]:
    return {"units": row.units, "reorder_point": row.reorder_point}


@verb
def acknowledge_alerts(alert_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say that somebody has seen to low stock, and what was done. The alert clears itself when units come.

    At most 200 ids. Locks the levels by ascending pk. An acknowledged one comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition` for a cleared one. Raises `NotAllowed`, `InvalidInput` for the
    reason (1 to 120 characters).
    """
    actor.require(ACKNOWLEDGE.permission)
    said = clean_reason(reason)
    return _settle(alert_ids, ACKNOWLEDGE, reason=said, until=None, actor=actor)


@verb
def snooze_alerts(alert_ids: Sequence[int], *, until: datetime, reason: str, actor: Actor) -> Results[int]:
    """Put alerts away until a moment, when those whose level is still low stand among the open ones again.

    At most 200 ids. Locks the levels by ascending pk. One that is snoozed until then comes back `unchanged`.

    Refuses: `NotFound`; `IllegalTransition` for a cleared one. Raises `NotAllowed`, `InvalidInput` for the
    reason, and for a moment that is past or further away than 90 days.
    """
    actor.require(SNOOZE.permission)
    said = clean_reason(reason)
    at = clock.now()
    if not at < until <= at + LONGEST_SNOOZE:
        accepted = _("within the next %(days)s days") % {"days": LONGEST_SNOOZE.days}
        raise InvalidInput(field=str(_("snoozed until")), value=until.isoformat(), accepted=str(accepted))
    return _settle(alert_ids, SNOOZE, reason=said, until=until, actor=actor)


@verb
def wake_alerts(alert_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Put snoozed alerts back among the open ones once their time has come.

    At most 200 ids. Locks the levels by ascending pk. One that sleeps on, or is not snoozed, comes back
    `unchanged`. Refuses: `NotFound`. Raises `NotAllowed`.
    """
    actor.require(WAKE.permission)
    results = Results(alert_ids)
    with batch_transaction():
        rows = _locked(alert_ids, actor)
        at = clock.now()
        waking = []
        for pk in results.keys:
            if (row := rows.get(pk)) is None:
                results.refuse(pk, NotFound(alert_id=pk))
            elif row.snoozed_until is None or row.snoozed_until > at:
                results.unchanged(pk)
            else:
                waking.append(row)
                results.done(pk)
        apply_transition(LOW_STOCK_ALERT, WAKE, waking, actor=actor, also={"snoozed_until": None})
    return results


def _locked(alert_ids: Iterable[int], actor: Actor) -> dict[int, LowStockAlert]:
    """Alerts that the actor sees by pk, their levels locked. An alert never changes its level."""
    seen = seen_by(actor, LowStockAlert.objects.filter(pk__in=list(alert_ids)))
    levels = dict(seen.values_list("pk", "level_id"))
    lock_rows("stock_level", StockLevel.objects.filter(pk__in=set(levels.values())))
    return LowStockAlert.objects.in_bulk(levels)


def _settle(
    alert_ids: Sequence[int], edge: Edge, *, reason: str, until: datetime | None, actor: Actor
) -> Results[int]:
    results = Results(alert_ids)
    with batch_transaction():
        rows = _locked(alert_ids, actor)
        moving = []
        for pk in results.keys:
            if (row := rows.get(pk)) is None:
                results.refuse(pk, NotFound(alert_id=pk))
            elif (row.status, row.snoozed_until) == (edge.target, until):
                results.unchanged(pk)
            elif (problem := edge.refusal(row.status)) is not None:
                results.refuse(pk, problem)
            else:
                moving.append(row)
                results.done(pk)
        facts = {"reason": reason} | ({"until": until.isoformat()} if until else {})
        apply_transition(
            LOW_STOCK_ALERT,
            edge,
            moving,
            actor=actor,
            facts={row.pk: facts for row in moving},
            also={"reason": reason, "snoozed_until": until},
        )
    return results
