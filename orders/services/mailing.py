"""Mails to buyers, each at most once a fact.

A mail's row is committed as `sending` before the mail leaves; the unique constraint decides between rivals. A
server that says no, or is not there, takes the row back, so that the next attempt begins anew. When the answer
is lost in between, nobody can know: the row stays without `sent_at`, the delivery becomes `unknown`, and a
person decides (`mail_outcomes`).
"""

import re
from collections.abc import Sequence
from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import BancaleError
from config.kernel.events import Entry, Thread, record_events
from config.kernel.mail import BeingSent, MailLost, MailRefused, ServerAway, post
from config.kernel.outbox import LEASE, OutcomeUnknown, Owed, Suppressed
from config.kernel.results import Results
from orders.models import Notification, Order
from orders.selectors.mail_wordings import read_mail_words
from orders.services.logos import PicturedMail, attach_logo
from orders.services.mail_occasions import Occasion, nothing_due, read_occasions
from orders.services.mail_texts import Written, write_mail

MAILER = Actor.system("mail")


class MailUnknown(OutcomeUnknown):
    message = _("The mail to order %(number)s may have left: the worker stopped before it knew.")


class AnswerLost(MailUnknown):
    """The server broke off in the middle of this very mail."""


def send_mails(owed: Sequence[Owed]) -> Results[int]:
    """Tell buyers what the deliveries name, each at most once; any kinds of mail together.

    Outside any transaction; each mail takes two short ones of its own. Once the server cannot be reached, or
    broke off in the middle of a mail, the rest is not tried. A mail that was sent is `unchanged`.

    Refuses: `Suppressed` (nobody to tell, or the order's state has moved on), `MailUnknown`, and for another try
    `MailRefused`, `ServerAway`, `BeingSent`.
    """
    results: Results[int] = Results(one.delivery_id for one in owed)
    occasions = read_occasions(owed)
    words = read_mail_words({one.kind for one in occasions.values() if one.again is None})
    away: ServerAway | None = None
    for one in owed:
        occasion = occasions.get(one.delivery_id)
        reason = nothing_due(occasion)
        if occasion is None or reason:
            results.refuse(one.delivery_id, Suppressed(reason))
            continue
        if away is not None:
            results.refuse(one.delivery_id, away)
            continue
        try:
            written = write_mail(occasion, words)
            if _send_once(occasion, written, first_try=one.attempt <= 1):
                results.done(one.delivery_id)
            else:
                results.unchanged(one.delivery_id)
        except BancaleError as error:
            if isinstance(error, ServerAway):
                away = error
            elif isinstance(error, AnswerLost):
                away = ServerAway(answer="-")
            results.refuse(one.delivery_id, error)
    return results


def _send_once(occasion: Occasion, written: Written, *, first_try: bool) -> bool:
    """True when the mail left now, False when it had left before."""
    row = _begin(occasion, written)
    if row is None:
        _judge_rival(occasion, first_try=first_try)
        return False
    try:
        _post(row, occasion.order)
    except MailRefused:
        row.delete()
        raise
    with transaction.atomic():
        Notification.objects.filter(pk=row.pk).update(sent_at=clock.now())
        record_events([sent_entry(row)], actor=MAILER)
    return True


def _begin(occasion: Occasion, written: Written) -> Notification | None:
    """Commit the row that allows this worker, and nobody else, to send; None when there is one already."""
    try:
        with transaction.atomic():
            return Notification.objects.create(
                order=occasion.order,
                kind=occasion.kind,
                parcel_set=occasion.key,
                delivery_id=occasion.delivery_id,
                recipient=occasion.order.email,
                language=written.language,
                subject=written.subject,
                body_text=written.text,
                body_html=written.html,
                message_id=_message_id(occasion),
                sending_at=clock.now(),
            )
    except IntegrityError:
        return None


def _judge_rival(occasion: Occasion, *, first_try: bool) -> None:
    order = occasion.order
    row = Notification.objects.filter(order=order, kind=occasion.kind, parcel_set=occasion.key).first()
    if row is not None and row.sent_at is not None:
        return
    if row is None or (first_try and row.sending_at > clock.now() - LEASE):
        raise BeingSent
    if row.delivery_id not in (None, occasion.delivery_id):
        raise Suppressed(_("another delivery answers for the same mail"))
    raise MailUnknown(number=order.number)


def _message_id(occasion: Occasion) -> str:
    """The same for every try, so that servers and mail programs can tell a copy from another mail."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    key = re.sub(r"[^a-z0-9]+", "-", occasion.key)
    parts = [occasion.kind.value, str(occasion.order.pk), occasion.order.number, key]
    return f"<{'.'.join(part for part in parts if part)}@{host}>"


def sender_of(order: Order) -> str:
    """The channel's name and address; without an address of its own, the installation's."""
    channel = order.sales_channel
    installed_name, installed_email = parseaddr(settings.DEFAULT_FROM_EMAIL)
    if channel.sender_email:
        return formataddr((channel.sender_name or channel.name, channel.sender_email))
    return formataddr((channel.sender_name or installed_name, installed_email))


def _post(row: Notification, order: Order) -> None:
    """Hand one mail to the server. Raises `MailRefused` only when it surely did not leave."""
    mail = PicturedMail(
        row.subject,
        row.body_text,
        sender_of(order),
        [row.recipient],
        reply_to=[order.sales_channel.reply_to] if order.sales_channel.reply_to else None,
        headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(row.body_html, "text/html")
    attach_logo(mail, row.body_html, getattr(order.sales_channel, "logo", None))
    try:
        post(mail)
    except MailLost as error:
        raise AnswerLost(number=order.number) from error


def sent_entry(row: Notification) -> Entry:
    """The timeline's event of a mail that left."""
    facts = {"mail": str(row.kind), "notification": row.pk, "language": row.language}
    return Entry(("order", row.order_id), Thread("order", row.order_id), "mail_sent", facts=facts)
