"""How long what can be sold of a SKU lasts, as it went lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, Sum

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.visibility import seen_by
from inventory.enums import MovementKind
from inventory.models import Sku, StockMovement

SPANS = (28, 56)


@dataclass(frozen=True, slots=True)
class Cover:
    """Units shipped in the last `span` days, counted over `days` of them (a younger SKU has fewer)."""

    span: int
    days: int
    shipped: int
    available: int

    @property
    def a_day(self) -> float:
        return self.shipped / self.days

    @property
    def lasts_days(self) -> int | None:
        """Whole days until nothing can be sold, rounded to the nearest; None where nothing was shipped."""
        return round(self.available * self.days / self.shipped) if self.shipped else None


def days_of_cover(sku: Sku, available: int, *, actor: Actor) -> Sequence[Cover]:
    """One entry for each of `SPANS`; units are those that left by shipping, as far as the actor sees. One statement."""
    at = clock.now()
    shipped = StockMovement.objects.filter(
        level__sku=sku, kind=MovementKind.SHIP, at__gt=at - timedelta(days=max(SPANS))
    )
    sums = seen_by(actor, shipped).aggregate(
        **{f"last_{span}": Sum("delta", filter=Q(at__gt=at - timedelta(days=span))) for span in SPANS}
    )
    age = max(1, (at - sku.created_at).days)
    return [Cover(span, min(span, age), -(sums[f"last_{span}"] or 0), available) for span in SPANS]
