"""The staged rows of a run, some orders at a time, as they are read again for the check and for applying."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.db.models import Count, QuerySet

from config.kernel.fastpath import Among
from orders.models import ImportRow
from orders.sheets.cells import Numbered
from orders.sheets.packing import unpack_rows

Rows = dict[str, list[Numbered]]
# What is held in memory at once; an order of more rows than this comes alone.
KEYS, ROWS = 300, 6000


def rows_by_order(run_id: int, *, after: str = "", keys: int = KEYS, most: int = ROWS) -> Iterator[Rows]:
    """Rows by order number, some hundred orders at a time, in the sequence of their numbers."""
    mine = ImportRow.objects.filter(run=run_id)
    while True:
        found = mine.filter(key__gt=after).order_by("key").values_list("key").annotate(rows=Count("*"))
        last, size = "", 0
        for key, count in found[:keys]:
            if last and size + count > most:
                break
            last, size = key, size + count
        if not last:
            return
        yield _read(mine.filter(key__gt=after, key__lte=last).order_by("key", "line"))
        after = last


def rows_of_orders(run_id: int, keys: Collection[str]) -> Rows:
    """Rows by order number of these orders, each in the file's sequence; one statement."""
    return _read(ImportRow.objects.filter(Among("key", keys), run=run_id).order_by("line"))


def _read(rows: QuerySet[ImportRow]) -> Rows:
    found = list(rows.values_list("key", "line", "cells"))
    by_key: Rows = defaultdict(list)
    read = unpack_rows([cells for _key, _line, cells in found])
    for (key, line, _text), cells in zip(found, read, strict=True):
        by_key[key].append((line, cells))
    return by_key
