"""An order's mails: the card on its page, what may be done about them, and how any of them would read."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm, ReasonForm, admin_url, status_badge
from config.kernel.admin.failure_words import failure_words
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery
from config.kernel.results import Results
from config.kernel.templatetags.bancale import badge, localtime
from orders.admin.mail_preview import logo_url, preview_facts
from orders.admin.panels import register_order_button
from orders.enums import MailKind, OrderStatus
from orders.models import MailDelivery, Order
from orders.privacy import SEE_PERSONAL
from orders.selectors.once import once
from orders.selectors.order_rows import rows_of
from orders.selectors.owed_mails import HELD_BACK, set_kinds
from orders.services.mail_occasions import nobody_to_tell
from orders.services.mail_previews import preview_order_mail
from orders.services.mail_resending import RESEND
from orders.services.mail_stopping import STOP_MAILS, allow_mails, stop_mails, suppress_mails

SEE_MAILS, SEE_LOG = "orders.view_notification", "orders.view_maildelivery"


def owed_of(order: Order) -> list[Delivery]:
    """Mails that have not left, oldest first, each with its kind as `mail_kind`."""
    return once(order, "_owed_mails", lambda: _owed_rows(order))


def _owed_rows(order: Order) -> list[Delivery]:
    rows = sorted([*rows_of(order, "owed"), *rows_of(order, "owed_of_parcels")], key=lambda row: row.pk)
    set_kinds(rows)
    return rows


def held_back(order: Order) -> list[Delivery]:
    return [row for row in owed_of(order) if row.state in HELD_BACK]


def kind_words(row: Any) -> str:
    """What a mail that is owed is called; the repetition of one that was erased has no kind."""
    return str(row.mail_kind.label) if row.mail_kind else _("Repeated mail")


def mails_card(order: Order, request: HttpRequest) -> dict[str, Any]:
    """What the card shows: mails with their state, what may be pressed for each, and for all."""
    may_see, may_stop = (request.user.has_perm(right) for right in (SEE_MAILS, STOP_MAILS))
    links = [(_("Preview…"), admin_url(Order, "mails", order.pk))] if may_see else []
    if request.user.has_perm(SEE_LOG):
        links.append((_("Log"), f"{admin_url(MailDelivery, 'changelist')}?q={order.number}"))
    if may_stop and not order.mails_stopped:
        links.append((_("Stop mails…"), admin_url(Order, "stop_mails", order.pk)))
    return {
        "rows": [*_sent(order, request), *_owed(order, may_stop=may_stop)],
        "links": links,
        "is_stopped": order.mails_stopped,
        "allow_url": admin_url(Order, "allow_mails", order.pk) if may_stop and order.mails_stopped else "",
    }


def _sent(order: Order, request: HttpRequest) -> Iterator[dict[str, Any]]:
    may_see, may_resend = (request.user.has_perm(right) for right in (SEE_MAILS, RESEND))
    kinds = {row.mail_kind for row in owed_of(order)}  # type: ignore[attr-defined]
    for mail in rows_of(order, "mails"):
        kinds.add(MailKind(mail.kind))
        sent = mail.sent_at is not None
        yield {
            "label": mail.get_kind_display(),
            "url": admin_url(mail, "change", mail.pk) if may_see else "",
            "badge": badge(_("sent"), "ok") if sent else badge(_("outcome unknown"), "stop"),
            "at": localtime(mail.sent_at or mail.sending_at),
            "press": (_("Send once more…"), admin_url(mail, "resend", mail.pk))
            if sent and may_resend
            else (),
        }
    if MailKind.CONFIRMATION not in kinds and not order.is_history:
        yield {"label": MailKind.CONFIRMATION.label, "badge": _confirmation_due(order)}


def _confirmation_due(order: Order) -> Any:
    """What becomes of a confirmation that nothing has asked for yet, as the mail room will decide it."""
    if why := nobody_to_tell(order, MailKind.CONFIRMATION):
        return badge(why, "idle")
    is_ahead = order.status in (OrderStatus.DRAFT, OrderStatus.PLACED)
    return badge(_("waits for confirm") if is_ahead else _("not sent"), "idle")


def _owed(order: Order, *, may_stop: bool) -> Iterator[dict[str, Any]]:
    for row in owed_of(order):
        url = f"{admin_url(Order, 'suppress_mails', order.pk)}?mails={row.pk}"
        yield {
            "label": kind_words(row),
            "badge": status_badge(DeliveryState, row.state),
            "at": localtime(row.due_at),
            "error": failure_words(row.last_error).title,
            "press": (_("Do not send…"), url) if may_stop and row.state in HELD_BACK else (),
        }


class SuppressForm(ObjectForm):
    """Which of the mails that are owed."""

    mails = forms.TypedMultipleChoiceField(
        label=gettext_lazy("These mails never leave"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    reason = ReasonForm.base_fields["reason"]

    def shape(self) -> None:
        field: Any = self.fields["mails"]
        field.choices = [(row.pk, kind_words(row)) for row in held_back(self.obj)]


def suppress_typed(ids: Sequence[int], *, mails: Sequence[int], reason: str, actor: Actor) -> Results[int]:
    """`suppress_mails` of the one order of a confirm page; all of them or none."""
    results: Results[int] = Results(ids)
    for pk in ids:
        suppress_mails(mails, reason=reason, actor=actor).raise_refusals()
        results.done(pk)
    return results


register_order_button(
    ExtraVerb(
        name="suppress_mails",
        label=gettext_lazy("Do not send…"),
        permission=STOP_MAILS,
        tone="risk",
        in_head=False,
        verb=suppress_typed,
        form=SuppressForm,
        effect=gettext_lazy("Do not send"),
        success=gettext_lazy("They never leave."),
        consequences=lambda order: [
            _("The buyer never hears of it by mail; other mails of the order go on.")
        ],
        undo=gettext_lazy("It cannot be taken back."),
        applies=lambda order: bool(held_back(order)),
    )
)
register_order_button(
    ExtraVerb(
        name="stop_mails",
        label=gettext_lazy("Stop mails…"),
        permission=STOP_MAILS,
        tone="risk",
        in_head=False,
        verb=stop_mails,
        form=ReasonForm,
        effect=gettext_lazy("Send no more mails"),
        success=gettext_lazy("No mail of this order leaves any more."),
        consequences=lambda order: [
            _(
                "The buyer gets no mail of this order any more: none of what is due, of parcels, of cancellations."
            ),
            _("What becomes due meanwhile is not sent later either."),
        ],
        undo=gettext_lazy("“Allow mails” lets those leave that become due from then on."),
        applies=lambda order: not order.mails_stopped,
    )
)
register_order_button(
    ExtraVerb(
        name="allow_mails",
        label=gettext_lazy("Allow mails"),
        permission=STOP_MAILS,
        in_head=False,
        verb=allow_mails,
        success=gettext_lazy("Mails of this order leave again."),
        consequences=lambda order: [
            _("Mails that become due from now on leave again; those that were kept back do not.")
        ],
        undo=gettext_lazy("“Stop mails” keeps them back again."),
        applies=lambda order: order.mails_stopped,
    )
)


def mails_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """How any kind of mail would read now; nothing is written."""
    if not (request.user.has_perm(SEE_PERSONAL) and request.user.has_perm(SEE_MAILS)):
        raise PermissionDenied
    order = model_admin.get_object(request, str(pk))
    if order is None:
        raise Http404
    asked = request.GET.get("kind", "")
    kind = MailKind(asked) if asked in MailKind.values else MailKind.CONFIRMATION
    preview = preview_order_mail(pk, kind, logo_url)
    if preview is None:
        raise Http404
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "object": order,
        "title": _("Order %(number)s: how its mails would read") % {"number": order.number},
        "kinds": [{"kind": one, "current": one == kind} for one in MailKind],
        "preview": preview,
        "preview_facts": preview_facts(preview),
    }
    return TemplateResponse(request, "orders/order_mails.html", context)
