"""Until when promises are kept."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q

from config.kernel.fastpath import Among
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation


def end_reservations_at(
    reference_kind: str, reference_ids: Collection[int], *, until: datetime | None
) -> None:
    """Give the live reservations of references an end, or with None take it off; those that have it stay as they are.

    One statement. The caller holds the lock of whoever owns the references, which `expire_reservations` takes
    first; no level changes.
    """
    rows = Reservation.objects.filter(
        Among("reference_id", reference_ids), reference_kind=reference_kind, state__in=LIVE_RESERVATION
    )
    other = Q(expires_at__isnull=False) if until is None else ~Q(expires_at=until) | Q(expires_at=None)
    rows.filter(other).update(expires_at=until, version=F("version") + 1)
