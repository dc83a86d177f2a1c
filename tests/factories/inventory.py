"""The smallest valid stock room, deterministic: codes count up within a test run."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction

from config.kernel import clock
from config.kernel.actors import Actor
from inventory.models import Location, Reservation, Sku, StockLevel
from inventory.services.catalogue import NewSku, PartOfKit, create_location, create_skus, save_kits
from inventory.services.levels import ensure_levels, lock_levels
from inventory.services.receiving import Receipt, receive_stock
from inventory.services.reservations import Claim, place_reservations

ACTOR = Actor.system("test")
_numbers = count(1)


def make_sku(code: str = "", title: str = "", barcodes: Sequence[str] = ()) -> Sku:
    code = code or f"SKU-{next(_numbers):04}"
    results = create_skus([NewSku(code, title or f"Goods {code}", tuple(barcodes))], actor=ACTOR)
    return Sku.objects.get(pk=results.only())


def make_kit(parts: dict[Sku, int], code: str = "") -> Sku:
    """A kit of {part: units per kit}."""
    kit = make_sku(code or f"KIT-{next(_numbers):04}")
    wanted = [PartOfKit(part.pk, per_unit) for part, per_unit in parts.items()]
    save_kits([kit.pk], parts={kit.pk: wanted}, actor=ACTOR).raise_refusals()
    kit.refresh_from_db()
    return kit


def make_location(code: str = "", **columns: Any) -> Location:
    code = code or f"L{next(_numbers):04}"
    return create_location(Location(code=code, name=columns.pop("name", code), **columns), actor=ACTOR)


def make_level(sku: Sku, location: Location, on_hand: int = 0, buffer: int = 0) -> StockLevel:
    """A level, its units received through the verb."""
    if on_hand:
        receive(sku, location, on_hand)
    ensure_levels([(sku.pk, location.pk)])
    StockLevel.objects.filter(sku=sku, location=location).update(buffer=buffer)
    return StockLevel.objects.select_related("location").get(sku=sku, location=location)


def receive(sku: Sku, location: Location, quantity: int, key: str = "") -> None:
    receipt = Receipt(key or f"test:{next(_numbers)}", sku.pk, location.pk, quantity)
    receive_stock([receipt], reference=("test", 1), actor=ACTOR).raise_refusals()


def reserve(
    sku: Sku,
    location: Location | None,
    quantity: int,
    *,
    reference_id: int = 0,
    queued_at: datetime | None = None,
    priority: int = 0,
    promised_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Reservation:
    """One reservation, open at the location, or waiting without one."""
    with transaction.atomic():
        levels = lock_levels([sku.pk])
        level_id = (
            next(level.pk for level in levels if level.location_id == location.pk) if location else None
        )
        claim = Claim(
            sku.pk,
            level_id,
            quantity,
            reference_id or next(_numbers),
            priority,
            queued_at or clock.now(),
            promised_at,
            expires_at,
        )
        place_reservations("test", [claim], levels=levels)
        return Reservation.objects.latest("pk")
