"""Which mail a press makes due, to whom it goes, or why none does: what the mail room will decide, said beforehand."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.templatetags.bancale import number
from orders.enums import FulfillmentStatus, MailKind
from orders.models import LinePart, Notification, Order
from orders.services.mail_occasions import nobody_to_tell

Said = str | dict[str, Any]


def mail_said(order: Order, kind: MailKind, *, when: str = "", to: str = "") -> Said:
    """The sentence of a confirm page. `when` names the condition under which the mail is due; `to` stands in place of
    the address for people who may not read it."""
    given = {"when": when, "mail": kind.label, "to": to or order.email}
    if why := nobody_to_tell(order, kind):
        text = _("%(when)s: no mail “%(mail)s”, %(why)s.") if when else _("No mail “%(mail)s”: %(why)s.")
        return {"text": text % {**given, "why": why}, "tone": "wait"}
    text = (
        _("%(when)s: the mail “%(mail)s” goes to %(to)s.")
        if when
        else _("The mail “%(mail)s” goes to %(to)s.")
    )
    return text % given


def mails_said(order: Order, occasions: Sequence[tuple[MailKind, str]], *, to: str = "") -> list[Said]:
    """A sentence for each (kind, when); one for all where nobody is told of any, for the same reason."""
    reasons = {str(nobody_to_tell(order, kind)) for kind, _when in occasions}
    if len(reasons) == 1 and "" not in reasons:
        return [{"text": _("No mail is sent: %(why)s.") % {"why": reasons.pop()}, "tone": "wait"}]
    return [mail_said(order, kind, when=when, to=to) for kind, when in occasions]


def mails_of_many(kind: MailKind, *, when: Any = "") -> Callable[[Sequence[int] | None], Sequence[Said]]:
    """The same for many orders, as `foresee` of an action on many rows: how many mails go, how many not and why."""

    def said(order_ids: Sequence[int] | None) -> Sequence[Said]:
        if order_ids is None:
            return [
                _under(
                    when,
                    _("the mail “%(mail)s” goes to each buyer whose channel sends it") % {"mail": kind.label},
                )
            ]
        return _counted([(order, kind) for order in _orders(order_ids)], str(when))

    return said


def cancellation_mails(order_ids: Sequence[int] | None) -> Sequence[Said]:
    """`mails_of_many` of cancelling: of what has left in part, the rest is told."""
    if order_ids is None:
        return mails_of_many(MailKind.CANCELLATION)(None)
    shipped = LinePart.objects.filter(line__order=OuterRef("pk"), shipped__gt=0)
    return _counted(
        [
            (order, MailKind.PART_CANCELLATION if order.is_begun else MailKind.CANCELLATION)
            for order in _orders(order_ids).annotate(is_begun=Exists(shipped))
        ]
    )


def backorder_mails(units: Mapping[int, int]) -> list[dict[str, Any]]:
    """`mails_of_many` of units by line part that were reserved and would wait: whose order waits already, and who was
    told of it before, hears nothing new. One statement."""
    parts = LinePart.objects.filter(line__order=OuterRef("pk"), pk__in=list(units))
    told = Notification.objects.filter(order=OuterRef("pk"), kind=MailKind.BACKORDER)
    orders = Order.objects.filter(Exists(parts)).exclude(fulfillment_status=FulfillmentStatus.BACKORDERED)
    rows = orders.exclude(Exists(told)).select_related("sales_channel", "import_run")
    return _counted([(order, MailKind.BACKORDER) for order in rows.order_by("pk")])


def _orders(order_ids: Sequence[int]) -> Any:
    return Order.objects.filter(pk__in=order_ids).select_related("sales_channel", "import_run").order_by("pk")


def _counted(occasions: Sequence[tuple[Order, MailKind]], when: str = "") -> list[dict[str, Any]]:
    counts = Counter((str(nobody_to_tell(order, kind)), kind) for order, kind in occasions)
    said = []
    for (why, kind), count in sorted(counts.items()):
        if why:
            text = _("%(n)s without a mail “%(mail)s”: %(why)s")
        else:
            text = ngettext(
                "%(n)s mail “%(mail)s” goes to its buyer",
                "%(n)s mails “%(mail)s” go, each to its buyer",
                count,
            )
        words = text % {"n": number(count), "mail": kind.label, "why": why}
        said.append({"text": _under(when, words), "tone": "wait" if why else ""})
    return said


def _under(when: Any, words: str) -> str:
    if when:
        return _("%(when)s: %(what)s.") % {"when": when, "what": words}
    return f"{words[:1].upper()}{words[1:]}."
