"""The buttons of an order: which verb, what its confirm page says, and when it does not stand there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import F
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm, TransitionVerb
from config.kernel.batches import verb
from config.kernel.results import Results
from config.kernel.templatetags.bancale import money_text
from orders.admin.mail_news import mail_said, mails_said
from orders.admin.words import hold_title
from orders.enums import GOODS_GONE, HoldKind, MailKind, OrderStatus, Step
from orders.errors import AlreadyShipped
from orders.models import Hold, LinePart, Order
from orders.selectors.holds import refusing
from orders.selectors.order_goods import goods_of
from orders.selectors.order_rows import rows_of
from orders.services.allocating import ALLOCATE, allocate_orders
from orders.services.cancelling import LONGEST_REASON, cancel_orders
from orders.services.completing import complete_orders, pending, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.holds import HOLD_ORDER, place_hold, release_holds
from orders.services.lifting import lift_and_confirm_orders
from orders.services.mail_occasions import nobody_to_tell

STAFF_HOLDS = (HoldKind.MANUAL, HoldKind.FRAUD, HoldKind.CANCEL_REQUESTED, HoldKind.ADDRESS)


# Of the holds that staff choose, the one by which a buyer is asked.
WITH_ADDRESS = lazy(lambda: _("With “%(kind)s”") % {"kind": HoldKind.ADDRESS.label}, str)()


def holds_of(order: Order) -> list[Hold]:
    """The order's open holds, oldest first, asked once an instance."""
    return rows_of(order, "holds")


def refusing_confirm(order: Order) -> list[Hold]:
    return refusing(holds_of(order), Step.CONFIRM)


def undecided_units(order: Order) -> int:
    """Units that nobody has reserved or put in line."""
    return goods_of(order).undecided


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Stands on the timeline; no names or addresses."),
    )


EVERYTHING, LEAVING = "everything", "leaving"


class HoldForm(forms.Form):
    kind = forms.TypedChoiceField(
        label=gettext_lazy("Hold"),
        choices=[(kind.value, kind.label) for kind in STAFF_HOLDS],
        coerce=HoldKind,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}), required=True
    )
    refuses = forms.ChoiceField(
        label=gettext_lazy("What may not happen meanwhile"),
        choices=[
            (EVERYTHING, gettext_lazy("It may not be confirmed, and nothing of it may leave")),
            (LEAVING, gettext_lazy("It may be confirmed, but nothing of it may leave")),
        ],
        initial=EVERYTHING,
        required=False,
        help_text=gettext_lazy("The second counts for “Held by staff”; every other hold refuses both."),
    )


class LiftForm(ObjectForm):
    """Chooses among the kinds that hold the order now."""

    kind = forms.TypedChoiceField(label=gettext_lazy("Hold"), coerce=HoldKind)

    def shape(self) -> None:
        kinds = dict.fromkeys(hold.kind for hold in holds_of(self.obj) if hold.kind != HoldKind.IMPORT)
        field = self.fields["kind"]
        field.choices = [(kind, HoldKind(kind).label) for kind in kinds]  # type: ignore[attr-defined]


class BulkLiftForm(forms.Form):
    kind = forms.TypedChoiceField(
        label=gettext_lazy("Hold"),
        choices=[(kind.value, kind.label) for kind in HoldKind if kind != HoldKind.IMPORT],
        coerce=HoldKind,
        initial=HoldKind.MANUAL,
    )
    # Of an undo: only the holds that were placed with this reason.
    reason = forms.CharField(required=False, widget=forms.HiddenInput)


class HoldAgainForm(forms.Form):
    """Posted by an undo only: what was lifted since then."""

    kind = forms.TypedChoiceField(
        label=gettext_lazy("Hold"), choices=[(kind.value, kind.label) for kind in HoldKind], coerce=HoldKind
    )
    since = forms.CharField(widget=forms.HiddenInput)

    def clean_since(self) -> datetime:
        return datetime.fromisoformat(self.cleaned_data["since"])


@verb
def hold_orders(
    order_ids: Sequence[int], *, kind: HoldKind, reason: str, refuses: str = EVERYTHING, actor: Actor
) -> Results[int]:
    """`place_hold` with what it refuses as staff chose it."""
    allows = {"allows": [Step.CONFIRM.value]} if kind == HoldKind.MANUAL and refuses == LEAVING else None
    return place_hold(order_ids, kind=kind, reason=reason, facts=allows, actor=actor)


def _on_confirm(order: Order) -> list[Any]:
    days = order.sales_channel.dispatch_days
    promised = ngettext(
        "It is promised to leave within %(n)s working day.",
        "It is promised to leave within %(n)s working days.",
        days,
    )
    return [mail_said(order, MailKind.CONFIRMATION), promised % {"n": days}]


def _on_lift_and_confirm(order: Order) -> list[Any]:
    lifted = [
        {"text": _("Hold lifted: %(what)s") % {"what": hold_title(hold.kind, hold.facts)}, "tone": "wait"}
        for hold in refusing_confirm(order)
    ]
    kept = [hold for hold in holds_of(order) if hold not in refusing_confirm(order)]
    more = [
        {"text": _("Stays held: %(what)s") % {"what": hold_title(hold.kind, hold.facts)}, "tone": "stop"}
        for hold in kept
    ]
    return [*lifted, *_on_confirm(order), *more]


def _on_cancel(order: Order) -> list[Any]:
    goods = goods_of(order)
    units = sum(part.allocated for part in goods.parts)
    kind = MailKind.PART_CANCELLATION if goods.shipped else MailKind.CANCELLATION
    said: list[Any] = [mail_said(order, kind)]
    if units:
        given = ngettext(
            "%(n)s reserved unit is free for other orders at once.",
            "%(n)s reserved units are free for other orders at once.",
            units,
        )
        said.append(given % {"n": units})
    if goods.asked:
        work = ", ".join(dict.fromkeys(one.number for one in goods.asked))
        said.append(_("What the warehouse was asked for is called back: %(work)s.") % {"work": work})
    paid = sum(payment.captured_amount - payment.refunded_amount for payment in order.payments.all())
    if paid:
        text = _("%(amount)s has been paid and is not sent back by this: refund it where it was paid.")
        said.append({"text": text % {"amount": money_text(paid, order.currency)}, "tone": "stop"})
    return said


def _not_to_cancel(order: Order) -> str:
    goods = [part for part in goods_of(order).parts if part.line.requires_shipping]
    shipped = sum(part.shipped for part in goods)
    if not shipped or any(part.remaining for part in goods):
        return ""
    return str(AlreadyShipped(number=order.number, shipped=shipped))


def _cancel_effect(order: Order) -> str:
    return _("Cancel what has not left") if goods_of(order).shipped else _("Cancel the whole order")


def _cancelled(order: Order, _value: Any) -> str:
    if goods_of(order).shipped:
        return _("What had not left is cancelled; its stock is free again.")
    return _("Cancelled; its stock is free again.")


def _on_hold(order: Order) -> list[Any]:
    return [
        _("It cannot be released, labelled or shipped while it is held."),
        *mails_said(order, [(MailKind.HOLD, str(WITH_ADDRESS))]),
    ]


def _on_lift(order: Order) -> list[Any]:
    said: list[Any] = [hold_title(hold.kind, hold.facts) for hold in holds_of(order)]
    if order.status == OrderStatus.PLACED and order.sales_channel.auto_confirm:
        when = _("When no other hold refuses it, the channel's rule confirms it at once")
        said.append(mail_said(order, MailKind.CONFIRMATION, when=when))
    return said


def _undo_of_lifting(order: Order) -> str:
    if order.is_closed:
        return _("The order is over, so it cannot be held again.")
    return _("It can be held again at any time.")


def _on_allocate(order: Order) -> list[Any]:
    units = undecided_units(order)
    return [
        ngettext("%(n)s unit is decided now.", "%(n)s units are decided now.", units) % {"n": units},
        _("What is free is reserved for this order; what is missing waits in line, behind those before it."),
        *mails_said(order, [(MailKind.BACKORDER, _("When it has to wait for stock"))]),
    ]


def _owed_lines(order: Order) -> dict[str, Any]:
    """What the confirm pages show: the lines with what is left of them."""
    parts = (
        LinePart.objects.filter(line__order=order)
        .select_related("line", "sku")
        .order_by("line__position", "pk")
    )
    left = parts.annotate(owed=F("ordered") - F("cancelled") - F("shipped"))
    rows = [
        [
            part.line.title,
            part.sku.code if part.sku else part.line.sku_code,
            part.ordered,
            part.allocated,
            part.owed,
        ]
        for part in left
    ]
    return {"columns": [_("Line"), _("SKU"), _("Ordered"), _("Allocated"), _("Still owed")], "rows": rows}


def _on_complete(order: Order) -> list[Any]:
    said: list[Any] = []
    if units := sum(part.shipped - part.delivered for part in goods_of(order).parts):
        text = ngettext(
            "%(n)s unit has left, and nobody has said that it arrived. Should its carrier still do so, that counts.",
            "%(n)s units have left, and nobody has said that they arrived. Should their carrier still do so, that "
            "counts.",
            units,
        )
        said.append({"text": text % {"n": units}, "tone": "wait"})
    return [*said, _("Nothing more is expected of it. Returns stay possible.")]


def _sent_lines(order: Order) -> dict[str, Any] | None:
    """What left, and what of it arrived; None where there are no goods."""
    rows = [
        [part.line.title, part.sku.code if part.sku else part.line.sku_code, part.shipped, part.delivered]
        for part in goods_of(order).parts
        if part.shipped
    ]
    return {"columns": [_("Line"), _("SKU"), _("Shipped"), _("Delivered")], "rows": rows} if rows else None


def _not_to_complete(order: Order) -> str:
    problem = pending(order, holds_of(order), rows_of(order, "changes"))
    return "" if problem is None else str(problem)


def _is_open(order: Order) -> bool:
    return not order.is_closed


def _confirmed(order: Order, _value: Any) -> str:
    if nobody_to_tell(order, MailKind.CONFIRMATION):
        return _("Confirmed; no mail is sent.")
    return _("Confirmed; the confirmation mail is on its way.")


def _confirm_effect(order: Order) -> str:
    return (
        _("Confirm order") if nobody_to_tell(order, MailKind.CONFIRMATION) else _("Confirm and send the mail")
    )


ORDER_VERBS = {
    "confirm": TransitionVerb(
        verb=confirm_orders,
        effect=_confirm_effect,
        success=_confirmed,
        consequences=_on_confirm,
        lines=_owed_lines,
        undo=gettext_lazy("It can be cancelled until goods have left; a mail cannot be unsent."),
        applies=lambda order: not refusing_confirm(order),
    ),
    "complete": TransitionVerb(
        verb=complete_orders,
        success=gettext_lazy("Completed."),
        consequences=_on_complete,
        lines=_sent_lines,
        undo=gettext_lazy("“Reopen order” opens it again."),
        blocked=_not_to_complete,
        applies=lambda order: order.fulfillment_status in GOODS_GONE,
    ),
    "reopen": TransitionVerb(
        verb=reopen_orders,
        success=gettext_lazy("Open again, among the confirmed orders."),
        consequences=lambda order: [
            _(
                "It can be changed again, and what is added can be shipped. Nothing is sent, nobody gets a mail."
            )
        ],
        undo=gettext_lazy("“Complete order” ends it again."),
        rank=1,
        applies=lambda order: not order.is_history and order.confirmed_at is not None,
    ),
    "cancel": TransitionVerb(
        verb=cancel_orders,
        form=CancelForm,
        effect=_cancel_effect,
        success=_cancelled,
        consequences=_on_cancel,
        lines=_owed_lines,
        undo=gettext_lazy("It cannot be taken back; the order would have to be entered again."),
        blocked=_not_to_cancel,
    ),
}

LIFT_AND_CONFIRM = ExtraVerb(
    name="lift_and_confirm",
    label=gettext_lazy("Lift hold and confirm"),
    permission=HOLD_ORDER,
    tone="primary",
    verb=lift_and_confirm_orders,
    success=_confirmed,
    consequences=_on_lift_and_confirm,
    lines=_owed_lines,
    undo=gettext_lazy("It can be held again, and cancelled until goods have left."),
    applies=lambda order: (
        order.status == OrderStatus.PLACED
        and bool(refusing_confirm(order))
        and not any(hold.kind == HoldKind.IMPORT for hold in holds_of(order))
    ),
)
ALLOCATE_BUTTON = ExtraVerb(
    name="allocate",
    label=gettext_lazy("Allocate stock"),
    permission=ALLOCATE,
    tone="primary",
    verb=allocate_orders,
    success=gettext_lazy("Decided; the lines show what is reserved and what waits."),
    consequences=_on_allocate,
    lines=_owed_lines,
    undo=gettext_lazy("Cancelling the order gives its stock back."),
    applies=lambda order: (
        order.status in (OrderStatus.PLACED, OrderStatus.CONFIRMED)
        and not order.is_history
        and undecided_units(order) > 0
    ),
)
HOLD = ExtraVerb(
    name="hold",
    label=pgettext_lazy("verb", "Hold"),
    permission=HOLD_ORDER,
    verb=hold_orders,
    form=HoldForm,
    success=gettext_lazy("Held; nothing of it leaves until the hold is lifted."),
    consequences=_on_hold,
    undo=gettext_lazy("“Lift hold” opens those steps again."),
    applies=_is_open,
)
RELEASE_HOLD = ExtraVerb(
    name="release_hold",
    in_head=False,
    label=gettext_lazy("Lift hold"),
    permission=HOLD_ORDER,
    verb=release_holds,
    form=LiftForm,
    success=gettext_lazy("Hold lifted."),
    consequences=_on_lift,
    undo=_undo_of_lifting,
    applies=lambda order: any(hold.kind != HoldKind.IMPORT for hold in holds_of(order)),
)
EXTRA_VERBS = (LIFT_AND_CONFIRM, ALLOCATE_BUTTON, RELEASE_HOLD, HOLD)
