"""Locations and their bins."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    ComparedTabularInline,
    CountryField,
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    RowForm,
    SeenFilter,
    VersionedAdmin,
    ZoneField,
    acting,
    admin_url,
    describe,
)
from config.kernel.admin.forms import VersionedForm
from config.kernel.countries import country_name
from config.kernel.templatetags.bancale import badge, quantity
from inventory.admin.closing import Ending, Unconfirmed, ask_before, closing_notices, closing_page
from inventory.enums import BinKind
from inventory.models import Bin, BinStock, Location, StockLevel
from inventory.selectors.alerts import mistold_levels
from inventory.services.bins import OWN_BINS
from inventory.services.catalogue import create_location
from inventory.services.levels import record_crossed

describe(
    "location",
    "bins_saved",
    _("Bins made or changed by a sheet"),
    detail=lambda facts: ", ".join(facts["bins"]),
)


class LocationForm(VersionedForm):
    country_code = CountryField(required=False)
    time_zone = ZoneField(initial=Location._meta.get_field("time_zone").default)


class BinForm(RowForm):
    """Shelves and totes; a location's default and quarantine bins come with it and stay."""

    class Meta:
        model = Bin
        fields = ("code", "kind")

    def shape(self) -> None:
        self.fields["kind"] = forms.ChoiceField(
            label=_("kind"), choices=[(kind, BinKind(kind).label) for kind in OWN_BINS]
        )


class BinInline(ComparedTabularInline):
    model = Bin
    form = BinForm
    verbose_name = _("shelf or tote")
    verbose_name_plural = _("shelves and totes")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(kind__in=OWN_BINS).order_by("code")


@admin.register(Location)
class LocationAdmin(VersionedAdmin):
    list_display = ("code", "name", "selling", "city", "country_code", "preference")
    list_filter = ("is_active", "can_ship")
    search_fields = ("code", "name", "city")
    ordering = ("preference", "code")
    fields = (
        "code", "name", ("is_active", "can_ship"), "preference", "count_tolerance", "time_zone", "line1",
        "postal_code", "city", "country_code",
    )  # fmt: skip
    form = LocationForm
    inlines = (BinInline,)
    history_of = {Bin: "location_id"}
    history_words = {"country_code": country_name}
    empty_title = _("No locations yet")
    empty_text = _("Add each warehouse and shop that holds stock; its default bin comes with it.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        label, tone = _selling(obj)
        notices = closing_notices(request, obj)
        head = {"title": obj.name, "badges": [(label, tone)], "sub": [obj.code, obj.city]}
        return {**page, **head, "notices": notices}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """A save that leaves something behind is shown first and does nothing; see `ask_before`."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Unconfirmed as asked:
            return closing_page(self, request, asked)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            ask_before(request, Ending.of(obj, form.initial))
            super().save_model(request, obj, form, change)
            if "is_active" in form.changed_data:
                record_crossed(mistold_levels(StockLevel.objects.filter(location=obj)))
                obj.is_just_closed = not obj.is_active
        else:
            create_location(obj, actor=acting(request))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Who has closed it stays while something is left to look after: its page says what."""
        answer = super().response_change(request, obj)
        if (
            "_save" in request.POST
            and getattr(obj, "is_just_closed", False)
            and closing_notices(request, obj)
        ):
            return HttpResponseRedirect(admin_url(Location, "change", obj.pk))
        return answer

    @admin.display(description=_("sells"), ordering="is_active")
    def selling(self, row: Location) -> Any:
        return badge(*_selling(row))


def _selling(location: Location) -> tuple[Any, str]:
    if not location.is_active:
        return _("Not active"), "idle"
    return (_("Ships orders"), "ok") if location.can_ship else (_("Does not ship"), "wait")


class StockInBinInline(ReadOnlyTabularInline):
    model = BinStock
    fields = readonly_fields = ("sku", "units")
    verbose_name_plural = _("in this bin")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(quantity__gt=0).select_related("level__sku")

    @admin.display(description=_("SKU"))
    def sku(self, row: BinStock) -> str:
        return row.level.sku.code

    @admin.display(description=_("units"))
    def units(self, row: BinStock) -> Any:
        return quantity(row.quantity)


@admin.register(Bin)
class BinAdmin(ReadOnlyAdmin):
    list_display = ("code", "location", "kind")
    list_filter = ("kind", ("location", SeenFilter))
    list_select_related = ("location",)
    search_fields = ("code",)
    ordering = ("location__preference", "code")
    fields = readonly_fields = ("code", "location", "kind")
    inlines = (StockInBinInline,)
    empty_title = _("No bins yet")
    empty_text = _("Each location brings its default and its quarantine bin; shelves are added on its page.")
