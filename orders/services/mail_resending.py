"""A mail sent once more, because a person says so and why."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.enums import DeliveryState
from config.kernel.errors import NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.mail import BeingSent
from config.kernel.models import Delivery
from config.kernel.outbox import NewFact, record_facts
from config.kernel.results import Results
from orders.mail_kinds import AGAIN, AGAIN_MAIL
from orders.models import Notification

RESEND = "orders.resend_notification"
# A second press so soon is the same press.
ONE_PRESS = timedelta(minutes=1)
OWED = (DeliveryState.DUE, DeliveryState.FAILED, DeliveryState.IN_FLIGHT, DeliveryState.UNKNOWN)


@verb
def resend_mails(notification_ids: Sequence[int], *, reason: str, actor: Actor) -> Results[int]:
    """Send mails that left once more, word by word, to the address that their order has now: the fact
    `order.mail_again`.

    At most 200 ids. Locks the mails by ascending pk. One whose repetition is still owed, or was asked for within
    the last minute, is `unchanged`. `reason` stands on the timeline. Refuses: `NotFound`, `BeingSent` for one
    that is not known to have left. Raises `NotAllowed`.
    """
    actor.require(RESEND)
    results: Results[int] = Results(notification_ids)
    with batch_transaction():
        locked = Notification.objects.select_for_update(of=("self",)).filter(pk__in=notification_ids)
        rows = {row.pk: row for row in locked.order_by("pk")}
        asked = _asked({row.order_id for row in rows.values()})
        for pk in results.keys:
            row = rows.get(pk)
            if row is None:
                results.refuse(pk, NotFound())
            elif row.sent_at is None:
                results.refuse(pk, BeingSent())
            elif pk in asked:
                results.unchanged(pk)
            else:
                results.done(pk)
        chosen = [rows[pk] for pk in results.done_ids]
        record_events([_entry(row, reason) for row in chosen], actor=actor)
        record_facts([NewFact(AGAIN, ("order", row.order_id), {"mail": row.pk}) for row in chosen])
    return results


def _asked(order_ids: set[int]) -> set[int]:
    """Mails whose repetition is on its way; one statement."""
    recent = Q(fact__recorded_at__gt=clock.now() - ONE_PRESS)
    rows = Delivery.objects.filter(
        recent | Q(state__in=OWED),
        subscriber=AGAIN_MAIL,
        fact__subject_type="order",
        fact__subject_id__in=order_ids,
    )
    return {payload["mail"] for payload in rows.values_list("fact__payload", flat=True)}


def _entry(row: Notification, reason: str) -> Entry:
    facts = {"mail": str(row.kind), "notification": row.pk, "reason": reason}
    return Entry(("order", row.order_id), Thread("order", row.order_id), "mail_again", facts=facts)
