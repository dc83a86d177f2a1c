"""Why it is 3: the parts of an available-to-sell number, which sum to it exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.actors import Actor
from inventory.models import KitPart, StockLevel
from inventory.selectors.stock import available_to_sell, waiting_quantity

RowKind = Literal[
    "on_hand", "reserved", "unsellable", "buffer", "not_selling", "floor", "waiting", "part", "elsewhere"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """`quantity` is signed. `link` says whose page explains it: ("stock_level", 7), ("reservations", level id),
    ("movements", level id), ("queue", SKU id) or ("sku", part id)."""

    kind: RowKind
    label: str
    quantity: int
    link: tuple[str, int]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The rows sum to `available`; of a kit, `limiting_part_id` is the part that runs out first."""

    sku_id: int
    rows: tuple[WaterfallRow, ...]
    limiting_part_id: int | None = None

    @property
    def available(self) -> int:
        return sum(row.quantity for row in self.rows)


def waterfall(sku_id: int, *, actor: Actor | None = None) -> Waterfall:
    """Explain what is available to sell of a SKU, per location; of a kit, per part. Five statements at most.

    What lies at locations that the actor does not see is one row, so that the sum still holds.
    """
    parts = list(
        KitPart.objects.filter(kit_id=sku_id, kit__is_kit=True).select_related("part").order_by("id")
    )
    if parts:
        return _of_kit(sku_id, parts)
    levels = (
        StockLevel.objects.filter(sku_id=sku_id)
        .select_related("location")
        .prefetch_related("unsellable_rows")
        .order_by("location__preference", "location__code")
    )
    rows: list[WaterfallRow] = []
    elsewhere = 0
    for level in levels:
        if actor is None or actor.sees_place(level.location_id):
            rows += _of_level(level)
        else:
            elsewhere += sum(row.quantity for row in _of_level(level))
    if elsewhere:
        rows.append(WaterfallRow("elsewhere", _("At other locations"), elsewhere, ("sku", sku_id)))
    waiting = waiting_quantity([sku_id])[sku_id]
    if waiting:
        label = ngettext("%(n)s unit waits in line", "%(n)s units wait in line", waiting) % {"n": waiting}
        rows.append(WaterfallRow("waiting", label, -waiting, ("queue", sku_id)))
    below = sum(row.quantity for row in rows)
    if below < 0:
        rows.append(WaterfallRow("floor", _("Never less than nothing"), -below, ("queue", sku_id)))
    return Waterfall(sku_id, tuple(rows))


def _of_level(level: StockLevel) -> Iterator[WaterfallRow]:
    at = {"location": level.location.name}
    here = ("stock_level", level.pk)
    if level.on_hand:
        yield WaterfallRow("on_hand", _("On hand in %(location)s") % at, level.on_hand, here)
    if level.reserved:
        label = _("Reserved in %(location)s") % at
        yield WaterfallRow("reserved", label, -level.reserved, ("reservations", level.pk))
    yield from _set_aside(level)
    if not level.location.is_selling:
        rest = level.on_hand - level.reserved - level.unsellable
        if rest:
            yield WaterfallRow("not_selling", _("%(location)s does not ship orders") % at, -rest, here)
        return
    if level.buffer:
        yield WaterfallRow("buffer", _("Kept back in %(location)s") % at, -level.buffer, here)
    if level.free < 0:
        label = _("%(location)s takes nothing from the others") % at
        yield WaterfallRow("floor", label, -level.free, here)


def _set_aside(level: StockLevel) -> Iterator[WaterfallRow]:
    """Units set aside by reason; what no reason explains is a row too, so that the sum holds."""
    unexplained = level.unsellable
    for row in sorted(level.unsellable_rows.all(), key=lambda row: row.reason):
        if row.quantity:
            unexplained -= row.quantity
            words = {"location": level.location.name, "reason": row.get_reason_display()}
            label = _("%(reason)s in %(location)s") % words
            yield WaterfallRow("unsellable", label, -row.quantity, ("movements", level.pk))
    if unexplained:
        label = _("Set aside in %(location)s") % {"location": level.location.name}
        yield WaterfallRow("unsellable", label, -unexplained, ("movements", level.pk))


def _of_kit(sku_id: int, parts: list[KitPart]) -> Waterfall:
    """From the part that suffices for most kits down to the one that runs out first."""
    ats = available_to_sell([part.part_id for part in parts])
    kits = {part.pk: ats[part.part_id] // part.per_unit for part in parts}
    downwards = sorted(parts, key=lambda part: -kits[part.pk])
    rows: list[WaterfallRow] = []
    before = 0
    for part in downwards:
        enough = kits[part.pk]
        label = ngettext("%(part)s is enough for %(n)s kit", "%(part)s is enough for %(n)s kits", enough) % {
            "part": part.part.code,
            "n": enough,
        }
        detail = _("%(units)s available, %(per_unit)s a kit") % {
            "units": ats[part.part_id],
            "per_unit": part.per_unit,
        }
        rows.append(WaterfallRow("part", label, enough - before, ("sku", part.part_id), detail))
        before = enough
    return Waterfall(sku_id, tuple(rows), limiting_part_id=downwards[-1].part_id)
