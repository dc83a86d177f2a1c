"""Buyers: their list, their page, and what of both is shown to those who may not see persons: a number."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    LanguageField,
    TransitionAdmin,
    VersionedAdmin,
    VersionedForm,
    admin_url,
)
from config.kernel.admin.asked import number_of
from config.kernel.admin.pages import PageAdmin
from config.kernel.admin.presses import Press
from config.kernel.templatetags.bancale import ago, quantity
from orders.admin.business import offer_own_language
from orders.admin.merging import MERGE_BUTTON, alike, why_alike
from orders.models import Customer, Order
from orders.privacy import SEE_PERSONAL
from orders.services.merging import MERGE
from orders.services.naming import tell_renamed


class CustomerForm(VersionedForm):
    language = LanguageField(required=False)

    def shape(self) -> None:
        offer_own_language(self)

    def clean_email(self) -> str:
        """As intake looks for it: by another spelling the next order would make a second customer."""
        return str(self.cleaned_data["email"]).lower()


PERSON = ("name", "email", "phone")


def _told_to(request: HttpRequest, row: Customer) -> Customer:
    """The row as this person may read it: called by its number where persons are not to be seen.

    Never to be saved, which would erase them: changing and merging customers need the same right.
    """
    if not request.user.has_perm(SEE_PERSONAL):
        for name in PERSON:
            setattr(row, name, "")
    return row


@admin.register(Customer)
class CustomerAdmin(PageAdmin, VersionedAdmin, TransitionAdmin):
    form = CustomerForm
    list_display = ("known_as", "email", "phone", "order_count", "since")
    search_fields = ("email__istartswith", "merged__email__istartswith", "name", "phone")
    search_help_text = _("E-mail, name or phone")
    ordering = ("-id",)
    fields = ("name", "email", "phone", "language", "also_known", "order_links", "created_at")
    readonly_fields = ("also_known", "order_links", "created_at")
    extra_verbs = (MERGE_BUTTON,)
    needs = dict.fromkeys((*PERSON, "known_as", "also_known"), SEE_PERSONAL)
    name_needs = SEE_PERSONAL
    empty_text = _("Buyers appear here with their first order.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(orders_placed=Count("orders", distinct=True))
        match = request.resolver_match
        is_list = match is not None and match.url_name == "orders_customer_changelist"
        return rows.filter(merged_into=None) if is_list else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        return row if row is None else _told_to(request, row)

    def locked(self, pk: int) -> Any:
        """The row as it is now. The verb looks again once it has locked the orders of all who are merged, and then all
        customers in one sequence; whoever held this one before would be waited for by them."""
        return self.model._default_manager.filter(pk=pk).first()

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        for row in rows:
            _told_to(request, row)

    def own_columns(self, request: HttpRequest) -> list[str]:
        own = super().own_columns(request)
        return own if request.user.has_perm(SEE_PERSONAL) else ["customer_number", *own]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """By number, as #12; by who they are for those only who may see it."""
        text = search_term.strip()
        may_all = request.user.has_perm(SEE_PERSONAL)
        if number := number_of(text.removeprefix("#")) if text.startswith("#") or not may_all else 0:
            return queryset.filter(pk=number), False
        if may_all or not text:
            return super().get_search_results(request, queryset, search_term)
        return queryset.none(), False

    def search_hint(self, request: HttpRequest) -> Any:
        return self.search_help_text if request.user.has_perm(SEE_PERSONAL) else _("Customer number")

    def may_press(self, request: HttpRequest, press: Press) -> bool:
        return super().may_press(request, press) and request.user.has_perm(SEE_PERSONAL)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The form of those who may change customers and see persons; who was merged is only remembered."""
        is_merged = obj is not None and obj.merged_into_id is not None
        return request.user.has_perms(("orders.change_customer", SEE_PERSONAL)) and not is_merged

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"name", "phone"} & set(form.changed_by_hand):
            tell_renamed([obj.pk])

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        return {**page, "notices": list(self._notices(request, obj))}

    def _notices(self, request: HttpRequest, obj: Customer) -> Iterator[dict[str, Any]]:
        if obj.merged_into is not None:
            url = admin_url(Customer, "change", obj.merged_into.pk)
            kept = _told_to(request, obj.merged_into)
            title = gettext("Merged into %(customer)s.") % {"customer": kept}
            yield {"tone": "info", "title": title, "url": url, "label": gettext("Go there")}
        elif request.user.has_perm(SEE_PERSONAL) and (found := alike(obj, request.user)):
            said = "; ".join(f"{one.customer} ({why_alike(one)})" for one in found[:5])
            may = request.user.has_perm(MERGE)
            yield {
                "tone": "wait",
                "title": gettext("Probably the same buyer:"),
                "text": said,
                "url": admin_url(Customer, "merge", obj.pk) if may else "",
                "label": gettext("Merge…"),
            }

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("number"), ordering="id")
    def customer_number(self, row: Customer) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("name"), ordering="name")
    def known_as(self, row: Customer) -> str:
        return str(row)

    @admin.display(description=_("orders"), ordering="orders_placed")
    def order_count(self, row: Any) -> Any:
        return quantity(row.orders_placed)

    @admin.display(description=_("customer since"), ordering="created_at")
    def since(self, row: Customer) -> Any:
        return ago(row.created_at)

    @admin.display(description=_("also known by"))
    def also_known(self, row: Customer) -> str:
        return ", ".join(one.email or f"#{one.pk}" for one in row.merged.order_by("pk")) or "–"

    @admin.display(description=_("orders"))
    def order_links(self, row: Any) -> Any:
        url = f"{admin_url(Order, 'changelist')}?customer__id__exact={row.pk}"
        return format_html('<a href="{}">{}</a>', url, row.orders_placed)
