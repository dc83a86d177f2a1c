"""Celery's doors to this room."""

from celery import shared_task

from fulfillment.services.reports import refresh_stage_times


@shared_task(name="fulfillment.sweep_stage_times")
def sweep_stage_times() -> None:
    """Measure again how long orders stay in each stage."""
    refresh_stage_times()
