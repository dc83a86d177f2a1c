"""Signs of life of the worker and the beat."""

from config.kernel import clock
from config.kernel.models import Heartbeat


def beat(name: str) -> None:
    """Say that `name` is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.now()})


def seconds_since(name: str) -> float | None:
    """Seconds since `name` was last alive; None when it never was."""
    at = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    return None if at is None else (clock.now() - at).total_seconds()
