"""Who sells, where, and to whom: legal entities, sales channels, customers."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    CountryField,
    LanguageField,
    TransitionAdmin,
    VersionedAdmin,
    VersionedForm,
    ZoneField,
    admin_url,
)
from config.kernel.countries import country_name
from config.kernel.languages import language_name
from config.kernel.templatetags.bancale import DASH, ago, badge, quantity
from orders.admin.mail_preview import logo_url
from orders.admin.merging import MERGE_BUTTON, alike, why_alike
from orders.enums import MailKind
from orders.logos import MOST_BYTES, Logo, NotALogo, read_logo
from orders.models import ChannelLogo, Customer, LegalEntity, Order, SalesChannel
from orders.privacy import SEE_PERSONAL
from orders.services.logos import put_logo
from orders.services.merging import MERGE
from orders.services.naming import tell_renamed


class LegalEntityForm(VersionedForm):
    country_code = CountryField()
    time_zone = ZoneField(initial=LegalEntity._meta.get_field("time_zone").default)


@admin.register(LegalEntity)
class LegalEntityAdmin(VersionedAdmin):
    form = LegalEntityForm
    list_display = ("name", "code", "country_code", "currency", "time_zone")
    search_fields = ("name", "code", "vat_number")
    fields = ("name", "code", "vat_number", "country_code", "currency", "time_zone")
    history_words = {"country_code": country_name}
    empty_text = _("The company that sells. Its zone decides its days and its invoice years.")


MAIL_FIELDS = (
    "language", "sender_name", "sender_email", "reply_to", "logo_shown", "logo_file", "no_logo", "mails_off",
)  # fmt: skip


class MailsOffField(forms.MultipleChoiceField):
    """Kinds of mail, also as the text in which the form carries what it showed."""

    def to_python(self, value: Any) -> list[str]:
        if isinstance(value, str):
            return [kind for kind in MailKind.values if f"'{kind}'" in value]
        return super().to_python(value)


def mails_said(off: list[str] | None) -> str:
    """The mails that a channel does not send, in words."""
    if off is None:
        return gettext("as is usual for its kind of channel")
    return ", ".join(str(MailKind(kind).label) for kind in off if kind in MailKind.values) or DASH


def offer_own_language(form: VersionedForm) -> None:
    """Whoever only looks has no such field."""
    field: Any = form.fields.get("language")
    if field is not None:
        field.offer(form.instance.language)


class SalesChannelForm(VersionedForm):
    language = LanguageField(
        initial=SalesChannel._meta.get_field("language").default,
        help_text=_("Of mails to buyers who name none."),
    )
    mails_off = MailsOffField(
        label=_("Mails not sent"),
        choices=MailKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A marketplace that forbids mails to its buyers begins with all of them switched off."),
    )

    logo_file = forms.FileField(
        label=_("New logo"),
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg"}),
        help_text=_(
            "PNG or JPEG, up to 512 KiB. It is sent inside each mail: nothing is loaded from anywhere."
        ),
    )
    no_logo = forms.BooleanField(label=_("Take the logo away"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel: SalesChannel = self.instance
        if channel.pk:
            self.initial["mails_off"] = [kind.value for kind in MailKind if not channel.sends(kind)]

    def shape(self) -> None:
        offer_own_language(self)

    def clean_logo_file(self) -> Logo | None:
        """The picture that is in the file, whatever its name says."""
        given = self.cleaned_data["logo_file"]
        if given is None:
            return None
        try:
            return read_logo(given.read(MOST_BYTES + 1))
        except NotALogo as error:
            raise forms.ValidationError(str(error), code=error.code) from None

    def clean_mails_off(self) -> list[str] | None:
        """As stored where nothing was ticked otherwise: None means what is usual for its kind of channel."""
        chosen: list[str] = self.cleaned_data["mails_off"]
        as_shown = set(chosen) == set(self.initial.get("mails_off", ()))
        return self.instance.mails_off if as_shown else chosen


@admin.register(SalesChannel)
class SalesChannelAdmin(VersionedAdmin):
    form = SalesChannelForm
    list_display = ("name", "code", "kind", "legal_entity", "currency", "speaks", "active")
    list_filter = ("kind", "is_active")
    list_select_related = ("legal_entity",)
    search_fields = ("name", "code")
    fieldsets = (
        (None, {"fields": ("name", "code", "kind", "legal_entity", "currency", "is_active")}),
        (_("Mails"), {"fields": MAIL_FIELDS}),
        (_("Promises"), {"fields": ("auto_confirm", "dispatch_days", "priority", "unpaid_hold_hours")}),
    )
    readonly_fields = ("logo_shown",)
    empty_text = _("A place that sells: a web shop, a marketplace, the phone.")
    history_of = {ChannelLogo: "sales_channel_id"}
    history_words = {"mails_off": mails_said, "language": language_name}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.logo_view)
        return [path("<int:pk>/logo.png", view, name="orders_saleschannel_logo"), *super().get_urls()]

    def logo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The picture alone."""
        channel = self.get_object(request, str(pk))
        if not self.has_view_permission(request, channel):
            raise PermissionDenied
        logo = getattr(channel, "logo", None)
        if logo is None:
            raise Http404
        return HttpResponse(bytes(logo.content), content_type="image/png")

    def save_model(self, request: HttpRequest, obj: SalesChannel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        logo: Logo | None = form.cleaned_data.get("logo_file")
        if logo is not None or form.cleaned_data.get("no_logo"):
            put_logo(obj.pk, logo)

    @admin.display(description=_("logo"))
    def logo_shown(self, row: SalesChannel) -> Any:
        logo: ChannelLogo | None = getattr(row, "logo", None)
        if logo is None:
            return "–"
        return format_html(
            '<img src="{}" width="{}" height="{}" alt="{}" class="paper">',
            logo_url(logo), logo.width, logo.height, row.name,
        )  # fmt: skip

    @admin.display(description=_("language"), ordering="language")
    def speaks(self, row: SalesChannel) -> str:
        return language_name(row.language)

    @admin.display(description=_("active"), ordering="is_active")
    def active(self, row: SalesChannel) -> Any:
        return badge(_("active"), "ok") if row.is_active else badge(_("off"), "idle")


class CustomerForm(VersionedForm):
    language = LanguageField(required=False)

    def shape(self) -> None:
        offer_own_language(self)

    def clean_email(self) -> str:
        """As intake looks for it: by another spelling the next order would make a second customer."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(Customer)
class CustomerAdmin(VersionedAdmin, TransitionAdmin):
    form = CustomerForm
    list_display = ("known_as", "email", "phone", "order_count", "since")
    search_fields = ("email__istartswith", "merged__email__istartswith", "name", "phone")
    search_help_text = _("E-mail, name or phone")
    ordering = ("-id",)
    fields = ("name", "email", "phone", "language", "also_known", "order_links", "created_at")
    readonly_fields = ("also_known", "order_links", "created_at")
    extra_verbs = (MERGE_BUTTON,)
    name_needs = SEE_PERSONAL
    empty_text = _("Buyers appear here with their first order.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(orders_placed=Count("orders", distinct=True))
        match = request.resolver_match
        is_list = match is not None and match.url_name == "orders_customer_changelist"
        return rows.filter(merged_into=None) if is_list else rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The form of those who may change customers; who was merged is only remembered."""
        is_merged = obj is not None and obj.merged_into_id is not None
        return request.user.has_perm("orders.change_customer") and not is_merged

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
            title = gettext("Merged into %(customer)s.") % {"customer": obj.merged_into}
            yield {"tone": "info", "title": title, "url": url, "label": gettext("Go there")}
        elif found := alike(obj, request.user):
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
