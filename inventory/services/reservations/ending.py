"""Until when promises are kept."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q

from config.kernel.fastpath import Among
from inventory.enums import LIVE_RESERVATION
from inventory.models import Reservation


def end_reservations_at(
    reference_kind: str, reference_ids: Collection[int], *, until: datetime | None
) -> dict[int, int]:
    """Give the live reservations of references an end, or with None take it off; those that have it stay as they are.

    Returns units by reference id of those whose end changed. Two statements, one where nothing changes. The caller
    holds the lock of whoever owns the references, which `expire_reservations` takes first; no level changes.
    """
    rows = Reservation.objects.filter(
        Among("reference_id", reference_ids), reference_kind=reference_kind, state__in=LIVE_RESERVATION
    )
    other = Q(expires_at__isnull=False) if until is None else ~Q(expires_at=until) | Q(expires_at=None)
    changed: dict[int, int] = defaultdict(int)
    ids = []
    for pk, reference_id, units in (
        rows.filter(other).order_by("pk").values_list("pk", "reference_id", "quantity")
    ):
        ids.append(pk)
        changed[reference_id] += units
    if ids:
        Reservation.objects.filter(Among("pk", ids)).update(expires_at=until, version=F("version") + 1)
    return dict(changed)
