"""Reservations whose time has run out."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation

SWEEP_EVERY = timedelta(minutes=1)


def overdue_reservations(at: datetime) -> QuerySet[Reservation]:
    """Live reservations that were promised until `at` or earlier, the longest overdue first."""
    rows = Reservation.objects.filter(state__in=sorted(LIVE_RESERVATION), expires_at__lte=at)
    return rows.order_by("expires_at", "pk")


def is_overdue(row: Reservation, at: datetime) -> bool:
    """Whether a live reservation ends with the next sweep."""
    return row.expires_at is not None and row.expires_at <= at
