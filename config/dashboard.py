"""What needs someone now: tiles on the first page and counts in the navigation, each a link to what it counts."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext

from config.kernel import heartbeat
from config.kernel.templatetags.bancale import number, span_text

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

WORKER_SILENT_SECONDS = 180
# Nobody works off more than this at once, and counting on would cost every open page.
MOST = 1_000
_PRESSING = {"stop": 0, "wait": 1}


@dataclass(frozen=True, slots=True)
class Tile:
    """One queue. `url` opens exactly the list that `count` counted; `section` is the navigation's key.

    `parts` are (words, address) of what it is made of, each opening exactly these. `tone` is used only while there
    is something to count: an empty queue is never red.
    """

    label: str | Promise
    count: int
    url: str
    tone: str = ""
    detail: str | Promise = ""
    section: str = ""
    on_front: bool = True
    parts: Sequence[tuple[str, str]] = ()

    @property
    def shown(self) -> str:
        """The count as it is read: `1,000+` where counting ended."""
        return f"{number(self.count)}+" if self.count >= MOST else number(self.count)

    @property
    def shown_tone(self) -> str:
        return self.tone if self.count else "none"


TileSource = Callable[["AbstractUser | AnonymousUser"], Iterable[Tile]]
_sources: list[TileSource] = []


def register(source: TileSource) -> TileSource:
    """Add a source of tiles, shown in the order of registration. It returns only what its user may see."""
    if source not in _sources:
        _sources.append(source)
    return source


def tiles(user: "AbstractUser | AnonymousUser") -> list[Tile]:
    """Every queue this user may see, counted now."""
    return [tile for source in _sources for tile in source(user)]


def most_pressing(rows: Iterable[Tile]) -> dict[str, Tile]:
    """Per navigation section the queue to open next: a red one before an amber one before any other."""
    found: dict[str, Tile] = {}
    for tile in rows:
        if tile.section and tile.count:
            best = found.get(tile.section)
            if best is None or _PRESSING.get(tile.tone, 2) < _PRESSING.get(best.tone, 2):
                found[tile.section] = tile
    return found


def worker_state() -> tuple[str, str]:
    """In words whether the background work runs, and a tone: "" or "stop"."""
    seconds = heartbeat.seconds_since("worker")
    if seconds is None:
        return gettext("The worker has not started yet"), "stop"
    words = {"span": span_text(round(seconds))}
    if seconds > WORKER_SILENT_SECONDS:
        return gettext("Worker silent for %(span)s") % words, "stop"
    return gettext("Worker alive %(span)s ago") % words, ""
