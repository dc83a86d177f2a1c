"""Slips that no test can notice, and why: `{module: {mutant: reason}}`.

A mutant that survives and does not stand here makes the run fail; one that stands here and is killed is named.
"""
# ruff: noqa: E501  (a mutant's name is as long as what it changes)

WHY: dict[str, dict[str, str]] = {
    "orders/split_planner.py": {
        "choose_locations: useful = [place for place in location_ids if any((free.get(… | free.get((sku, place), 0) > 0 -> free.get((sku, place), 0) >= 0": "places without the SKUs only make more sets to look at: fewer locations never need one",
        "choose_locations: useful = [place for place in location_ids if any((free.get(… | 0 -> 1 #2": "places without the SKUs only make more sets to look at: fewer locations never need one",
        "choose_locations: fewest = max((_least_locations(sku, units, free, useful) fo… | max((_least_locations(sku, units, free, useful) for sku, units in needs.items()), default=0) -> min((_least_locations(sku, units, free, useful) for sku, units in needs.items()), default=0)": "a lower bound of the sets' size: from any smaller one the search finds the same sets, later",
        "choose_locations: for size in range(fewest, len(useful) + 1) | 1 -> 2": "no set has more locations than there are, and what is needed is free in all of them",
        "choose_locations: raise ValueError('more is needed than is free') -> pass": "not reached: `_least_locations` has refused what is not free in all",
        "_least_locations: for number, there in enumerate(sorted((free.get((sku_id, pl… | 0 -> 1": "a place without the SKU would count one unit, but stands behind those that have at least one, which suffice",
        "_fill: here = min(units, free.get((sku_id, place), 0)) | 0 -> 1": "a set of the fewest locations has none without the SKU",
    },
}
