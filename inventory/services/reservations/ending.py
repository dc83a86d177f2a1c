"""Until when promises are kept, and for when they are made."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When

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


def promise_reservations_for(reference_kind: str, references: Mapping[datetime, QuerySet[Any, Any]]) -> None:
    """Write for when units are promised onto the live reservations of references, each given as a query of ids.

    One statement, none without references. The caller holds the lock of whoever owns the references; no level
    changes.
    """
    if not references:
        return
    among = {at: Q(reference_id__in=ids) for at, ids in references.items()}
    rows = Reservation.objects.filter(
        reduce(or_, among.values()), reference_kind=reference_kind, state__in=LIVE_RESERVATION
    )
    first, *others = among
    promised: Any = Value(first)
    if others:
        promised = Case(*(When(is_one, then=Value(at)) for at, is_one in among.items()))
    rows.update(promised_at=promised, version=F("version") + 1)
