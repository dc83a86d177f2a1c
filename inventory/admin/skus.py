"""SKUs: what there is to sell of them, and why."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel import clock
from config.kernel.admin import (
    ComparedRows,
    ComparedTabularInline,
    VersionedAdmin,
    acting,
    admin_url,
    status_badge,
)
from config.kernel.admin.forms import VersionedForm
from config.kernel.errors import BancaleError
from config.kernel.templatetags.bancale import badge, code, quantity
from inventory.admin.adjustments import adjust_buttons
from inventory.admin.pages import PageAdmin, set_actors, set_references
from inventory.admin.words import aside_words, bars, cover_words, signed
from inventory.enums import ReservationState
from inventory.models import (
    Barcode,
    KitPart,
    Reservation,
    Sku,
    StockLevel,
    StockMovement,
    StockReceipt,
    Transfer,
)
from inventory.selectors.alerts import alerts_by_level, mistold_levels
from inventory.selectors.claimed import available_by_claimant
from inventory.selectors.cover import days_of_cover
from inventory.selectors.queue import queue_places
from inventory.selectors.scanning import Meanings
from inventory.selectors.sku_page import (
    SHOWN,
    last_movements,
    levels_of,
    live_reservations,
    search_skus,
    with_totals,
)
from inventory.selectors.stock import available_to_sell
from inventory.selectors.transit import lines_in_transit
from inventory.selectors.waterfall import waterfall
from inventory.services.catalogue import PartOfKit, kit_problem, save_kits
from inventory.services.levels import lock_skus, record_crossed
from inventory.services.receiving import RECEIVE
from inventory.states import RESERVE

INCOMING = 25
# Of promises and movements; their lists have the rest.
ROWS = 8
PART_FIELD = re.compile(r"kit_parts-[0-9]+-part")
PK = re.compile(r"[0-9]{1,18}")


class KitPartForms(ComparedRows):
    """The parts as one set: the verb behind them takes all of them, or none."""

    def wanted(self) -> list[PartOfKit]:
        """The parts as they are to be, with those that others added while the form was open."""
        kept = [form for form in self.forms if form not in self.deleted_forms]
        rows = [form.cleaned_data for form in kept if form.cleaned_data.get("part")]
        return [
            *(PartOfKit(row["part"].pk, row["per_unit"], row["value_weight"]) for row in rows),
            *(PartOfKit(row.part_id, row.per_unit, row.value_weight) for row in self.added_by_others),
        ]

    def clean(self) -> None:
        super().clean()
        if any(self.errors) or not self.has_changed():
            return
        problem = kit_problem(self.instance, self.wanted()) if self.instance.pk else None
        if problem is not None:
            raise forms.ValidationError(str(problem))


class KitPartInline(ComparedTabularInline):
    model = KitPart
    fk_name = "kit"
    formset = KitPartForms
    autocomplete_fields = ("part",)
    fields = ("part", "per_unit", "value_weight")
    verbose_name = gettext_lazy("kit part")
    verbose_name_plural = gettext_lazy("kit parts (a SKU with parts is a kit and holds no stock itself)")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("part")


class BarcodeForms(ComparedRows):
    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form not in self.deleted_forms and form.has_changed()]
        codes = [form.cleaned_data["code"] for form in kept if form.cleaned_data.get("code")]
        problem = Meanings.of(codes).barcode_problem(self.instance.code, codes)
        if problem is not None:
            raise forms.ValidationError(str(problem))


class SkuForm(VersionedForm):
    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        problem = Meanings.of([code]).code_problem(code)
        if problem is not None:
            raise forms.ValidationError(str(problem))
        return code


class BarcodeInline(ComparedTabularInline):
    model = Barcode
    formset = BarcodeForms
    fields = ("code",)


@admin.register(Sku)
class SkuAdmin(PageAdmin, VersionedAdmin):
    change_form_template = "inventory/sku.html"
    list_display = ("code_said", "title_said", "available", "here", "promised", "in_line")
    list_filter = ("is_kit", "is_active")
    search_fields = ("code",)
    search_help_text = gettext_lazy("Beginning of the SKU, a barcode, or words of the title")
    ordering = ("code",)
    fields = ("code", "title", "weight_grams", "is_active")
    form = SkuForm
    inlines = (BarcodeInline, KitPartInline)
    history_of = {Barcode: "sku_id", KitPart: "kit_id"}
    empty_title = gettext_lazy("No SKUs yet")
    empty_text = gettext_lazy(
        "A SKU is one thing that you stock and sell. Add the first, then receive goods."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sku]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "inventory_sku_changelist"
        return with_totals(rows) if is_list else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Sku], search_term: str
    ) -> tuple[QuerySet[Sku], bool]:
        rows = search_skus(queryset, search_term[:200])
        match = request.resolver_match
        is_choice = match is not None and match.url_name == "autocomplete"
        return (rows.filter(is_active=True) if is_choice else rows), False

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        found = available_to_sell(row.pk for row in rows)
        for row in rows:
            row.available_units = found[row.pk]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else self.inlines[:1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def lock(self, request: HttpRequest, obj: Any) -> None:
        """The SKU and its parts by ascending pk, as `save_kits` locks them behind it."""
        typed = {str(value) for name, value in request.POST.items() if PART_FIELD.fullmatch(name)}
        named = KitPart.objects.filter(kit=obj).values_list("part_id", flat=True)
        lock_skus({obj.pk, *named, *(int(value) for value in typed if PK.fullmatch(value))})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            record_crossed(mistold_levels(StockLevel.objects.filter(sku=obj)))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if not isinstance(formset, KitPartForms):
            super().save_formset(request, form, formset, change)
            return
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        pk = form.instance.pk
        if formset.has_changed():
            save_kits([pk], parts={pk: formset.wanted()}, actor=acting(request)).raise_refusals()
        self.say_kept(request, formset)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except BancaleError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, **page_of(obj, request)}

    @admin.display(description=gettext_lazy("SKU"), ordering="code")
    def code_said(self, row: Sku) -> Any:
        return code(row.code)

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def title_said(self, row: Sku) -> Any:
        return format_html("{} {}", row.title, badge(_("Kit"), "info")) if row.is_kit else row.title

    @admin.display(description=gettext_lazy("available to sell"))
    def available(self, row: Any) -> Any:
        return quantity(row.available_units)

    @admin.display(description=gettext_lazy("on hand"), ordering="on_hand_units")
    def here(self, row: Any) -> Any:
        return quantity(None if row.is_kit else row.on_hand_units)

    @admin.display(description=gettext_lazy("reserved"), ordering="reserved_units")
    def promised(self, row: Any) -> Any:
        return quantity(None if row.is_kit else row.reserved_units)

    @admin.display(description=gettext_lazy("waiting"), ordering="waiting_units")
    def in_line(self, row: Any) -> Any:
        return quantity(None if row.is_kit else row.waiting_units)


def page_of(sku: Sku, request: HttpRequest) -> dict[str, Any]:
    """The cards of a SKU's page."""
    actor = acting(request)
    explained = waterfall(sku.pk, actor=actor)
    promises, movements = live_reservations(sku.pk, actor=actor), last_movements(sku.pk, actor=actor)
    set_references([*promises, *movements])
    set_actors(movements)
    places = queue_places(row.pk for row in promises if row.state == ReservationState.WAITING)
    for row in promises:
        row.queue_place = places.get(row.pk)  # type: ignore[attr-defined]
        row.badge = status_badge(ReservationState, row.state)  # type: ignore[attr-defined]
        if len(places) > 1 and row.pk in places and request.user.has_perm(RESERVE):
            row.move_url = admin_url(Reservation, "requeue", row.pk)  # type: ignore[attr-defined]
    for entry in movements:
        entry.signed = signed(entry.delta)  # type: ignore[attr-defined]
        entry.aside = aside_words(entry)  # type: ignore[attr-defined]
    may_receive = request.user.has_perm(RECEIVE) and not sku.is_kit and sku.is_active
    receive = f"{admin_url(StockReceipt, 'add')}?sku={sku.pk}"
    limiting = (
        Sku.objects.filter(pk=explained.limiting_part_id).first() if explained.limiting_part_id else None
    )
    return {
        "title": f"{sku.code} · {sku.title}",
        "badges": _badges(sku),
        "sub": [_("%(n)s available to sell") % {"n": explained.available}],
        "actions": [
            *([] if sku.is_kit else adjust_buttons(request, sku=sku)[:1]),
            *([{"label": _("Receive stock"), "url": receive, "tone": "primary"}] if may_receive else []),
        ],
        "incoming": [
            {"line": line, "url": admin_url(Transfer, "change", line.transfer_id)}
            for line in lines_in_transit([sku.pk])
            if actor.sees_place(line.transfer.origin_id) or actor.sees_place(line.transfer.destination_id)
        ][:INCOMING],
        "waterfall": bars(explained),
        "available": explained.available,
        "cover": []
        if sku.is_kit
        else [cover_words(one) for one in days_of_cover(sku, explained.available, actor=actor)],
        "channels": available_by_claimant(sku.pk),
        "channels_linked": request.user.has_perm("orders.view_saleschannel"),
        "limiting": limiting,
        "levels": _levels(sku, request),
        "promises": promises[:ROWS],
        "promises_said": _all_of(len(promises)),
        "promises_url": f"{admin_url(Reservation, 'changelist')}?sku__id__exact={sku.pk}",
        "movements": movements[:ROWS],
        "movements_url": f"{admin_url(StockMovement, 'changelist')}?level__sku__id__exact={sku.pk}",
        "show_form": True,
    }


def _all_of(count: int) -> str:
    """The link to all reservations, with their number where it is more than what is shown."""
    if not ROWS < count < SHOWN:
        return _("All reservations")
    return ngettext("All %(n)s reservation", "All %(n)s reservations", count) % {"n": count}


def _levels(sku: Sku, request: HttpRequest) -> list[StockLevel]:
    """The SKU's levels, with the alerts that this person may see."""
    actor = acting(request)
    levels = [level for level in levels_of(sku.pk) if actor.sees_place(level.location_id)]
    may_see = request.user.has_perm("inventory.view_lowstockalert")
    found = alerts_by_level(level.pk for level in levels) if may_see else {}
    for level in levels:
        level.alert = found.get(level.pk)  # type: ignore[attr-defined]
    return levels


def _badges(sku: Sku) -> list[tuple[str, str]]:
    badges = [] if sku.is_active else [(_("Not active"), "idle")]
    return [*badges, (_("Kit"), "info")] if sku.is_kit else badges
