"""What stock will be after a change that nobody has made yet, and which promises it would break."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.models import Sku, StockLevel
from inventory.owners import Loss
from inventory.selectors.losses import losses


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to a level's figures."""

    on_hand: int = 0
    unsellable: int = 0

    def __add__(self, other: "Change") -> "Change":
        return Change(self.on_hand + other.on_hand, self.unsellable + other.unsellable)


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One SKU before and after; `lost` units of its promises would wait again."""

    sku: Sku
    on_hand: int
    on_hand_after: int
    free: int
    free_after: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    lines: tuple[PreviewLine, ...]
    losses: tuple[Loss, ...]

    @property
    def signature(self) -> str:
        """The same as long as nothing shown has changed."""
        figures = [(line.sku.pk, line.on_hand, line.free, line.lost) for line in self.lines]
        return f"{figures}{[(loss.reservation_id, loss.quantity) for loss in self.losses]}"


def preview(location_id: int, changes: Mapping[int, Change]) -> Preview:
    """Figures of one location before and after changes by SKU id; no lock, four statements at most."""
    skus = Sku.objects.in_bulk(list(changes))
    levels = {
        level.sku_id: level
        for level in StockLevel.objects.filter(location=location_id, sku__in=list(changes))
    }
    cuts = {(pk, location_id): change.unsellable - change.on_hand for pk, change in changes.items()}
    lost = losses(levels.values(), cuts)
    lines = [
        _line(skus[pk], levels.get(pk), change, [loss for loss in lost if loss.sku_id == pk])
        for pk, change in changes.items()
        if pk in skus
    ]
    return Preview(tuple(lines), tuple(lost))


def _line(sku: Sku, level: StockLevel | None, change: Change, lost: Sequence[Loss]) -> PreviewLine:
    on_hand, free = (level.on_hand, level.free) if level is not None else (0, 0)
    units = sum(loss.quantity for loss in lost)
    after = free + change.on_hand - change.unsellable + units
    return PreviewLine(sku, on_hand, on_hand + change.on_hand, free, after, units)
