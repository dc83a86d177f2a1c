"""Exports of stock: levels and movements, in codes that other systems read."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _

from config.kernel.exports import Column, ExportKind, register_export
from config.kernel.fastpath import Among
from config.kernel.sheets import Cell
from inventory.models import Bin, Sku, StockLevel, StockMovement
from inventory.references import resolve

LEVEL_COLUMNS = (
    "sku", "title", "location", "on_hand", "reserved", "unsellable", "buffer", "free", "reorder_point", "target",
)  # fmt: skip
MOVEMENT_COLUMNS = (
    "id", "at", "sku", "location", "bin", "kind", "units", "units_set_aside", "set_aside_for", "on_hand_after",
    "document", "reason", "by",
)  # fmt: skip


def level_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a level: one statement."""
    for row in StockLevel.objects.filter(Among("pk", ids)).select_related("sku", "location").order_by("pk"):
        yield (
            row.sku.code, row.sku.title, row.location.code, row.on_hand, row.reserved, row.unsellable, row.buffer,
            row.free, row.reorder_point, row.target,
        )  # fmt: skip


def movement_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a movement: one statement, and one a kind of document."""
    related = ("level__sku", "level__location", "bin")
    rows = list(StockMovement.objects.filter(Among("pk", ids)).select_related(*related).order_by("pk"))
    documents = resolve((row.reference_kind, row.reference_id) for row in rows)
    for row in rows:
        document = documents[row.reference_kind, row.reference_id].label
        yield (
            row.pk, row.at.isoformat(), row.level.sku.code, row.level.location.code, row.bin.code, row.kind,
            row.delta, row.unsellable_delta, row.unsellable_reason, row.balance_after, document, row.reason,
            row.actor_label or f"{row.actor_kind} {row.actor_id or ''}".strip(),
        )  # fmt: skip


SKU_COLUMNS = ("sku", "title", "barcodes", "weight_grams", "active", "kit")
BIN_COLUMNS = ("location", "bin", "kind")


def sku_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a SKU, in the columns of its plain sheet: two statements."""
    for row in Sku.objects.filter(Among("pk", ids)).prefetch_related("barcodes").order_by("pk"):
        scanned = " ".join(sorted(one.code for one in row.barcodes.all()))
        active, kit = ("yes" if one else "no" for one in (row.is_active, row.is_kit))
        yield (row.code, row.title, scanned, row.weight_grams, active, kit)


def bin_rows(ids: Sequence[int]) -> Iterator[Sequence[Cell]]:
    """One row a bin, in the columns of its plain sheet: one statement."""
    for row in Bin.objects.filter(Among("pk", ids)).select_related("location").order_by("pk"):
        yield (row.location.code, row.code, row.kind)


def register() -> None:
    """Register what the lists of stock are exported as; called once from `AppConfig.ready()`."""
    register_export(
        ExportKind(
            "stock_levels",
            "inventory.stocklevel",
            _("Stock levels"),
            "inventory.export_stocklevel",
            tuple(map(Column, LEVEL_COLUMNS)),
            level_rows,
        )
    )
    for name, model, label, columns, rows in (
        ("skus", "inventory.sku", _("SKUs"), SKU_COLUMNS, sku_rows),
        ("bins", "inventory.bin", _("Bins"), BIN_COLUMNS, bin_rows),
    ):
        register_export(
            ExportKind(name, model, label, "inventory.export_stocklevel", tuple(map(Column, columns)), rows)
        )
    register_export(
        ExportKind(
            "stock_movements",
            "inventory.stockmovement",
            _("Stock movements"),
            "inventory.export_stockmovement",
            tuple(map(Column, MOVEMENT_COLUMNS)),
            movement_rows,
        )
    )
