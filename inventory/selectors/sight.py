"""Who sees which rows of the stock room: a person bound to locations sees what lies, moves or is promised there."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q

from config.kernel.actors import Actor, register_places
from config.kernel.visibility import at, see, see_all, unbounded
from inventory.models import StaffLocation, StockMovement


def places_of(user: Any) -> frozenset[int] | None:
    """The locations a person is bound to, None for the whole business; one statement."""
    found = frozenset(StaffLocation.objects.filter(user=user.pk).values_list("location_id", flat=True))
    return found or None


def places_by_user(users: Iterable[Any]) -> dict[int, set[int]]:
    """The same of many people, without those who see the whole business; one statement."""
    ids = [user.pk for user in users if not user.is_superuser]
    found: dict[int, set[int]] = defaultdict(set)
    for user_id, location_id in StaffLocation.objects.filter(user__in=ids).values_list("user", "location"):
        found[user_id].add(location_id)
    return found


def _adjusted_there(actor: Actor) -> Q | None:
    if actor.locations is None:
        return None
    moved = StockMovement.objects.filter(
        reference_kind="stock_adjustment", reference_id=OuterRef("pk"), level__location__in=actor.locations
    )
    return Q(Exists(moved))


register_places(places_of)

see_all("inventory.sku")
see("inventory.location", at("pk"))
see("inventory.bin", at("location"))
see("inventory.stocklevel", at("location"))
see("inventory.stockmovement", at("level__location"))
see("inventory.reservation", at("level__location"))
see("inventory.stockreceipt", at("location"))
see("inventory.stockadjustment", _adjusted_there)
see("inventory.transfer", at("origin", "destination"))
see("inventory.stockcount", at("location"))
see("inventory.lowstockalert", at("level__location"))
see("inventory.stockcheck", unbounded)
# Who is mailed: people, not stock.
see_all("inventory.alertfollower")
