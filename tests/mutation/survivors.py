"""Slips that no test can notice, and why: `{module: {mutant: reason}}`.

A mutant that survives and does not stand here makes the run fail; one that stands here and is killed is named.
"""
# ruff: noqa: E501  (a mutant's name is as long as what it changes)

WHY: dict[str, dict[str, str]] = {
    "inventory/services/reservations/consuming.py": {
        "_open_rows: found[row.reference_id, location_of[row.level_id or 0]].app… | 0 -> 1": "an open reservation always has a level: the 0 is for the type",
        "_uses: yield _Use(row, row.level_id or 0, used) | 0 -> 1": "an open reservation always has a level: the 0 is for the type",
        "_by_level: level_id = rows[take.reference_id, take.location_id][0].lev… | 0 -> 1": "an open reservation always has a level: the 0 is for the type",
    },
    "inventory/services/reservations/cutting.py": {
        "cut_reservations: raise Conflict(detail=f'reservation {cut.reservation.pk} is closed') -> pass": "the statement that splits and the machine refuse the same; here before anything is written",
    },
    "inventory/services/reservations/expiring.py": {
        "_is_due: return False -> return None": "its caller asks only whether it is true",
        "_at_work: spot = (row.reference_id, place[row.level_id or 0]) | 0 -> 1": "an open reservation always has a level: the 0 is for the type",
    },
    "inventory/services/reservations/filling.py": {
        "fill_reservations: opened |= {id(fill): row for fill, row in zip(parts, rows, … | True -> False": "both have one entry a fill",
    },
    "inventory/services/reservations/moving.py": {
        "move_reservations: net[row.level_id or 0] -= move.quantity | 0 -> 1": "an open reservation always has a level: the 0 is for the type",
        "_change: changes = {pk: LevelChange(reserved=units, taken_free=max(0… | max(0, units) -> min(0, units)": "a second guard, in the statement itself, behind the one in memory under the same lock",
    },
    "inventory/services/reservations/releasing.py": {
        "release_reservations: raise RELEASE.refusal(row.state) or Conflict(detail='closed') -> pass": "the machine refuses the same a few lines on; here before anything is read",
    },
    "inventory/services/reservations/requeueing.py": {
        "requeue_reservations: lock_stock(before.values_list('sku_id', flat=True)) -> pass": "SQLite locks no rows; test_requeue_race shows on PostgreSQL what goes wrong without",
        "_is_moved: return False -> return None": "its caller asks only whether it is true",
        "_is_moved: return False -> return None #2": "its caller asks only whether it is true",
    },
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
