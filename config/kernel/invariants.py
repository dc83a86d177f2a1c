"""The kernel's own invariants: events follow the edge tables, the outbox owes nothing silently."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.apps import apps
from django.db.models import Count, F, OuterRef, Subquery, Value, Window
from django.db.models.functions import Coalesce, Lag
from django.utils.translation import gettext_lazy as _

from config.kernel import clock, machines
from config.kernel.audit import Violation, invariant
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery, Event
from config.kernel.states import MACHINES, Machine

__all__ = ["machines"]
SHOWN = 50


def evented() -> list[Machine]:
    return [machine for machine in MACHINES.values() if machine.writes_events]


@invariant("events.edges", _("Only declared edges occur in events, each with an actor"))
def declared_edges() -> Iterator[Violation]:
    for machine in evented():
        legal = {(edge.name, source, edge.target) for edge in machine.edges for source in edge.sources} | {
            ("created", "", status) for status in machine.initial
        }
        found = (
            Event.objects.filter(subject_type=machine.name)
            .exclude(to_status="")
            .values_list("kind", "from_status", "to_status")
            .distinct()
        )
        for step in found:
            if step not in legal:
                yield Violation(machine.name, f"undeclared edge {step}")
    for event in Event.objects.filter(actor_kind="")[:SHOWN]:
        yield Violation(f"event:{event.pk}", "no actor")


@invariant("events.chain", _("Each status event begins where the one before ended"))
def unbroken_chain() -> Iterator[Violation]:
    for machine in evented():
        steps = (
            Event.objects.filter(subject_type=machine.name)
            .exclude(to_status="")
            .annotate(before=Window(Lag("to_status"), partition_by=F("subject_id"), order_by=F("id").asc()))
        )
        for step in steps.exclude(before=F("from_status")).filter(before__isnull=False)[:SHOWN]:
            yield Violation(f"{machine.name}:{step.subject_id}", f"{step.from_status} after {step.before}")


@invariant("events.header", _("Every status is the one its last event led to"))
def header_equals_last_event() -> Iterable[Violation]:
    for machine in evented():
        model = apps.get_model(machine.model)
        last = (
            Event.objects.filter(subject_type=machine.name, subject_id=OuterRef("pk"))
            .exclude(to_status="")
            .order_by("-id")
            .values("to_status")[:1]
        )
        rows = model._default_manager.annotate(last_step=Coalesce(Subquery(last), Value("")))
        wrong = rows.exclude(last_step=F(machine.field))
        for pk, status, step in wrong.values_list("pk", machine.field, "last_step")[:SHOWN]:
            yield Violation(f"{machine.name}:{pk}", f"status {status}, last event led to {step or 'nothing'}")


@invariant("outbox.attempts", _("Every claimed delivery has as many attempts as it counts"))
def attempts_counted() -> Iterator[Violation]:
    wrong = Delivery.objects.annotate(tries=Count("attempts")).exclude(tries=F("attempt_count"))
    for delivery in wrong[:SHOWN]:
        yield Violation(f"delivery:{delivery.pk}", f"counts {delivery.attempt_count}, has {delivery.tries}")


@invariant("outbox.age", _("No delivery is due for more than five minutes, none is held beyond its lease"))
def nothing_forgotten() -> Iterator[Violation]:
    old = clock.now() - timedelta(minutes=5)
    owed = [DeliveryState.DUE, DeliveryState.FAILED]
    for delivery in Delivery.objects.filter(state__in=owed, due_at__lt=old)[:SHOWN]:
        yield Violation(f"delivery:{delivery.pk}", f"due since {delivery.due_at:%Y-%m-%d %H:%M} UTC")
    for delivery in Delivery.objects.filter(state=DeliveryState.IN_FLIGHT, lease_until__lt=old)[:SHOWN]:
        yield Violation(f"delivery:{delivery.pk}", "held beyond its lease")


@invariant("outbox.settled", _("Delivered, dead and unknown deliveries say when they were settled"))
def settled_has_time() -> Iterator[Violation]:
    ended = [DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.UNKNOWN]
    for delivery in Delivery.objects.filter(state__in=ended, settled_at=None)[:SHOWN]:
        yield Violation(f"delivery:{delivery.pk}", f"{delivery.state} without a time")
