"""What needs someone now: tiles on the first page and counts in the navigation, each a link to what it counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.functional import Promise

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

FRESH_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Tile:
    """One queue. `url` opens exactly the list that `count` counted; `section` is the navigation's key.

    `tone` is used only while there is something to count: an empty queue is never red.
    """

    label: str | Promise
    count: int
    url: str
    tone: str = ""
    detail: str | Promise = ""
    section: str = ""

    @property
    def shown_tone(self) -> str:
        return self.tone if self.count else "none"


TileSource = Callable[["AbstractUser"], Iterable[Tile]]
_sources: list[TileSource] = []


def register(source: TileSource) -> TileSource:
    """Add a source of tiles, shown in the order of registration. It returns only what its user may see."""
    if source not in _sources:
        _sources.append(source)
    return source


def tiles(user: "AbstractUser") -> list[Tile]:
    """Every queue this user may see, counted now."""
    return [tile for source in _sources for tile in source(user)]


def section_counts(user: "AbstractUser") -> dict[str, tuple[int, str]]:
    """Per navigation section the sum of its queues and "stop" if one of them is; at most 15 s old."""
    key = f"dashboard.sections.{user.pk}"
    counts: dict[str, tuple[int, str]] | None = cache.get(key)
    if counts is None:
        counts = {}
        for tile in tiles(user):
            if tile.section and tile.count:
                total, tone = counts.get(tile.section, (0, ""))
                counts[tile.section] = (total + tile.count, "stop" if "stop" in (tone, tile.tone) else "")
        cache.set(key, counts, FRESH_SECONDS)
    return counts
