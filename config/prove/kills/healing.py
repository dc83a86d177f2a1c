"""After the faults: unknown requests are repeated with their keys, the workers come to rest, and a person settles
the mails whose outcome nobody knows."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.enums import DeliveryState, JobState
from config.kernel.models import Delivery, Job
from config.prove.kills.clients import CONFIRM, Browser, History, Unknown, Wish, carry_out
from config.prove.kills.faults import ask
from orders.models import Notification, Order
from orders.services.mail_outcomes import mark_mails_sent, send_mails_again

OWED = (DeliveryState.DUE, DeliveryState.FAILED, DeliveryState.IN_FLIGHT)
UNDONE = (JobState.QUEUED, JobState.RUNNING)
TRIES = 10
PERSON = Actor.system("proof")


@dataclass(slots=True)
class Repeated:
    """What had become of the requests that were left with an unknown outcome, and of their repetition."""

    done: int = 0
    undone: int = 0
    stuck: int = 0


@dataclass(slots=True)
class Mails:
    """What a person found who looked up the mails of unknown outcome in the mailbox."""

    had_left: int = 0
    had_not: int = 0


def repeat_unknown(history: History, browser: Browser) -> Repeated:
    """Send every request again, with its key, whose outcome is still unknown."""
    repeated = Repeated()
    for wish in [one for one in history.wishes if one.left]:
        if _is_done(wish):
            repeated.done += 1
        else:
            repeated.undone += 1
        if not any(_again(browser, history, wish) for _try in range(TRIES)):
            repeated.stuck += 1
    return repeated


def _is_done(wish: Wish) -> bool:
    order = Order.objects.filter(email=wish.email).first()
    return order is not None and (wish.left != CONFIRM or order.confirmed_at is not None)


def _again(browser: Browser, history: History, wish: Wish) -> bool:
    try:
        return carry_out(browser, history, wish)
    except Unknown:
        return False


def owed() -> int:
    """Deliveries and jobs that are not done."""
    return Delivery.objects.filter(state__in=OWED).count() + Job.objects.filter(state__in=UNDONE).count()


def wait_for(condition: Callable[[], bool], seconds: float) -> float | None:
    """Look every tenth of a second; how long it took, None when it took too long."""
    began = time.monotonic()
    while not ask(condition):
        if time.monotonic() - began > seconds:
            return None
        time.sleep(0.1)
    return time.monotonic() - began


def settle_mails(received: Counter[str], seconds: float) -> Mails:
    """Do what a person does with mails of unknown outcome: look whether they arrived, and say so."""
    mails = Mails()

    def none_left() -> bool:
        unknown = Notification.objects.filter(sent_at=None)
        arrived = [row.pk for row in unknown if received[row.recipient.lower()]]
        missing = [row.pk for row in unknown if not received[row.recipient.lower()]]
        marked = in_batches(mark_mails_sent, arrived, reason="it arrived", actor=PERSON)
        again = in_batches(send_mails_again, missing, actor=PERSON)
        mails.had_left += len(marked.done_ids)
        mails.had_not += len(again.done_ids)
        return not Notification.objects.filter(sent_at=None).exists() and not owed()

    wait_for(none_left, seconds)
    return mails
