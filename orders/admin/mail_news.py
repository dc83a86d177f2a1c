"""Which mail a press makes due, to whom it goes, or why none does: what the mail room will decide, said beforehand."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from orders.enums import MailKind
from orders.models import Order
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
