"""All goods of an order in one cell, taken apart: a row each, so that they are read like any other line."""

import re
from collections.abc import Sequence
from dataclasses import replace

from orders.sheets.plan import Plan

Numbered = tuple[int, Sequence[str]]
# Source: WooCommerce Analytics writes "2× Mug, 1× Cup"; older versions and translations "Mug x 2, Cup x 1".
_BEFORE = re.compile(r"(\d{1,9})\s*[×x]\s+(.+?)(?=,\s*\d{1,9}\s*[×x]\s|$)", re.DOTALL)
_BEHIND = re.compile(r"(.+?)\s*[×x]\s*(\d{1,9})(?:,\s*|$)", re.DOTALL)


def goods_in(cell: str) -> list[tuple[str, str]]:
    """(title, units) of each; nothing where the cell is not written so from end to end."""
    text = cell.strip()
    for pattern, title, units in ((_BEFORE, 2, 1), (_BEHIND, 1, 2)):
        found = list(pattern.finditer(text))
        rest = pattern.sub("", text).strip(" ,")
        if found and not rest:
            return [(one[title].strip(), one[units]) for one in found]
    return []


def split_goods(rows: Sequence[Numbered], plan: Plan) -> tuple[Sequence[Numbered], Plan]:
    """The rows with one good each, in two further columns; a cell that cannot be taken apart stays whole, without
    units, and is complained of as such."""
    width = len(plan.header)
    columns = {**plan.columns, "title": width, "quantity": width + 1}
    header = (*plan.header, plan.heading("title"), plan.heading("title"))
    found: list[Numbered] = []
    for line, cells in rows:
        cell = cells[plan.columns["title"]] if "title" in plan.columns else ""
        goods = goods_in(cell)
        sold = cells[plan.columns["quantity"]].strip() if "quantity" in plan.columns else ""
        if sold.isdecimal() and sum(int(units) for _title, units in goods) != int(sold):
            # “1× Towel, 50 x 70 cm” reads as two goods; the count of what was sold tells.
            goods = []
        for title, units in goods or [(cell, "")]:
            found.append((line, [*cells, title, units]))
    return found, replace(plan, columns=columns, header=header)
