"""The peer of the import benchmark: the same lines by django-import-export's bulk mode, as its documentation says.

`use_bulk`, `batch_size`, `skip_diff` and `force_init_instance`; the order of a line is found or made with its address
in `before_import_row`, the documentation's way for what does not exist yet, and foreign keys come by widget. It writes
orders, addresses and lines alone: no parts, charges, taxes or events, no staging, no report by row.
Source: django-import-export 4.4, "Bulk imports" and "Creating non-existent relations".
"""

import csv
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import tablib
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import DecimalWidget, ForeignKeyWidget, IntegerWidget

from config.kernel import clock
from inventory.models import Sku
from orders.enums import OrderStatus
from orders.models import Address, Order, OrderLine, SalesChannel
from orders.sheets.profiles import LEDGER

ZONE = ZoneInfo("Europe/London")
BATCH = 1000


class OfChannel(ForeignKeyWidget):  # type: ignore[misc]
    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> Any:
        return Order.objects.filter(sales_channel=row["channel"])


class LineResource(ModelResource):  # type: ignore[misc]
    order = Field("order", "InvoiceNo", OfChannel(Order, "external_id"))
    position = Field("position", "position", IntegerWidget())
    external_id = Field("external_id", "position")
    sku = Field("sku", "code", ForeignKeyWidget(Sku, "code"))
    sku_code = Field("sku_code", "StockCode")
    title = Field("title", "Description")
    quantity = Field("quantity", "Quantity", IntegerWidget())
    unit_amount = Field("unit_amount", "UnitPrice", DecimalWidget())
    subtotal_amount = Field("subtotal_amount", "worth", DecimalWidget())
    total_amount = Field("total_amount", "worth", DecimalWidget())

    class Meta:
        model = OrderLine
        fields = (
            "order", "position", "external_id", "sku", "sku_code", "title", "quantity", "unit_amount",
            "subtotal_amount", "total_amount",
        )  # fmt: skip
        use_bulk = True
        batch_size = BATCH
        skip_diff = True
        force_init_instance = True

    def __init__(self, channel: SalesChannel) -> None:
        super().__init__()
        self.channel = channel

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        row["channel"] = self.channel.pk
        row["worth"] = abs(int(row["Quantity"])) * Decimal(row["UnitPrice"])
        row["Quantity"] = abs(int(row["Quantity"]))
        code = row["StockCode"].upper()
        row["code"] = "" if LEDGER.charge_codes and LEDGER.charge_codes.fullmatch(code) else code
        if Order.objects.filter(sales_channel=self.channel, external_id=row["InvoiceNo"]).exists():
            return
        address = Address.objects.create(name=row["CustomerID"], region=row["Country"])
        Order.objects.create(
            sales_channel=self.channel,
            legal_entity=self.channel.legal_entity,
            external_id=row["InvoiceNo"],
            external_number=row["InvoiceNo"],
            number=f"P-{row['InvoiceNo']}",
            bill_to=address,
            status=OrderStatus.COMPLETED,
            is_history=True,
            currency=self.channel.currency,
            prices_include_tax=True,
            placed_at=datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=ZONE),
            accepted_at=clock.now(),
        )


def run_peer(path: Path, channel: SalesChannel) -> tuple[float, int]:
    """Seconds and lines; the lines are numbered within their order outside the clock."""
    text = numbered(path)
    started = time.perf_counter()
    data = tablib.Dataset().load(text, format="csv")
    LineResource(channel).import_data(data, raise_errors=True)
    seconds = time.perf_counter() - started
    return seconds, OrderLine.objects.filter(order__sales_channel=channel).count()


def numbered(path: Path) -> str:
    places: dict[str, int] = {}
    lines = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        for row in rows:
            places[row["InvoiceNo"]] = place = places.get(row["InvoiceNo"], 0) + 1
            lines.append([*row.values(), place])
    data = tablib.Dataset(*lines, headers=[*(rows.fieldnames or ()), "position"])
    return str(data.export("csv"))
