"""Celery's doors to this room."""

from celery import shared_task
from django.utils.translation import gettext

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from inventory.models import AlertFollower
from inventory.selectors.alerts import due_to_wake, outlived_alerts, untold_levels
from inventory.selectors.expiry import overdue_reservations
from inventory.services.alerts import refresh_alerts, wake_alerts
from inventory.services.digests import prepare_digests
from inventory.services.health import is_check_due, start_stock_check
from inventory.services.reservations import expire_reservations

BY_RULE = Actor.rule("stock")


@shared_task(name="inventory.sweep_reservations")
def sweep_reservations() -> None:
    """Close every reservation whose time has run out."""
    overdue = list(overdue_reservations(clock.now()).values_list("pk", flat=True))
    in_batches(expire_reservations, overdue, actor=BY_RULE)


@shared_task(name="inventory.sweep_low_stock")
def sweep_low_stock() -> None:
    """Raise, clear and wake every alert that is not as its level is, whatever news was lost."""
    wrong = [
        *untold_levels().values_list("pk", flat=True),
        *outlived_alerts().values_list("level_id", flat=True),
    ]
    in_batches(refresh_alerts, wrong, actor=BY_RULE)
    waking = due_to_wake(clock.now()).order_by("pk").values_list("pk", flat=True)
    in_batches(wake_alerts, list(waking), actor=BY_RULE)


@shared_task(name="inventory.sweep_digests")
def sweep_digests() -> None:
    """Write down the mails about low stock that this hour owes and nobody has written yet."""
    followers = AlertFollower.objects.order_by("pk").values_list("pk", flat=True)
    in_batches(prepare_digests, list(followers), actor=BY_RULE)


@shared_task(name="inventory.sweep_health")
def sweep_health() -> None:
    """Have the stock figures checked once a night."""
    if is_check_due():
        start_stock_check(gettext("Nightly check of the stock figures"), actor=BY_RULE)
