"""How one file is turned into orders: which column means what, and in which way its values are written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from orders.enums import MoneyOwner
from orders.sheets.values import DateStyle, NumberStyle


@dataclass(frozen=True, slots=True)
class Rules:
    """What a layout means beyond its columns.

    `cancel_prefix` begins the numbers of cancellation documents, whose quantities are negative. SKUs that match
    `charge_codes` are charges, not goods. With `lists_write_offs` an order of negative quantities at price 0 is
    stock that somebody wrote off: listed, not imported. `finest` are the decimals that a price may have beyond
    its currency's. With `is_loose` times of one order may differ (the first counts) and a country that is none
    stays as text. With `totals_first` a row of several that names no goods is the order's own, followed by its lines.
    With `one_cell` all goods of an order stand in one cell, as “2× Mug, 1× Cup” or “Mug x 2, Cup x 1”.
    """

    cancel_prefix: str = ""
    adjust_prefix: str = ""
    charge_codes: re.Pattern[str] | None = None
    lists_write_offs: bool = False
    finest: int = 0
    is_loose: bool = False
    key_prefix: str = ""
    totals_first: bool = False
    one_cell: bool = False


ADDRESS = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns` are places in a row by field; `prices_include_tax` None lets each order's own total tell.

    With `is_live` an order that was sent, cancelled or closed already is listed, not imported: there is nothing to do.
    `addresses` are the parts of an address that the file has, with their columns, by use ("ship", "bill").
    """

    columns: Mapping[str, int]
    header: tuple[str, ...]
    numbers: NumberStyle
    dates: DateStyle
    zone: ZoneInfo
    currency: str
    prices_include_tax: bool | None = None
    paid_to: MoneyOwner | None = None
    is_live: bool = False
    rules: Rules = field(default_factory=Rules)
    addresses: Mapping[str, Sequence[tuple[str, str]]] = field(init=False)

    def __post_init__(self) -> None:
        found = {
            use: [(part, f"{use}_{part}") for part in ADDRESS if f"{use}_{part}" in self.columns]
            for use in ("ship", "bill")
        }
        object.__setattr__(self, "addresses", found)

    def heading(self, name: str) -> str:
        place = self.columns.get(name)
        return self.header[place] if place is not None and place < len(self.header) else name
