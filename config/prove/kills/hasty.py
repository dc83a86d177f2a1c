"""The product's Celery app with short leases and sweeps, so that a small proof recovers in seconds.

`celery -A config.prove.kills.hasty worker`: the full proof runs the product's own figures.
"""

from datetime import timedelta

from django.conf import settings

from config.celery import app

LEASE_SECONDS = 4
SWEEP_SECONDS = 2
MAIL_SECONDS = 2

__all__ = ["app"]


def hurry() -> None:
    """Shorten every wait of the outbox in this process."""
    from config.kernel import outbox
    from orders.services import mail_outcomes, mailing

    for module in (outbox, mailing, mail_outcomes):
        setattr(module, "LEASE", timedelta(seconds=LEASE_SECONDS))  # noqa: B010  (not its name to export)
    outbox._pause = _pause
    settings.EMAIL_TIMEOUT = MAIL_SECONDS


def _pause(attempts: int) -> timedelta:
    return timedelta(seconds=1)


@app.on_after_finalize.connect
def _hurry(**_named: object) -> None:
    hurry()
    for entry in app.conf.beat_schedule.values():
        entry["schedule"] = min(entry["schedule"], float(SWEEP_SECONDS))
