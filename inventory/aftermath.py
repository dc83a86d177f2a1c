"""What broken promises bring about above this room, in words for whoever is about to break them: mails to buyers.

Upper rooms register a teller of their kinds from their `admin`; this room only knows ("order_line_part", 42).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inventory.owners import Reference

# Units by reference id that were promised and would wait → sentences {"text", "tone"}, in a fixed number of statements.
Teller = Callable[[Mapping[int, int]], Sequence[Mapping[str, Any]]]

TELLERS: dict[str, Teller] = {}


def register_teller(kind: str, teller: Teller) -> None:
    """Name who tells what follows where promises of a kind are broken."""
    TELLERS[kind] = teller


def told_of(waiting: Mapping[Reference, int]) -> list[dict[str, Any]]:
    """What follows for those who would wait, by their units; one call a kind, none for none."""
    by_kind: dict[str, dict[int, int]] = {}
    for (kind, pk), units in waiting.items():
        by_kind.setdefault(kind, {})[pk] = units
    return [
        {"url": "", **said}
        for kind, units in sorted(by_kind.items())
        if kind in TELLERS
        for said in TELLERS[kind](units)
    ]
