"""The page on which a count is approved: what the books say, what was found, and what was corrected in between."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import Foreseen, ObjectForm, ids_of
from config.kernel.admin.timeline import actor_words, user_names
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime
from inventory.admin.foreseeing import effects_of, step
from inventory.admin.line_forms import LINE
from inventory.admin.words import reference_link, signed
from inventory.models import StockCount, StockMovement
from inventory.selectors.counting import by_hand, corrections_since, counted_lines
from inventory.selectors.previews import Change, preview
from inventory.services.counts import Judged, approve_counts
from inventory.services.counts.approving import approval_problem

SAME, OTHER = "same", "other"


def _since(count: StockCount, lines: Sequence[Any]) -> dict[int, list[StockMovement]]:
    """Corrections by hand since the counting of lines that differ, by line, where they did not undo each other."""
    differing = [line for line in lines if line.variance]
    found = {pk: by_hand(rows) for pk, rows in corrections_since(differing, {count.pk: count}).items()}
    return {pk: rows for pk, rows in found.items() if _units(rows)}


def _units(rows: Sequence[StockMovement]) -> int:
    return sum(row.delta for row in rows)


class ApproveForm(ObjectForm):
    """Asks of each SKU that somebody corrected by hand since: were they units that the count missed or found?

    The answer carries the units as they were shown, so that a correction made meanwhile is asked for anew.
    """

    def shape(self) -> None:
        lines = counted_lines(self.obj.pk)
        since = _since(self.obj, lines)
        names = user_names(row.actor_id for rows in since.values() for row in rows)
        for line in lines:
            if rows := since.get(line.pk):
                self.fields[f"{LINE}{line.pk}"] = _question(line, rows, names)


def _question(line: Any, rows: Sequence[StockMovement], names: Mapping[int, str]) -> forms.ChoiceField:
    units = _units(rows)
    label = gettext(
        "%(sku)s was corrected by %(units)s units by hand after it was counted. Were they part of the difference?"
    )
    same = gettext("Yes: what was counted stands; %(units)s units are booked now")
    other = gettext("No, that was something else: the whole difference of %(units)s units is booked")
    return forms.ChoiceField(
        label=label % {"sku": line.sku.code, "units": signed(units)},
        choices=[
            (f"{SAME}:{units}", same % {"units": signed(line.variance - units)}),
            (f"{OTHER}:{units}", other % {"units": signed(line.variance)}),
        ],
        widget=forms.RadioSelect,
        help_text=_told(rows, names),
    )


def _told(rows: Sequence[StockMovement], names: Mapping[int, str]) -> SafeString:
    """The corrections, one a row: units, when, who, why, and the document."""
    return format_html_join(
        "",
        "{} · {} · {} · {} · {}<br>",
        (
            (
                signed(row.delta),
                localtime(row.at),
                actor_words(row.actor_kind, row.actor_id, row.actor_label, names),
                row.reason or "–",
                reference_link(row),
            )
            for row in rows
        ),
    )


def approve_pressed(ids: Sequence[int], *, actor: Actor, **answers: str) -> Results[int]:
    return approve_counts(ids, judged=_judged(answers), actor=actor)


def _judged(answers: Mapping[str, str]) -> dict[int, Judged]:
    judged = {}
    for pk, answer in ids_of(answers, LINE).items():
        said, units = answer.split(":")
        judged[pk] = Judged(int(units), said == SAME)
    return judged


def foreseen_approval(count: StockCount, answers: Mapping[str, str]) -> Foreseen:
    """What the books said, what was found, and what approving makes of it, or why it cannot be; unanswered, by the
    whole difference."""
    lines = counted_lines(count.pk)
    judged = _judged(answers)
    booked = {
        line.sku_id: line.variance - (told.units if (told := judged.get(line.pk)) and told.is_same else 0)
        for line in lines
    }
    changes = {
        (sku_id, count.location_id): Change(on_hand=units) for sku_id, units in booked.items() if units
    }
    shown = preview(changes)
    after = {line.sku.pk: line for line in shown.lines}
    rows = []
    for line in lines:
        now = after.get(line.sku_id)
        steps = (
            [step(now.on_hand, now.on_hand_after), step(now.free, now.free_after)]
            if now is not None
            else [line.on_hand_now, None]
        )
        difference = format_html('<span class="num">{}</span>', signed(line.variance))
        rows.append((f"{line.sku.code} · {line.sku.title}", line.expected, line.counted, difference, *steps))
    columns = [
        gettext("SKU"), gettext("Expected then"), gettext("Counted"), gettext("Difference"), gettext("On hand"),
        gettext("Free"),
    ]  # fmt: skip
    table = {"columns": columns, "rows": rows}
    if (problem := approval_problem(count, lines, judged)) is None:
        return Foreseen(effects_of(shown), table, shown.signature)
    text = gettext("As the stock is now, this cannot be approved. %(reason)s") % {"reason": problem}
    refused = {"text": text, "tone": "stop", "url": ""}
    return Foreseen([refused], table, f"{problem}{shown.signature}")


def what_approving_does(count: StockCount) -> list[Any]:
    lines = counted_lines(count.pk)
    said: list[Any] = [
        _("The books are corrected by the difference; what has moved since counting stays moved.")
    ]
    if any(abs(line.variance) > count.tolerance for line in lines):
        said.append(
            gettext("A SKU differs by more than %(n)s units: whoever counted may not approve.")
            % {"n": count.tolerance}
        )
    if since := _since(count, lines):
        codes = ", ".join(line.sku.code for line in lines if line.pk in since)
        warning = gettext("Corrected by hand after counting, say below what for: %(skus)s.")
        said.append({"text": warning % {"skus": codes}, "tone": "stop"})
    return said
