"""The Northwind book through the verbs: totals to the cent, twice the same, every invariant kept."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel import clock
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput
from config.kernel.models import Event
from config.northwind.reading import read_book
from orders.models import Hold, Notification, Order

LOADED_AT = datetime(1998, 6, 1, tzinfo=UTC)


def load(folder: Path, **options: Any) -> str:
    out = StringIO()
    with clock.frozen(LOADED_AT):
        call_command("load_northwind", str(folder), stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_load_northwind_as_history_equals_facts_and_writes_no_mail(real_data: Any) -> None:
    folder = real_data("data", "northwind")

    said = load(folder, history=True)

    assert (
        "830 orders, 2155 lines, gross 1354458.59, net 1265793.04, freight 64942.69, 21 not shipped" in said
    )
    assert "Equal to facts.json" in said
    assert Order.objects.filter(is_history=True).count() == 809
    assert not Hold.objects.filter(order__is_history=True).exists()
    assert not Notification.objects.exists()
    with clock.frozen(LOADED_AT):
        assert [finding for finding in run_audit() if finding.violations] == []


@pytest.mark.postgres
@pytest.mark.django_db
def test_load_northwind_live_equals_facts_and_a_second_run_changes_nothing(real_data: Any) -> None:
    folder = real_data("data", "northwind")

    said = load(folder)
    events = Event.objects.count()

    assert "21 not shipped, 37 shipped late" in said
    assert "Equal to facts.json" in said
    assert load(folder).splitlines()[-1].startswith("Equal to facts.json")
    assert Event.objects.count() == events
    with clock.frozen(LOADED_AT):
        assert [finding for finding in run_audit() if finding.violations] == []


@pytest.mark.once
def test_read_book_names_file_row_column_and_value(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(
        "product_id,product_name,units_in_stock,reorder_level,discontinued\n1,Chai,many,10,0\n"
    )

    with pytest.raises(InvalidInput) as refusal:
        read_book(tmp_path)

    assert str(refusal.value) == (
        "products.csv, row 2, units_in_stock: “many” is not accepted; accepted is a whole number."
    )


@pytest.mark.django_db
def test_load_northwind_without_files_says_which_one_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"products\.csv"):
        load(tmp_path)

    assert not Order.objects.exists()
