"""Levels and movements: what verbs write and people read."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import (
    ExtraVerb,
    HistoryMixin,
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    SeenFilter,
    TransitionAdmin,
    badge_column,
)
from config.kernel.events import Thread
from config.kernel.quantities import MOST_UNITS
from config.kernel.results import Results
from config.kernel.templatetags.bancale import localtime, quantity
from inventory.admin.adjustments import adjust_buttons
from inventory.admin.health import REPAIR_LEVEL
from inventory.admin.pages import PageAdmin, actor_of, set_actors, set_references
from inventory.admin.undoing import undo_of
from inventory.admin.words import aside_words, reference_link, sku_column, sku_link
from inventory.enums import MovementKind
from inventory.models import BinStock, StockLevel, StockMovement, UnsellableStock
from inventory.services.levels import lock_levels
from inventory.services.policies import CHANGE_LEVEL, LevelPolicy, set_policies
from inventory.services.repairing import STOCK_LEVEL


class BinStockInline(ReadOnlyTabularInline):
    model = BinStock
    fields = readonly_fields = ("bin", "quantity")
    verbose_name_plural = _("in the bins")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(quantity__gt=0).select_related("bin")


class UnsellableInline(ReadOnlyTabularInline):
    model = UnsellableStock
    fields = readonly_fields = ("reason", "quantity")
    verbose_name_plural = _("set aside")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(quantity__gt=0)


class PolicyForm(forms.Form):
    buffer = forms.IntegerField(
        label=_("Buffer"),
        min_value=0,
        max_value=MOST_UNITS,
        help_text=_("Units that are never offered for sale."),
    )
    reorder_point = forms.IntegerField(
        label=_("Reorder point"),
        min_value=0,
        max_value=MOST_UNITS,
        help_text=_("At or below it the level is low."),
    )
    target = forms.IntegerField(
        label=_("Target"), min_value=0, max_value=MOST_UNITS, help_text=_("How many to have after buying.")
    )


def _set_policy(level_ids: Sequence[int], *, actor: Actor, **figures: int) -> Results[Any]:
    rows = StockLevel.objects.filter(pk__in=level_ids).values_list("sku_id", "location_id")
    return set_policies([LevelPolicy(sku, place, **figures) for sku, place in rows], actor=actor)


SET_POLICY = ExtraVerb(
    name="policy",
    label=_("Set buffer and reorder point…"),
    permission=CHANGE_LEVEL,
    title=_("Set buffer and reorder point"),
    effect=_("Set them"),
    verb=_set_policy,
    form=PolicyForm,
    initial=lambda level: {
        "buffer": level.buffer,
        "reorder_point": level.reorder_point,
        "target": level.target,
    },
    success=_("Buffer, reorder point and target are set."),
    consequences=lambda _level: (
        _("A larger buffer takes units off sale; what is promised already stays promised."),
        _("A smaller one frees units for whoever is first in line."),
    ),
    undo=_("Set the old figures again."),
    # Not its version: of a SKU that sells the units never stand still, and no figure of theirs could be set.
    seen=lambda level: f"{level.buffer} {level.reorder_point} {level.target}",
    applies=lambda level: not level.sku.is_kit,
)


@admin.register(StockLevel)
class StockLevelAdmin(HistoryMixin, TransitionAdmin):
    extra_verbs = (SET_POLICY, REPAIR_LEVEL)
    sku_said = sku_column("sku")
    list_display = ("sku_said", "location", "free_units", "here", "promised", "aside", "kept", "reorder")
    list_filter = (("location", SeenFilter),)
    list_select_related = ("sku", "location")
    search_fields = ("sku__code__istartswith", "=sku__barcodes__code")
    search_help_text = _("Beginning of the SKU, or a barcode")
    ordering = ("sku__code", "location__preference")
    fields = readonly_fields = (
        "sku_code", "location", "on_hand", "reserved", "unsellable", "buffer", "free_units", "reorder_point",
        "target",
    )  # fmt: skip
    inlines = (BinStockInline, UnsellableInline)
    empty_title = _("Nothing is in stock yet")
    empty_text = _("Receive goods, and each SKU has a level wherever it lies.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        more = {"location": obj.location, "sku": obj.sku, "has_aside": obj.unsellable > 0}
        changes = [] if obj.sku.is_kit else adjust_buttons(request, **more)
        actions = [*changes, *page.get("actions", [])]
        return {
            **page,
            "title": f"{obj.sku.code} · {obj.location.name}",
            "actions": actions,
            "show_form": True,
        }

    def locked(self, pk: int) -> Any:
        """The row with all levels of its SKU locked, the older ones first, as every verb locks them."""
        sku_ids = StockLevel.objects.filter(pk=pk).values_list("sku_id", flat=True)
        return next((level for level in lock_levels(sku_ids) if level.pk == pk), None)

    def thread_of(self, obj: Any) -> Thread:
        return Thread(STOCK_LEVEL, obj.pk)

    def timeline_of(self, obj: Any) -> list[Any] | None:
        """A level's story is its movements; what else befell it stands here, if anything did."""
        return super().timeline_of(obj) or None

    @admin.display(description=_("SKU"), ordering="sku__code")
    def sku_code(self, row: StockLevel) -> Any:
        return sku_link(row.sku)

    @admin.display(description=_("free"))
    def free_units(self, row: StockLevel) -> Any:
        return quantity(row.free)

    @admin.display(description=_("on hand"), ordering="on_hand")
    def here(self, row: StockLevel) -> Any:
        return quantity(row.on_hand)

    @admin.display(description=_("reserved"), ordering="reserved")
    def promised(self, row: StockLevel) -> Any:
        return quantity(row.reserved)

    @admin.display(description=_("unsellable"), ordering="unsellable")
    def aside(self, row: StockLevel) -> Any:
        return quantity(row.unsellable)

    @admin.display(description=_("buffer"), ordering="buffer")
    def kept(self, row: StockLevel) -> Any:
        return quantity(row.buffer)

    @admin.display(description=_("reorder point"), ordering="reorder_point")
    def reorder(self, row: StockLevel) -> Any:
        return quantity(row.reorder_point)


@admin.register(StockMovement)
class StockMovementAdmin(PageAdmin, ReadOnlyAdmin):
    list_display = ("when", "sku_code", "place", "kind_said", "units", "balance", "document", "who")
    list_filter = ("kind", ("level__location", SeenFilter), "at")
    list_select_related = ("level__sku", "level__location", "bin")
    search_fields = ("level__sku__code__istartswith",)
    search_help_text = _("Beginning of the SKU")
    ordering = ("-id",)
    fields = readonly_fields = (
        "when", "sku_code", "place", "kind_said", "units", "aside", "balance", "document", "reason",
        "who",
    )  # fmt: skip
    kind_said = badge_column("kind", MovementKind, _("kind"))
    empty_title = _("Nothing has moved yet")
    empty_text = _("Every unit that comes, goes or is set aside leaves a line here, for ever.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "level__sku__id__exact" or super().lookup_allowed(lookup, value, request)

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        set_references(rows)
        set_actors(rows)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        return {
            "badges": [(_("Undo"), "back")] if obj.is_undo else [],
            "actions": undo_of(obj, request, self.admin_site),
            "show_form": True,
        }

    @admin.display(description=_("at"), ordering="id")
    def when(self, row: StockMovement) -> Any:
        return localtime(row.at)

    @admin.display(description=_("SKU"))
    def sku_code(self, row: StockMovement) -> Any:
        return sku_link(row.level.sku)

    @admin.display(description=_("place"))
    def place(self, row: StockMovement) -> str:
        return f"{row.level.location.name} · {row.bin.code}"

    @admin.display(description=_("units"))
    def units(self, row: StockMovement) -> Any:
        if row.delta:
            return quantity(row.delta)
        return format_html('<span class="num">{}</span>', aside_words(row))

    @admin.display(description=_("units set aside"))
    def aside(self, row: StockMovement) -> str:
        return aside_words(row)

    @admin.display(description=_("on hand after"))
    def balance(self, row: StockMovement) -> Any:
        return quantity(row.balance_after)

    @admin.display(description=_("document"))
    def document(self, row: StockMovement) -> Any:
        return reference_link(row)

    @admin.display(description=_("by"))
    def who(self, row: StockMovement) -> str:
        return actor_of(row)
