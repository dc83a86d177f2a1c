"""What a person decides about a mail whose outcome nobody knows."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from config.kernel import clock, deliveries
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.enums import DeliveryState
from config.kernel.errors import NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.machines import SETTLE
from config.kernel.mail import BeingSent
from config.kernel.models import Delivery
from config.kernel.outbox import LEASE
from config.kernel.results import Results
from orders.enums import MailKind
from orders.mail_kinds import SUBSCRIBERS
from orders.models import Notification
from orders.services.mailing import sent_entry


@verb
def mark_mails_sent(notification_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Say of mails whose outcome is unknown that they did leave, and settle their deliveries with it.

    At most 200 ids. Locks the mails by ascending pk. One that is known as sent is `unchanged`. Refuses:
    `NotFound`, `BeingSent` while a worker may still be at it. Raises `NotAllowed`.
    """
    actor.require(SETTLE)
    with batch_transaction():
        results, rows = _lock_unknown(notification_ids)
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=clock.now())
        record_events([sent_entry(row) for row in rows], actor=actor)
        if owed := _unknown_deliveries(rows):
            deliveries.mark_delivered(owed, reason=reason, actor=actor)
    return results


@verb
def send_mails_again(notification_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Say of mails whose outcome is unknown that they did not leave, and make their deliveries due again.

    At most 200 ids. Locks the mails by ascending pk. One that is known as sent is `unchanged`. Refuses:
    `NotFound`, `BeingSent` while a worker may still be at it. Raises `NotAllowed`.
    """
    actor.require(SETTLE)
    with batch_transaction():
        results, rows = _lock_unknown(notification_ids)
        record_events([_forgotten_entry(row) for row in rows], actor=actor)
        Notification.objects.filter(pk__in=[row.pk for row in rows]).delete()
        if owed := _unknown_deliveries(rows):
            deliveries.retry_deliveries(owed, actor=actor)
    return results


def _lock_unknown(notification_ids: Sequence[int]) -> tuple[Results[int], list[Notification]]:
    results: Results[int] = Results(notification_ids)
    locked = Notification.objects.select_for_update(of=("self",)).filter(pk__in=notification_ids)
    rows = {row.pk: row for row in locked.order_by("pk")}
    # A worker that is slower than its lease may still be waiting for the server's word.
    latest = clock.now() - LEASE - timedelta(seconds=settings.EMAIL_TIMEOUT)
    for pk in results.keys:
        row = rows.get(pk)
        if row is None:
            results.refuse(pk, NotFound())
        elif row.sent_at is not None:
            results.unchanged(pk)
        elif row.sending_at > latest:
            results.refuse(pk, BeingSent())
        else:
            results.done(pk)
    return results, [rows[pk] for pk in results.done_ids]


def _unknown_deliveries(rows: Sequence[Notification]) -> list[int]:
    """The deliveries of these mails; of mails from before they were noted, by the order's confirmation."""
    of_old = Q(
        subscriber=SUBSCRIBERS[MailKind.CONFIRMATION],
        fact__subject_type="order",
        fact__subject_id__in=[row.order_id for row in rows if row.delivery_id is None],
    )
    owed = Delivery.objects.filter(
        Q(pk__in=[row.delivery_id for row in rows if row.delivery_id]) | of_old, state=DeliveryState.UNKNOWN
    )
    return list(owed.order_by("pk").values_list("pk", flat=True)[:200]) if rows else []


def _forgotten_entry(row: Notification) -> Entry:
    facts = {"mail": str(row.kind), "notification": row.pk}
    return Entry(("order", row.order_id), Thread("order", row.order_id), "mail_forgotten", facts=facts)
