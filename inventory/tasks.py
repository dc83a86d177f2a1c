"""Celery's doors to this room."""

from celery import shared_task

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from inventory.selectors.expiry import overdue_reservations
from inventory.services.reservations import expire_reservations

BY_RULE = Actor.rule("stock")


@shared_task(name="inventory.sweep_reservations")
def sweep_reservations() -> None:
    """Close every reservation whose time has run out."""
    overdue = list(overdue_reservations(clock.now()).values_list("pk", flat=True))
    in_batches(expire_reservations, overdue, actor=BY_RULE)
