"""Who sells, and where: legal entities and sales channels."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import (
    CountryField,
    LanguageField,
    VersionedAdmin,
    VersionedForm,
    ZoneField,
)
from config.kernel.countries import country_name
from config.kernel.languages import language_name
from config.kernel.templatetags.bancale import DASH, badge
from orders.admin.mail_preview import logo_url
from orders.enums import MailKind
from orders.logos import MOST_BYTES, Logo, NotALogo, read_logo
from orders.models import ChannelLogo, LegalEntity, SalesChannel
from orders.services.logos import put_logo


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
