"""What is exported as lines and imported again changes nothing."""

from datetime import date
from decimal import Decimal

import pytest

from config.kernel.enums import ExportFormat
from config.kernel.exports import path_of
from config.kernel.models import Event
from orders.enums import ChargeKind, ImportPlan, ImportStatus
from orders.models import Address, Customer, Order, OrderLine
from orders.neutral import NeutralCharge, NeutralDiscount, NeutralPayment, NeutralTax
from orders.sheets.profiles import OWN
from tests.exports.files import make_export, table_in
from tests.factories.imports import check, counted, problems_of
from tests.factories.orders import make_kit, make_order, neutral_address, neutral_line, neutral_order

pytestmark = pytest.mark.django_db
D = Decimal


def business() -> int:
    """Kits, discounts on lines and charges, yen, dinars, several taxes, an unknown SKU, texts that look alive."""
    make_kit("GIFT", MUG=(2, 1), TEE=(1, 3))
    make_order(external_id="R-1")
    make_order(
        external_id="R-2", required_on=date(2026, 4, 1), shipping_method="Express", note="  two\nlines ",
        lines=(
            neutral_line("GIFT", 3, "19.90", discounts=(NeutralDiscount(D("5.97"), "SPRING"),)),
            neutral_line(
                "MUG", 3, "3.3333", subtotal_amount=D("10.00"),
                taxes=(NeutralTax("IVA", D("1.80"), D(22)), NeutralTax("city", D("0.10"), D(1))),
            ),
        ),
        charges=(
            NeutralCharge(ChargeKind.SHIPPING, "s", "Express", D("7.00"), (NeutralDiscount(D("2.00")),)),
            NeutralCharge(ChargeKind.FEE, "f", "Fee", D("-1.00")),
        ),
        total_amount=D("67.73"),
    )  # fmt: skip
    make_order(
        external_id="R-3", currency="JPY", lines=(neutral_line("MUG", 7, "1500"),), ship_to=None,
        payments=(NeutralPayment("konbini", "k-1", "authorised", D(10500), D(0)),),
    )  # fmt: skip
    make_order(external_id="R-4", currency="KWD", lines=(neutral_line("MUG", 1, "1.500"),))
    make_order(external_id="R-5", skus=False, lines=(neutral_line("NO-SUCH", 1, "5.00", title="=1+1"),))
    make_order(
        external_id="=R-6", note="@home", payments=(), total_amount=None, prices_include_tax=False,
        lines=(neutral_line("-X", 1, "5.00", external_id="'9", taxes=(NeutralTax("IVA", D("1.10"), D(22)),)),),
        ship_to=neutral_address(name="+39 Rosa", line2="'=x", phone="+39011555", region="-"),
    )  # fmt: skip
    return 6


@pytest.mark.parametrize("format", list(ExportFormat))
@pytest.mark.parametrize("personal", [True, False])
def test_exported_lines_read_back_leave_every_order_alone(format: ExportFormat, personal: bool) -> None:
    orders = business()
    export = make_export("order_lines", format, personal=personal)
    before = counted((Order, OrderLine, Address, Customer))

    run = check(path_of(export).read_bytes())

    assert problems_of(run) == []
    assert (run.profile, run.status, run.question) == (OWN.code, ImportStatus.CHECKED, {})
    assert list(run.staged.exclude(changes=[], plan=ImportPlan.KEEP).values("key", "changes")) == []
    assert run.staged.filter(plan=ImportPlan.KEEP).count() == orders
    assert counted((Order, OrderLine, Address, Customer)) == before


def test_changed_cell_of_the_same_file_is_seen() -> None:
    business()
    export = make_export("order_lines", ExportFormat.CSV_PLAIN, personal=True)
    text = path_of(export).read_bytes().decode().replace("Express", "Slow")

    run = check(text)

    assert list(run.staged.filter(plan=ImportPlan.UPDATE).values_list("key", flat=True)) == ["R-2"]


def test_lines_say_what_a_unit_price_cannot_as_discount() -> None:
    business()

    rows = [row for row in table_in(make_export("order_lines", personal=True)) if row["order"] == "R-2"]

    shown = (
        "sku",
        "quantity",
        "unit_amount",
        "line_discount_amount",
        "tax_rate",
        "shipping_amount",
        "total_amount",
    )
    assert list(rows[0]) == list(OWN.columns)
    assert [[row[name] for name in shown] for row in rows] == [
        ["GIFT", "3", "19.90", "5.97", "", "5.00", "67.73"],
        ["MUG", "3", "3.34", "0.02", "23", "5.00", "67.73"],
    ]


def test_event_tells_who_took_what_and_no_word_of_it() -> None:
    make_order()
    export = make_export("order_lines", query="q=rosa", personal=True)

    events = Event.objects.filter(thread_type="export", thread_id=export.pk).order_by("pk")

    assert [(one.kind, one.actor_id, one.facts) for one in events] == [
        (kind, export.actor_id, {"what": "order_lines", "format": "csv", "personal": True, **more})
        for kind, more in (("requested", {}), ("made", {"rows": 1}))
    ]
    assert neutral_order().buyer.name not in str(events.values())
