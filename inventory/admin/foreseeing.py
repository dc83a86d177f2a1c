"""What a change of stock would do, in sentences and as a table, for guided pages and confirm pages."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.admin import IN_LINE, Foreseen
from inventory.aftermath import told_of
from inventory.enums import UnsellableReason
from inventory.models import Location, Sku
from inventory.owners import Reference
from inventory.references import resolve
from inventory.selectors.asides import units_aside
from inventory.selectors.previews import CLEARED, RAISED, Change, Place, Preview, PreviewLine, preview

MOST_NAMED = 10
# Who, and units.
Owed = tuple[Reference, int]


def foreseen(changes: Mapping[Place, Change]) -> Foreseen:
    """What these changes by (sku_id, location_id) would do now."""
    shown = preview(changes)
    return Foreseen(effects_of(shown), table_of(shown), shown.signature)


def foreseen_reasons(changes: Mapping[tuple[Place, str], int]) -> Foreseen:
    """What more or fewer units under reasons, by place, would do where no figure of a level changes."""
    held = units_aside({place for place, _reason in changes})
    skus = Sku.objects.in_bulk({sku_id for (sku_id, _at), _reason in changes})
    names = Location.objects.in_bulk({at for (_sku, at), _reason in changes})
    reasons = [one for one in UnsellableReason if any(reason == one for _place, reason in changes)]
    rows = [
        (
            f"{skus[place[0]].code} · {skus[place[0]].title}",
            names[place[1]].name,
            *(
                step(held[place, reason], held[place, reason] + changes.get((place, reason), 0))
                for reason in reasons
            ),
        )
        for place in dict.fromkeys(place for place, _reason in changes)
    ]
    lines = {"columns": [_("SKU"), _("Location"), *(one.label for one in reasons)], "rows": rows}
    said = _("What is for sale, what is promised and every alert stay as they are.")
    return Foreseen([_plain(said, "")], lines, f"{sorted(held.items())}")


def table_of(shown: Preview) -> dict[str, Any]:
    """Each level's figures, "10 → 6" where they change."""
    columns = [_("SKU"), _("Location"), _("On hand"), _("Reserved"), _("Free")]
    rows = [
        (
            f"{line.sku.code} · {line.sku.title}",
            line.location.name,
            step(line.on_hand, line.on_hand_after),
            step(line.reserved, line.reserved_after),
            step(line.free, line.free_after),
        )
        for line in shown.lines
    ]
    return {"columns": columns, "rows": rows}


def step(before: int, after: int) -> Any:
    """A figure and what becomes of it; the bare figure where it stays."""
    if before == after:
        return before
    one, other = (
        number_format(units, use_l10n=True, force_grouping=True).replace("-", "−")
        for units in (before, after)
    )
    return format_html('<span class="num">{} → {}</span>', one, other)


def effects_of(shown: Preview) -> list[dict[str, str]]:
    """Whose promises break, who hears of it, who gets other units instead, who in line is served, who still waits,
    and which alerts come and go:
    {"text", "tone", "url"}."""
    gone, moved, given = _balance(shown)
    lost = [
        {**one, "text": _("Waits for stock again: %(who)s") % {"who": one["text"]}, "tone": "stop"}
        for one in _first(_named(gone))
    ]
    kept = [
        {**one, "text": _("Gets its units from elsewhere: %(who)s") % {"who": one["text"]}, "tone": "wait"}
        for one in _first(_named(moved))
    ]
    units = sum(some for _reference, some in given)
    unnamed = ngettext("Gets stock in line: %(n)s unit", "Get stock in line: %(n)s units", units) % {
        "n": units
    }
    served = [
        {**one, "text": _("Gets stock: %(who)s") % {"who": one["text"]}, "tone": "ok", IN_LINE: unnamed}
        for one in _first(_named(given))
    ]
    codes = {line.sku.pk: line.sku.code for line in shown.lines}
    waiting = [
        _plain(
            ngettext("%(sku)s: %(n)s unit still waits.", "%(sku)s: %(n)s units still wait.", units)
            % {"sku": codes[sku_id], "n": units},
            "wait",
        )
        for sku_id, units in shown.waiting.items()
    ]
    alerts = [_alert(line) for line in shown.lines if line.alert]
    return [*lost, *told_of(shown.broken), *kept, *served, *waiting, *alerts] or [
        _plain(_("No promise and no alert changes."), "")
    ]


def _alert(line: PreviewLine) -> dict[str, str]:
    words = {
        RAISED: _("Low-stock alert: %(sku)s in %(place)s falls to %(left)s, its reorder point is %(point)s."),
        CLEARED: _(
            "Low-stock alert ends: %(sku)s in %(place)s has %(left)s, its reorder point is %(point)s."
        ),
    }[line.alert]
    facts = {
        "sku": line.sku.code,
        "place": line.location.name,
        "left": line.unpromised_after,
        "point": line.reorder_point,
    }
    return _plain(words % facts, "wait" if line.alert == RAISED else "ok")


def _plain(text: str, tone: str) -> dict[str, str]:
    return {"text": text, "tone": tone, "url": ""}


def _first(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The first of many, and how many more."""
    if len(rows) <= MOST_NAMED:
        return list(rows)
    more = len(rows) - MOST_NAMED
    text = ngettext("%(n)s more", "%(n)s more", more) % {"n": more}
    return [*rows[:MOST_NAMED], {"text": text, "url": ""}]


def _balance(shown: Preview) -> tuple[list[Owed], list[Owed], list[Owed]]:
    """Who is left without units of a SKU, who loses them and gets as many of it again, and who gets units beside."""
    lost, served = Counter[tuple[Reference, int]](), Counter[tuple[Reference, int]]()
    for loss in shown.losses:
        lost[loss.reference, loss.sku_id] += loss.quantity
    for one in shown.served:
        served[one.reference, one.sku_id] += one.units
    counted = (lost - served, lost & served, served - lost)
    gone, moved, given = ([(who, units) for (who, _sku), units in some.items()] for some in counted)
    return gone, moved, given


def _named(parts: Iterable[Owed]) -> list[dict[str, str]]:
    units: dict[Reference, int] = {}
    for reference, some in parts:
        units[reference] = units.get(reference, 0) + some
    named = resolve(units)
    return [
        {
            "text": ngettext("%(who)s: %(n)s unit", "%(who)s: %(n)s units", some)
            % {"who": named[reference].label, "n": some},
            "url": named[reference].url,
        }
        for reference, some in units.items()
    ]
