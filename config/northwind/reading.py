"""Read the Northwind CSV files: plain records, dirt taken off, every fault with file, row and value."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import InvalidInput

# The country names of this data set. Source: ISO 3166-1.
COUNTRIES = {
    "Argentina": "AR", "Austria": "AT", "Belgium": "BE", "Brazil": "BR", "Canada": "CA", "Denmark": "DK",
    "Finland": "FI", "France": "FR", "Germany": "DE", "Ireland": "IE", "Italy": "IT", "Mexico": "MX",
    "Norway": "NO", "Poland": "PL", "Portugal": "PT", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH",
    "UK": "GB", "USA": "US", "Venezuela": "VE",
}  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Product:
    product_id: int
    name: str
    in_stock: int
    reorder_level: int
    is_discontinued: bool


@dataclass(frozen=True, slots=True)
class Customer:
    customer_id: str
    company: str
    contact: str
    phone: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Line:
    """`discount` is a fraction, put back from a 32-bit float to two places (0.0500000007 → 0.05)."""

    product_id: int
    unit_amount: Decimal
    quantity: int
    discount: Decimal


@dataclass(frozen=True, slots=True)
class BookOrder:
    order_id: int
    customer: Customer
    ordered_on: date
    required_on: date
    shipped_on: date | None
    carrier: str
    freight: Decimal
    ship_name: str
    address: str
    city: str
    region: str
    postal_code: str
    country_code: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Book:
    products: Mapping[int, Product]
    orders: tuple[BookOrder, ...]

    @property
    def shipped_units(self) -> Mapping[int, int]:
        """Units per product that left in shipped orders."""
        units: dict[int, int] = defaultdict(int)
        for order in self.orders:
            if order.shipped_on:
                for line in order.lines:
                    units[line.product_id] += line.quantity
        return units


class _Row:
    def __init__(self, file: str, number: int, values: Mapping[str, str]) -> None:
        self.file, self.number, self.values = file, number, values

    def text(self, column: str) -> str:
        return (self.values.get(column) or "").strip()

    def read(self, column: str, convert: Callable[[str], T], accepted: str) -> T:
        try:
            return convert(self.text(column))
        except (ValueError, InvalidOperation, KeyError):
            field = _("%(file)s, row %(row)s, %(column)s") % {
                "file": self.file,
                "row": self.number,
                "column": column,
            }
            raise InvalidInput(field=field, value=self.text(column)[:60], accepted=accepted) from None

    def integer(self, column: str) -> int:
        return self.read(column, int, str(_("accepted is a whole number")))

    def amount(self, column: str) -> Decimal:
        accepted = str(_("accepted is an amount with a decimal point"))
        return self.read(column, lambda text: Decimal(text).quantize(Decimal("0.01")), accepted)

    def day(self, column: str) -> date:
        return self.read(column, date.fromisoformat, str(_("accepted is a date as YYYY-MM-DD")))

    def country(self, column: str) -> str:
        return self.read(
            column, lambda text: COUNTRIES[text], str(_("accepted is a country of this data set"))
        )


def _rows(folder: Path, file: str) -> Iterator[_Row]:
    path = folder / file
    if not path.is_file():
        raise InvalidInput(
            field=file, value=str(folder), accepted=_("accepted is a folder with the Northwind files")
        )
    with path.open(encoding="utf-8", newline="") as stream:
        for number, values in enumerate(csv.DictReader(stream), start=2):
            yield _Row(file, number, values)


def read_book(folder: Path) -> Book:
    """Read the whole order book. Refuses `InvalidInput` naming file, row, column and value."""
    products = {product.product_id: product for product in map(_product, _rows(folder, "products.csv"))}
    customers = {
        customer.customer_id: customer for customer in map(_customer, _rows(folder, "customers.csv"))
    }
    carriers = {row.text("shipper_id"): row.text("company_name") for row in _rows(folder, "shippers.csv")}
    lines: dict[int, list[Line]] = defaultdict(list)
    for row in _rows(folder, "order_details.csv"):
        lines[row.integer("order_id")].append(
            Line(
                row.read(
                    "product_id",
                    lambda text: products[int(text)].product_id,
                    str(_("accepted is a known product")),
                ),
                row.amount("unit_price"),
                row.integer("quantity"),
                row.amount("discount"),
            )
        )
    orders = (_order(row, customers, carriers, lines) for row in _rows(folder, "orders.csv"))
    return Book(products, tuple(sorted(orders, key=lambda order: (order.ordered_on, order.order_id))))


def _product(row: _Row) -> Product:
    return Product(
        row.integer("product_id"),
        row.text("product_name"),
        row.integer("units_in_stock"),
        row.integer("reorder_level"),
        row.text("discontinued") == "1",
    )


def _customer(row: _Row) -> Customer:
    return Customer(
        row.text("customer_id"),
        row.text("company_name"),
        row.text("contact_name"),
        row.text("phone"),
        row.country("country"),
    )


def _order(
    row: _Row, customers: Mapping[str, Customer], carriers: Mapping[str, str], lines: Mapping[int, list[Line]]
) -> BookOrder:
    order_id = row.integer("order_id")
    known = str(_("accepted is a known customer"))
    return BookOrder(
        order_id=order_id,
        customer=row.read("customer_id", lambda text: customers[text], known),
        ordered_on=row.day("order_date"),
        required_on=row.day("required_date"),
        shipped_on=row.day("shipped_date") if row.text("shipped_date") else None,
        carrier=carriers.get(row.text("ship_via"), ""),
        freight=row.amount("freight"),
        ship_name=row.text("ship_name"),
        address=row.text("ship_address"),
        city=row.text("ship_city"),
        region=row.text("ship_region"),
        postal_code=row.text("ship_postal_code"),
        country_code=row.country("ship_country"),
        lines=tuple(lines[order_id]),
    )
