"""What must be true after healing: nothing acknowledged is lost, nothing happened twice, nothing is half there."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from django.db.models import Count

from config.kernel.enums import DeliveryState
from config.kernel.models import Attempt, Delivery, Event
from config.kernel.outbox import CUT_OFF
from config.prove.figures import Figures, percentile
from config.prove.kills.clients import History
from config.prove.kills.faults import Strikes
from config.prove.kills.healing import OWED, Mails, Repeated
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import Order, RawOrder

SHOWN = 5
# The outbox does not wait after a first death, at most so long after the second, doubled by each further one.
PAUSE = 10


def strikes_table(strikes: Strikes, *, sweep: float) -> Figures:
    """How often each fault struck and how soon work went on, and how soon the work of the dead was taken up."""
    figures = Figures("faults and the seconds until work went on")
    for name, seconds in sorted(strikes.recoveries.items()):
        p50, longest = percentile(seconds, 0.5), max(seconds)
        figures.show(name, f"{len(seconds)} times, p50 {p50:.1f} s, max {longest:.1f} s")
    figures.must_be("never went on", strikes.never, [])
    noticed, waits, tries = _waits_of_cut_off()
    # A pause grows with the tries, and a sweep may be cut off too.
    most = max(tries, default=1)
    pauses = PAUSE * 2.0 ** (most - 2) if most > 1 else 0
    restart = max((max(seconds) for seconds in strikes.recoveries.values()), default=0)
    bar = 2 * sweep + pauses + restart
    figures.show("deliveries cut off in a dead worker's hands", len(waits))
    for name, seconds in (("seen to be cut off after", noticed), ("taken up again after", waits)):
        figures.show(name, f"p50 {percentile(seconds, 0.5):.1f} s, max {max(seconds, default=0):.1f} s")
    late = sum(wait > bar for wait in waits)
    figures.show(
        f"bar: two sweeps, a restart, the pause after try {most}",
        f"{bar:.0f} s, {late} of them later",
    )
    return figures


def _waits_of_cut_off() -> tuple[list[float], list[float], list[int]]:
    """Seconds from the start of each attempt that was cut off until a worker saw so and until the next one began,
    and its number."""
    cut = Attempt.objects.filter(error=CUT_OFF).values("delivery")
    rows = Attempt.objects.filter(delivery__in=cut).order_by("delivery", "number")
    noticed, waits, tries = [], [], []
    for before, after in pairwise(rows):
        if before.error == CUT_OFF and before.ended_at and after.delivery_id == before.delivery_id:
            noticed.append((before.ended_at - before.started_at).total_seconds())
            waits.append((after.started_at - before.started_at).total_seconds())
            tries.append(before.number)
    return noticed, waits, tries


def requests_table(history: History, repeated: Repeated) -> Figures:
    figures = Figures("requests")
    figures.show("orders wished for", len(history.wishes))
    figures.show("acknowledged", len(history.answered))
    figures.show("unknown outcome", _words(Counter(history.unknown)))
    figures.show("repeated at the end", f"{repeated.done} had been done, {repeated.undone} had not")
    figures.must_be("repeated with their key and still unknown", repeated.stuck, 0)
    figures.must_be("refused", history.faults[:SHOWN], [])
    figures.show("pages grown stale, pressed anew", history.stale)
    times = [got - sent for sent, got in history.answered]
    figures.show(
        "answer", f"p50 {1000 * percentile(times, 0.5):.0f} ms, p99 {1000 * percentile(times, 0.99):.0f} ms"
    )
    return figures


def _words(counts: Counter[str]) -> str:
    parts = ", ".join(f"{word} {count}" for word, count in counts.most_common())
    return f"{sum(counts.values())} ({parts})" if parts else "0"


def effects_table(history: History, received: Counter[str], mails: Mails) -> Figures:
    """Compare the history with the database and with the mailbox, order by order."""
    figures = Figures("effects")
    orders: dict[str, list[Order]] = {}
    for order in Order.objects.all():
        orders.setdefault(order.email, []).append(order)
    pairs = [(wish, orders.get(wish.email, [])) for wish in history.wishes]
    figures.show("orders", sum(map(len, orders.values())))
    figures.show("mails received", sum(received.values()))
    figures.show(
        "mails of unknown outcome, settled by a person", f"{mails.had_left} had left, {mails.had_not} had not"
    )
    lost = [wish.key for wish, found in pairs if wish.is_placed and not found]
    lost += [wish.key for wish, found in pairs if wish.is_confirmed and not any(map(_is_confirmed, found))]
    unsent = [
        wish.key for wish, found in pairs if any(map(_is_confirmed, found)) and not received[wish.email]
    ]
    idle = [one.number for _wish, found in pairs for one in found if not _is_done(one)]
    _none(figures, "acknowledged and lost", lost)
    _none(figures, "mails lost", unsent)
    _none(figures, "orders whose work was lost", idle)
    _none(figures, "orders twice", [wish.key for wish, found in pairs if len(found) > 1])
    _none(figures, "mails twice", [email for email, count in received.items() if count > 1])
    _none(figures, "events twice", _events_twice())
    _none(figures, "orphans", [*_orphans(), *(set(orders) - {wish.email for wish in history.wishes})])
    _none(figures, "deliveries not done", _not_delivered())
    return figures


def _is_confirmed(order: Order) -> bool:
    return order.status == OrderStatus.CONFIRMED


def _is_done(order: Order) -> bool:
    """What the workers owe every order: it is allocated, and confirmed where a rule does it."""
    confirmed = _is_confirmed(order) or not order.sales_channel.auto_confirm
    return confirmed and order.fulfillment_status == FulfillmentStatus.ALLOCATED


def _events_twice() -> list[str]:
    once = Event.objects.filter(subject_type="order", kind__in=("created", "confirm", "mail_sent"))
    rows = once.order_by().values_list("subject_id", "kind").annotate(times=Count("pk")).filter(times__gt=1)
    return [f"order {pk}: {kind} {times} times" for pk, kind, times in rows]


def _orphans() -> list[str]:
    """Orders without all of their parts, and bodies that were kept and whose order is nowhere."""
    bare = Order.objects.annotate(parts=Count("lines__parts")).exclude(parts=2)
    kept = RawOrder.objects.filter(settled_at=None).exclude(
        external_id__in=Order.objects.values("external_id")
    )
    return [f"order {one.number}" for one in bare] + [f"raw order {one.pk}" for one in kept]


def _not_delivered() -> list[str]:
    states = Delivery.objects.filter(state__in=(*OWED, DeliveryState.UNKNOWN, DeliveryState.DEAD))
    return [f"{one.subscriber} {one.state}" for one in states]


def _none(figures: Figures, label: str, found: Iterable[str]) -> None:
    """There must be none; the first few are named where there are some."""
    names = list(found)
    figures.must_be(label, len(names), 0)
    if names:
        figures.show("  such as", ", ".join(names[:SHOWN]))
