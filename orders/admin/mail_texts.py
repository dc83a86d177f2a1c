"""The texts of mails: written by staff from a fixed set of placeholders, and tried before they are saved."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import LanguageField, VersionedAdmin, VersionedForm, acting
from config.kernel.events import Entry, record_events
from config.kernel.languages import language_name
from config.kernel.visibility import visible_to
from orders.admin.mail_preview import logo_url, preview_facts
from orders.enums import MailKind
from orders.models import MailText, Order
from orders.privacy import SEE_PERSONAL
from orders.services.mail_builtin import BUILT_IN
from orders.services.mail_previews import MailPreview, preview_text
from orders.wordings import OF_BODIES, PLACEHOLDERS

TRY, TRY_ORDER = "_try", "try_order"
MEANINGS = {
    "greeting": _("Dear Rosa Neri, or Good day, where there is no name"),
    "buyer_name": _("the buyer's name"),
    "order_number": _("the number that the buyer knows"),
    "order_date": _("the day it was placed"),
    "order_total": _("what the buyer owes in all"),
    "shop_name": _("the sales channel"),
    "company_name": _("the legal entity"),
    "dispatch_day": _("the day it is promised to leave"),
    "ship_to": _("name and address, several lines"),
    "items": _("the goods that the mail is about, a line each"),
    "changes": _("what was changed, a line each"),
    "carrier": _("the carrier"),
    "tracking_number": _("the tracking numbers"),
    "order_summary": _("the table of the order, alone on its line"),
}


class MailTextForm(VersionedForm):
    """One that is only tried is checked as for a save, and not saved."""

    is_tried = False

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_tried


class NewMailTextForm(MailTextForm):
    language = LanguageField(initial=settings.LANGUAGES[0][0])


@admin.register(MailText)
class MailTextAdmin(VersionedAdmin):
    form = MailTextForm
    change_form_template = "orders/mail_text.html"
    list_display = ("mail", "spoken", "channel", "subject_said", "body_said")
    list_filter = ("kind", "language", "sales_channel")
    list_select_related = ("sales_channel",)
    search_fields = ("subject", "body")
    ordering = ("kind", "language", "id")
    fields = ("kind", "language", "sales_channel", "subject", "body")
    empty_title = _("No mail has words of yours yet")
    empty_text = _("Mails say the product's own text, in the buyer's language, until you write another here.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Which mail it is stays: its placeholders would be another mail's."""
        return () if obj is None else ("kind", "spoken", "sales_channel")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return fields if obj is None else ["spoken" if name == "language" else name for name in fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewMailTextForm
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.is_tried = request.method == "POST" and TRY in request.POST
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "sales_channel" and field is not None:
            field.widget.can_add_related = False
        return field

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        title = f"{obj.get_kind_display()} · {language_name(obj.language)} · {self.channel(obj)}"
        return {**(super().page_context(request, obj) or {}), "title": title}

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        thread = self.thread_of(obj)
        super().delete_model(request, obj)
        record_events([Entry((thread.type, thread.id), thread, "deleted")], actor=acting(request))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        text: MailText = form.instance
        kind = text.kind or form["kind"].value()
        if kind in MailKind.values:
            text.kind, text.language = kind, text.language or settings.LANGUAGES[0][0]
            context |= {"accepted": _accepted(MailKind(kind)), "own": _own(MailKind(kind), text.language)}
            if not form.errors:
                context |= self._tried(request, text)
        context["try_order"] = request.POST.get(TRY_ORDER, "")
        return super().render_change_form(request, context, *args, **kwargs)

    def _tried(self, request: HttpRequest, text: MailText) -> dict[str, Any]:
        number = request.POST.get(TRY_ORDER, "").strip()[:40]
        if not number:
            return _shown(preview_text(text, logo_url))
        order = visible_to(request.user, Order.objects.filter(number=number)).first()
        if not request.user.has_perm(SEE_PERSONAL):
            order = None
        if order is None:
            said = gettext("There is no order %(number)s; this is a sample.") % {"number": number}
            return {**_shown(preview_text(text, logo_url)), "try_fault": said}
        return _shown(preview_text(text, logo_url, order.pk))

    @admin.display(description=_("mail"), ordering="kind")
    def mail(self, row: MailText) -> str:
        return str(row.get_kind_display())

    @admin.display(description=_("language"), ordering="language")
    def spoken(self, row: MailText) -> str:
        return language_name(row.language)

    @admin.display(description=_("sales channel"))
    def channel(self, row: MailText) -> str:
        return row.sales_channel.name if row.sales_channel else gettext("all channels")

    @admin.display(description=_("subject"))
    def subject_said(self, row: MailText) -> str:
        return row.subject or gettext("the product's own")

    @admin.display(description=_("text"))
    def body_said(self, row: MailText) -> str:
        return " ".join(row.body.split())[:80] or gettext("the product's own")


def _shown(preview: MailPreview) -> dict[str, Any]:
    return {"preview": preview, "preview_facts": preview_facts(preview)}


def _accepted(kind: MailKind) -> list[dict[str, Any]]:
    return [
        {"name": f"{{{name}}}", "said": MEANINGS[name], "in_body_only": name in OF_BODIES}
        for name in PLACEHOLDERS[kind]
    ]


def _own(kind: MailKind, language: str) -> dict[str, str]:
    with translation.override(language):
        return {
            "subject": str(BUILT_IN[kind].subject),
            "body": str(BUILT_IN[kind].body),
            "language": language,
        }
