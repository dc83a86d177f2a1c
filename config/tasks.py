"""Celery's doors to what belongs to no room."""

from celery import shared_task

from config.access.sessions import forget_old_access


@shared_task(name="config.sweep_access")
def sweep_access() -> None:
    """Forget ended sessions, and addresses that log-ins came from long ago."""
    forget_old_access()
