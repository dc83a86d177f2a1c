"""Celery's doors to this room."""

from celery import shared_task

from channels.services import intake


@shared_task(name="channels.sweep_raw_orders")
def sweep_raw_orders() -> None:
    """Read the bodies that a dead door left behind."""
    intake.sweep_raw_orders()
