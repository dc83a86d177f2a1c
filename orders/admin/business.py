"""Who sells, where, and to whom: legal entities, sales channels, customers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import VersionedAdmin, admin_url
from config.kernel.templatetags.bancale import ago, badge, quantity
from orders.models import Customer, LegalEntity, Order, SalesChannel


@admin.register(LegalEntity)
class LegalEntityAdmin(VersionedAdmin):
    list_display = ("name", "code", "country_code", "currency", "time_zone")
    search_fields = ("name", "code", "vat_number")
    fields = ("name", "code", "vat_number", "country_code", "currency", "time_zone")
    empty_text = _("The company that sells. Its zone decides its days and its invoice years.")


@admin.register(SalesChannel)
class SalesChannelAdmin(VersionedAdmin):
    list_display = ("name", "code", "kind", "legal_entity", "currency", "language", "active")
    list_filter = ("kind", "is_active")
    list_select_related = ("legal_entity",)
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("name", "code", "kind", "legal_entity", "currency", "is_active")}),
        (_("Mails"), {"fields": ("language", "sender_name", "sender_email")}),
        (_("Promises"), {"fields": ("auto_confirm", "dispatch_days", "priority")}),
    )
    empty_text = _("A place that sells: a web shop, a marketplace, the phone.")

    @admin.display(description=_("active"), ordering="is_active")
    def active(self, row: SalesChannel) -> Any:
        return badge(_("active"), "ok") if row.is_active else badge(_("off"), "idle")


@admin.register(Customer)
class CustomerAdmin(VersionedAdmin):
    list_display = ("known_as", "email", "phone", "order_count", "since")
    search_fields = ("email__istartswith", "name", "phone")
    search_help_text = _("E-mail, name or phone")
    ordering = ("-id",)
    fields = ("name", "email", "phone", "language", "order_links", "created_at")
    readonly_fields = ("order_links", "created_at")
    empty_text = _("Buyers appear here with their first order.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(orders_placed=Count("orders"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("name"), ordering="name")
    def known_as(self, row: Customer) -> str:
        return str(row)

    @admin.display(description=_("orders"), ordering="orders_placed")
    def order_count(self, row: Any) -> Any:
        return quantity(row.orders_placed)

    @admin.display(description=_("customer since"), ordering="created_at")
    def since(self, row: Customer) -> Any:
        return ago(row.created_at)

    @admin.display(description=_("orders"))
    def order_links(self, row: Any) -> Any:
        url = f"{admin_url(Order, 'changelist')}?customer__id__exact={row.pk}"
        return format_html('<a href="{}">{}</a>', url, row.orders_placed)
