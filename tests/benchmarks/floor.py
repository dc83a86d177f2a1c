"""The floor: the very rows that the verbs wrote, written again by plain COPY and set-based UPDATE.

The rows of a batch are read from the verbs' database outside the clock, as finished COPY text. The floor then
writes them to a copy of the database that stood beside it before the run: same tables, indexes and constraints,
three transactions a batch as the verbs have them. At the end both databases must hold the same rows.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection as django_connection

from tests.benchmarks.meters import Meter

# Rows of these tables are only added, phase by phase; the rest is changed by the UPDATEs below.
ACCEPTED = (
    "orders_customer", "orders_address", "orders_order", "orders_orderline", "orders_linepart", "orders_charge",
    "orders_discountshare", "orders_taxline", "orders_payment", "orders_hold",
)  # fmt: skip
TOLD = ("kernel_event", "kernel_fact", "kernel_delivery")
ALLOCATED = ("inventory_reservation", "orders_allocationdecision")
TABLES = (*ACCEPTED, *TOLD, *ALLOCATED)
# What the rows of a new order look like before confirm and allocate change them.
BEFORE = {
    "orders_order": {
        "status": "'placed'",
        "fulfillment_status": "'unallocated'",
        "confirmed_at": "NULL",
        "dispatch_by_on": "NULL",
        "version": "1",
    },
    "orders_linepart": {"allocated": "0"},
}
CONFIRM = (
    "UPDATE orders_order o SET status = 'confirmed', version = version + 1, confirmed_at = c.at,"
    " dispatch_by_on = c.day FROM (SELECT unnest(%s::bigint[]) AS id, unnest(%s::timestamptz[]) AS at,"
    " unnest(%s::date[]) AS day) c WHERE o.id = c.id"
)
SETTLE = (
    "UPDATE orders_order o SET fulfillment_status = c.axis, version = version + 1"
    " FROM (SELECT unnest(%s::bigint[]) AS id, unnest(%s::text[]) AS axis) c WHERE o.id = c.id"
)
GIVE = (
    "UPDATE orders_linepart p SET allocated = c.units"
    " FROM (SELECT unnest(%s::bigint[]) AS id, unnest(%s::int[]) AS units) c WHERE p.id = c.id"
)
TAKE = (
    "UPDATE inventory_stocklevel l SET reserved = reserved + c.units, version = version + 1"
    " FROM (SELECT unnest(%s::bigint[]) AS id, unnest(%s::int[]) AS units) c WHERE l.id = c.id"
)
COUNT = "UPDATE kernel_documentcounter SET next_value = next_value + %s WHERE kind = 'order'"


@dataclass
class Batch:
    """What one batch of the verbs added, as COPY text by phase and table, and what they changed."""

    orders: list[tuple[Any, ...]]
    parts: list[tuple[Any, ...]]
    levels: list[tuple[Any, ...]]
    copies: dict[str, list[tuple[str, bytes]]]


class Floor:
    """Follows the verbs batch by batch."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self.meter = Meter(plain.info.backend_pid)
        self.columns = {table: _columns(table) for table in TABLES}
        self.seen = {table: self._highest(table) for table in TABLES}

    def follow(self) -> None:
        """Write again what the verbs wrote since the last call."""
        batch = self._read()
        with self.meter.running():
            self._write(batch)

    def _highest(self, table: str) -> int:
        with django_connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            return int(cursor.fetchone()[0])

    def _read(self) -> Batch:
        new = {table: (self.seen[table], self._highest(table)) for table in TABLES}
        self.seen = {table: high for table, (_low, high) in new.items()}
        accepted = [(table, self._copy_text(table, new[table])) for table in ACCEPTED]
        phases = {"accept": accepted, "confirm": [], "allocate": []}
        for phase, kinds, facts in (
            ("accept", ("created", "hold_placed"), "order.accepted"),
            ("confirm", ("confirm",), "order.confirmed"),
            ("allocate", ("allocated", "backordered"), "order.backordered"),
        ):
            events = f"kind IN ({', '.join(repr(kind) for kind in (*kinds, ''))})"
            of_fact = f"fact_id IN (SELECT id FROM kernel_fact WHERE kind = '{facts}')"
            for table, which in zip(TOLD, (events, f"kind = '{facts}'", of_fact), strict=True):
                phases[phase].append((table, self._copy_text(table, new[table], which)))
        phases["allocate"] += [(table, self._copy_text(table, new[table])) for table in ALLOCATED]
        low, high = new["orders_order"]
        orders = _rows(
            "SELECT id, confirmed_at, dispatch_by_on, fulfillment_status, version FROM orders_order"
            f" WHERE id > {low} AND id <= {high} ORDER BY id"
        )
        low, high = new["orders_linepart"]
        parts = _rows(
            f"SELECT id, allocated FROM orders_linepart WHERE id > {low} AND id <= {high} AND allocated > 0"
            " ORDER BY id"
        )
        low, high = new["inventory_reservation"]
        levels = _rows(
            f"SELECT level_id, sum(quantity)::int FROM inventory_reservation WHERE id > {low} AND id <= {high}"
            " AND level_id IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        return Batch(orders, parts, levels, phases)

    def _copy_text(self, table: str, ids: tuple[int, int], which: str = "TRUE") -> bytes:
        shown = ", ".join(BEFORE.get(table, {}).get(name, name) for name in self.columns[table])
        rows = f"SELECT {shown} FROM {table} WHERE id > {ids[0]} AND id <= {ids[1]} AND {which} ORDER BY id"
        with django_connection.cursor() as cursor, cursor.copy(f"COPY ({rows}) TO STDOUT") as copy:
            return b"".join(bytes(block) for block in copy)

    def _write(self, batch: Batch) -> None:
        ids, confirmed, days, axes, _versions = map(list, zip(*batch.orders, strict=True))
        with self.plain.transaction(), self.plain.cursor() as cursor:
            self._copy(cursor, batch.copies["accept"])
            cursor.execute(COUNT, [len(ids)])
        with self.plain.transaction(), self.plain.cursor() as cursor:
            cursor.execute(CONFIRM, [ids, confirmed, days])
            self._copy(cursor, batch.copies["confirm"])
        with self.plain.transaction(), self.plain.cursor() as cursor:
            self._copy(cursor, batch.copies["allocate"])
            cursor.execute(GIVE, _turned(batch.parts))
            cursor.execute(SETTLE, [ids, axes])
            cursor.execute(TAKE, _turned(batch.levels))

    def _copy(self, cursor: Any, tables: list[tuple[str, bytes]]) -> None:
        for table, text in tables:
            if text:
                with cursor.copy(f"COPY {table} ({', '.join(self.columns[table])}) FROM STDIN") as copy:
                    copy.write(text)

    def differing(self) -> list[str]:
        """Tables whose rows are not the same in both databases."""
        wrong = []
        for table in (*TABLES, "inventory_stocklevel"):
            digest = f"SELECT count(*), md5(string_agg(row::text, '|' ORDER BY id)) FROM {table} row"
            if _rows(digest)[0] != self.plain.execute(digest).fetchone():
                wrong.append(table)
        return wrong


def _columns(table: str) -> list[str]:
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return [field.column for field in model._meta.concrete_fields]


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with django_connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _turned(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[], []]
