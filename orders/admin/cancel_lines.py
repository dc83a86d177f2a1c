"""“Cancel lines…”: how many units of which lines, with what stands behind them in sight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm, ids_of
from config.kernel.results import Results
from orders.admin.mail_news import mails_said
from orders.admin.panels import register_order_button
from orders.enums import MailKind
from orders.models import Order, OrderLine
from orders.selectors.once import once
from orders.selectors.order_goods import Goods, goods_of
from orders.services.cancelling import LONGEST_REASON
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.claims import PartClaims, claims_of, kits_left, kits_loose
from orders.states import CANCEL

LINE = "line_"


@dataclass(frozen=True, slots=True)
class LineLeft:
    """What of a line is neither shipped nor cancelled, in units of the line; `loose` can be cancelled now."""

    line: OrderLine
    left: int
    loose: int
    waiting: int
    reserved: int
    work: tuple[str, ...]


def lines_left(order: Order) -> list[LineLeft]:
    """The lines with something left."""
    return once(order, "_lines_left", lambda: _lines_left(goods_of(order)))


def _lines_left(goods: Goods) -> list[LineLeft]:
    parts = [part for part in goods.parts if part.remaining]
    levels = [row.level for row in goods.reservations if row.level is not None]
    claims = claims_of(
        parts, goods.reservations, {level.pk: level.location_id for level in levels}, goods.asked
    )
    by_line: dict[int, list[PartClaims]] = {}
    for part in parts:
        by_line.setdefault(part.line_id, []).append(claims[part.pk])
    return [one for one in map(_left, by_line.values()) if one.left]


def _left(claims: Sequence[PartClaims]) -> LineLeft:
    def least(units: Sequence[int]) -> int:
        return min(count // one.part.per_unit for count, one in zip(units, claims, strict=True))

    return LineLeft(
        line=claims[0].part.line,
        left=kits_left(claims),
        loose=kits_loose(claims),
        waiting=max(-(-sum(row.quantity for row in one.waiting) // one.part.per_unit) for one in claims),
        reserved=least([sum(row.quantity for row, _place in one.held) for one in claims]),
        work=tuple(dict.fromkeys(number for one in claims for number in one.work)),
    )


class CancelLinesForm(ObjectForm):
    """How many units of each line, and why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Stands on the timeline; no names or addresses."),
    )

    def shape(self) -> None:
        asked: dict[str, forms.Field] = {}
        for one in lines_left(self.obj):
            asked[f"{LINE}{one.line.pk}"] = forms.IntegerField(
                label=f"{one.line.title} ({one.line.sku_code or '–'})",
                required=False,
                min_value=0,
                max_value=one.loose,
                initial=0,
                disabled=not one.loose,
                help_text=_help(one),
            )
        self.fields = {**asked, **self.fields}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not any(ids_of(values, LINE).values()):
            raise forms.ValidationError(_("Say how many units to cancel."))
        return values


def _help(one: LineLeft) -> str:
    said = ngettext("%(n)s can be cancelled.", "%(n)s can be cancelled.", one.loose) % {"n": one.loose}
    if (bound := one.left - one.loose) > 0:
        work = ngettext(
            "%(n)s is with the warehouse (%(work)s): call that back first.",
            "%(n)s are with the warehouse (%(work)s): call that back first.",
            bound,
        )
        said = f"{said} {work % {'n': bound, 'work': ', '.join(one.work)}}"
    return said


def cancel_typed(ids: Sequence[int], *, reason: str, actor: Actor, **given: Any) -> Results[int]:
    """`cancel_units` for the one order of a confirm page."""
    units = {pk: count for pk, count in ids_of(given, LINE).items() if count}
    return cancel_units([CancelUnits(pk, units) for pk in ids], reason=reason, actor=actor)


def _table(order: Order) -> dict[str, Any]:
    rows = [
        [one.line.title, one.line.sku_code, one.line.quantity, one.left, one.reserved, one.waiting]
        for one in lines_left(order)
    ]
    columns = [_("Line"), _("SKU"), _("Ordered"), _("Still owed"), _("Reserved"), _("Waiting")]
    return {"columns": columns, "rows": rows}


def _consequences(order: Order) -> list[Any]:
    said: list[Any] = [
        _("Of a line those units go first that wait for stock; reserved ones are free for others at once.")
    ]
    if goods_of(order).shipped:
        said.append(_("When nothing is left to ship, the order is completed with what has been shipped."))
        mails = [(MailKind.PART_CANCELLATION, "")]
    else:
        said.append(_("When nothing is left to ship, the order is cancelled."))
        mails = [
            (MailKind.PART_CANCELLATION, _("While something is left to ship")),
            (MailKind.CANCELLATION, _("When nothing is left to ship")),
        ]
    said += mails_said(order, mails)
    if any(payment.captured_amount for payment in order.payments.all()):
        text = _("Nothing is sent back by this: refund it where it was paid.")
        said.append({"text": text, "tone": "stop"})
    return said


register_order_button(
    ExtraVerb(
        name="cancel_lines",
        label=gettext_lazy("Cancel lines…"),
        permission=CANCEL.permission,
        tone="risk",
        verb=cancel_typed,
        form=CancelLinesForm,
        effect=gettext_lazy("Cancel these units"),
        success=gettext_lazy("Cancelled; what was reserved for them is free again."),
        consequences=_consequences,
        lines=_table,
        undo=gettext_lazy("It cannot be taken back; the units would have to be ordered again."),
        applies=lambda order: not order.is_closed and not order.is_history and bool(lines_left(order)),
    )
)
