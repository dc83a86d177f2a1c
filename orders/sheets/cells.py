"""One order's cells, read strictly; whatever is wrong is noted with its place and read as nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from config.kernel.money import exponent
from config.kernel.sheets import unguarded
from orders.sheets.plan import Plan
from orders.sheets.problems import Problem, shown
from orders.sheets.unpacking import ERROR, FORMULA
from orders.sheets.values import EXAMPLES, read_coins, read_number, read_time, read_units, text_problem

LIMITS = {
    "order": 120, "external_id": 120, "sku": 120, "title": 255, "shipping_method": 120, "payment_reference": 120,
    "payment_method": 60, "buyer_name": 200, "buyer_phone": 40, "line_id": 120, "discount_code": 120, "email": 254,
}  # fmt: skip
SHORTEST = min(LIMITS.values())
CODES = frozenset({"order", "external_id", "sku", "line_id"})
Numbered = tuple[int, Sequence[str]]


@lru_cache(maxsize=20_000)
def _plain(cell: str) -> str | None:
    """The text of a cell that any column takes as it stands; None where it has to be looked at."""
    text = cell.strip()
    if text[:1] == "'" or len(text) > SHORTEST or not (text.isascii() and text.isprintable()):
        return None
    return text


@dataclass(slots=True)
class Cells:
    """Rows of one order with their file lines. `problems` grows as the cells are read; `heads` are rows that state
    the order alone, none of its lines."""

    plan: Plan
    rows: Sequence[Numbered]
    problems: list[Problem] = field(default_factory=list)
    heads: Sequence[Numbered] = ()

    def complain(self, code: str, name: str, line: int, value: str = "", more: str = "") -> None:
        heading = self.plan.heading(name) if name else ""
        self.problems.append(Problem(code, line, heading[:80], shown(value), more[:200]))

    def text(self, name: str, row: Numbered) -> str:
        """A cell's text without blanks around it; "" where there is no such column."""
        place = self.plan.columns.get(name)
        if place is None:
            return ""
        line, cells = row
        plain = _plain(cells[place])
        if plain is not None:
            return plain
        value = unguarded(cells[place].strip()).strip()
        if value.isascii() and value.isprintable():
            code = ""
        elif value[0] in FORMULA + ERROR:
            code = "formula" if value[0] == FORMULA else "error_cell"
        else:
            code = text_problem(value, is_code=name in CODES)
        if code:
            self.complain(code, name, line, value.lstrip(FORMULA + ERROR))
            return ""
        limit = LIMITS.get(name)
        if limit is not None and len(value) > limit:
            self.complain("too_long", name, line, value, str(limit))
            return ""
        return value

    def is_stated(self, name: str, row: Numbered) -> bool:
        """Whether anything stands in a cell, readable or not."""
        place = self.plan.columns.get(name)
        return place is not None and not row[1][place].isspace() and bool(row[1][place])

    def of_order(self, name: str) -> tuple[int, str]:
        """What the rows say of the order with the line that says it; they must agree, blanks apart."""
        if name not in self.plan.columns:
            return self.rows[0][0], ""
        place = self.plan.columns[name]
        for head in self.heads:
            if stated := self.text(name, head):
                return head[0], stated
        at, first = self.rows[0][0], ""
        # A cell that was found in order a row above need not be looked at again.
        known: str | None = None
        for row in self.rows:
            if row[1][place] == known:
                continue
            faults = len(self.problems)
            value = self.text(name, row)
            known = row[1][place] if len(self.problems) == faults else None
            if value and not first:
                at, first = row[0], value
            elif value and value != first and not (self.plan.rules.is_loose and name == "placed_at"):
                self.complain("disagrees", name, row[0], value, shown(first))
                break
        return at, first

    def number(self, name: str, line: int, value: str) -> Decimal | None:
        number = read_number(value, self.plan.numbers)
        if number is None:
            self.complain("number", name, line, value, EXAMPLES[self.plan.numbers])
        return number

    def money(self, name: str, line: int, value: str, currency: str) -> Decimal | None:
        """An amount in whole coins; None for an empty cell and for one that is refused."""
        if not value:
            return None
        numbers, places = self.plan.numbers, max(exponent(currency), self.plan.rules.finest)
        coins = read_coins(value, numbers, places)
        if isinstance(coins, str):
            self.complain(coins, name, line, value, str(places) if coins == "decimals" else EXAMPLES[numbers])
            return None
        return coins

    def order_money(self, name: str, currency: str) -> Decimal | None:
        line, value = self.of_order(name)
        return self.money(name, line, value, currency)

    def time(self, name: str) -> datetime | None:
        line, value = self.of_order(name)
        if not value:
            return None
        at = read_time(value, self.plan.dates, self.plan.zone)
        if at is None or not 1970 <= at.year <= 2200:
            self.complain("date", name, line, value, f"2026-12-31, {EXAMPLES[self.plan.dates]}")
            return None
        return at

    def quantity(self, row: Numbered, *, sign: int) -> int:
        """Whole units from 1; `5.0` is five. 0 where it is refused."""
        value = self.text("quantity", row)
        if not value:
            self.complain("missing", "quantity", row[0])
            return 0
        units = read_units(value, self.plan.numbers, sign)
        if isinstance(units, str):
            more = EXAMPLES[self.plan.numbers] if units == "number" else ""
            self.complain(units, "quantity", row[0], value, more)
            return 0
        return units
