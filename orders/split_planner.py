"""The fewest locations, then the fewest shares, then the most preferred: where units come from. Pure."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

# Beyond so many sets of one size a greedy choice replaces the exact one.
MOST_SETS = 2_000
Free = Mapping[tuple[int, int], int]
Split = dict[int, list[tuple[int, int]]]


def choose_locations(needs: Mapping[int, int], free: Free, location_ids: Sequence[int]) -> Split:
    """Per SKU the locations that give its units: (location id, units), locations in order of preference.

    Fewest locations in all, then fewest (SKU, location) pairs, then the most preferred. `needs` must not exceed
    what is free in all. Beyond `MOST_SETS` sets of a size the most useful location is taken again and again.
    """
    needs = {sku_id: units for sku_id, units in needs.items() if units > 0}
    for place in location_ids:  # what nearly every order finds: one location that has all
        if all(free.get((sku, place), 0) >= units for sku, units in needs.items()):
            return {sku: [(place, units)] for sku, units in needs.items()}
    useful = [place for place in location_ids if any(free.get((sku, place), 0) > 0 for sku in needs)]
    fewest = max((_least_locations(sku, units, free, useful) for sku, units in needs.items()), default=0)
    for size in range(fewest, len(useful) + 1):
        if math.comb(len(useful), size) > MOST_SETS:
            return _split_over(_greedy(needs, free, useful), needs, free)
        splits = [
            _split_over(some, needs, free)
            for some in combinations(useful, size)
            if all(sum(free.get((sku, place), 0) for place in some) >= units for sku, units in needs.items())
        ]
        if splits:
            return min(splits, key=lambda split: sum(map(len, split.values())))
    raise ValueError("more is needed than is free")


def _least_locations(sku_id: int, units: int, free: Free, among: Sequence[int]) -> int:
    for number, there in enumerate(
        sorted((free.get((sku_id, place), 0) for place in among), reverse=True), 1
    ):
        units -= there
        if units <= 0:
            return number
    raise ValueError("more is needed than is free")


def _greedy(needs: Mapping[int, int], free: Free, useful: Sequence[int]) -> tuple[int, ...]:
    left, taken = dict(needs), []
    while any(left.values()):
        rest = [place for place in useful if place not in taken]
        best = max(rest, key=lambda place: sum(min(left[s], free.get((s, place), 0)) for s in left))
        left = {sku: units - min(units, free.get((sku, best), 0)) for sku, units in left.items()}
        taken.append(best)
    return tuple(place for place in useful if place in taken)


def _split_over(some: Sequence[int], needs: Mapping[int, int], free: Free) -> Split:
    return {sku: _fill(sku, units, free, some) for sku, units in needs.items()}


def _fill(sku_id: int, units: int, free: Free, some: Sequence[int]) -> list[tuple[int, int]]:
    """Fill one SKU from the fewest of these locations, the most preferred such set."""
    size = _least_locations(sku_id, units, free, some)
    if math.comb(len(some), size) > MOST_SETS:
        rank = {place: number for number, place in enumerate(some)}
        largest = sorted(some, key=lambda place: (-free.get((sku_id, place), 0), rank[place]))
        chosen: Sequence[int] = sorted(largest[:size], key=rank.__getitem__)
    else:
        chosen = next(
            few for few in combinations(some, size) if sum(free.get((sku_id, p), 0) for p in few) >= units
        )
    given = []
    for place in chosen:
        here = min(units, free.get((sku_id, place), 0))
        given.append((place, here))
        units -= here
    return given
