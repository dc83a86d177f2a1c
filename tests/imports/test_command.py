"""`import_orders`: what it says, and how it ends."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order
from tests.factories.imports import make_skus, row, text_of
from tests.factories.orders import make_channel

pytestmark = pytest.mark.django_db


def run(path: Path, *rows: str, **options: object) -> tuple[list[str], list[str]]:
    """What it said and what it complained about."""
    path.write_text(text_of(*rows))
    said, complained = io.StringIO(), io.StringIO()
    call_command("import_orders", str(path), channel="web", stdout=said, stderr=complained, **options)
    return said.getvalue().splitlines(), complained.getvalue().splitlines()


def test_command_counts_one_and_several_in_words_and_money_in_coins(tmp_path: Path) -> None:
    make_channel(code="web")
    make_skus()

    one, _none = run(tmp_path / "one.csv", row("W-1", quantity="1"), apply="all-or-nothing", finish=True)
    two, _none = run(tmp_path / "two.csv", row("W-2"), row("W-3"))

    assert one[1].startswith("checked 1 row in ")
    assert one[2] == "  create: 1 order, 1 unit, 10.00 EUR"
    assert one[3].endswith(": 1 order made")
    assert one[4] == "finished"
    assert two[1].startswith("checked 2 rows in ")
    assert two[2] == "  create: 2 orders, 4 units, 40.00 EUR"
    assert [order.external_id for order in Order.objects.all()] == ["W-1"]


def test_command_tells_the_rows_with_problems_and_ends_as_failed(tmp_path: Path) -> None:
    make_channel(code="web")
    make_skus()

    with pytest.raises(CommandError, match=r"^orders or rows with problems: 1$") as ended:
        run(tmp_path / "bad.csv", row("W-1"), row("W-2", quantity="0"))

    assert ended.value.returncode == 1
    assert Order.objects.count() == 0
