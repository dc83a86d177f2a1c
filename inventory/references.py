"""Links upwards: what a reservation's or movement's reference is called and where its page is.

Upper rooms register a resolver of their kinds in `ready()`; this room only knows ("order_line_part", 42).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Reference = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ResolvedReference:
    """A reference for people; without an address where it has no page."""

    label: str
    url: str = ""


ReferenceResolver = Callable[[Iterable[int]], Mapping[int, ResolvedReference]]

RESOLVERS: dict[str, ReferenceResolver] = {}


def register_reference(kind: str, resolver: ReferenceResolver) -> None:
    """Name the resolver of a kind: ids in, what each is called out, in a fixed number of queries."""
    RESOLVERS[kind] = resolver


def resolve(references: Iterable[Reference]) -> dict[Reference, ResolvedReference]:
    """What references are called, one call a kind; an unknown one is shown as "kind 42"."""
    by_kind: dict[str, set[int]] = defaultdict(set)
    for kind, pk in references:
        by_kind[kind].add(pk)
    resolved: dict[Reference, ResolvedReference] = {}
    for kind, ids in by_kind.items():
        found = RESOLVERS[kind](sorted(ids)) if kind in RESOLVERS else {}
        for pk in ids:
            resolved[kind, pk] = found.get(pk) or ResolvedReference(f"{kind.replace('_', ' ')} {pk}")
    return resolved
