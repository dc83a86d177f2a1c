"""`manage.py intake`: files in, orders out, and the recorded orders of running shops to the cent."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.enums import ChannelKind
from orders.models import Order, RawOrder
from tests.channels import bodies
from tests.factories.orders import assert_sums_up, make_channel

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], code: str, *files: Any) -> tuple[str, str]:
    call_command("intake", code, *map(str, files))
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_intake_files_of_one_and_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_channel()
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    one.write_text(json.dumps(bodies.woo_order(id=1)))
    many.write_text(json.dumps({"orders": [bodies.woo_order(id=number) for number in (2, 3)]}))

    assert run(capsys, "shop", one, many) == ("3 accepted, 0 known already, 0 refused\n", "")
    assert run(capsys, "shop", one, many) == ("0 accepted, 3 known already, 0 refused\n", "")
    assert Order.objects.count() == 3


def test_intake_names_each_refusal_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_channel()
    bad, good, broken = tmp_path / "bad.json", tmp_path / "good.json", tmp_path / "broken.json"
    bad.write_text(json.dumps(bodies.woo_order(id=1, line_items=[])))
    good.write_text(json.dumps(bodies.woo_order(id=2)))
    broken.write_bytes(b"\xff\xfe{")

    with pytest.raises(CommandError, match="refused"):
        call_command("intake", "shop", str(bad), str(good), str(broken), str(tmp_path / "none.json"))

    captured = capsys.readouterr()
    assert captured.out == "1 accepted, 0 known already, 3 refused\n"
    assert [line.split(":")[0].rpartition("/")[2] for line in captured.err.splitlines()] == [
        "broken.json",
        "none.json",
        "bad.json#1",
    ]
    assert RawOrder.objects.filter(order=None).count() == 1


def test_intake_unknown_channel_names_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    make_channel()

    with pytest.raises(CommandError, match="there are: shop"):
        call_command("intake", "none", "x.json")


RECORDED = [
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "paid_mixed_tax_coupon.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "paid_simple.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "negative_fee.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "partial_line_refund.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "on_hold_unpaid.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "cancelled_before_shipping.json")),
    (ChannelKind.WOOCOMMERCE, ("woocommerce", "recorded_orders", "completed_with_tracking_meta.json")),
    (ChannelKind.WEB_SHOP, ("webshop_medusa", "recorded_order_open.json")),
]


@pytest.mark.parametrize(("kind", "parts"), RECORDED, ids=[parts[-1] for _kind, parts in RECORDED])
def test_intake_recorded_order_is_stored_to_the_cent(
    real_data: Any, capsys: pytest.CaptureFixture[str], kind: ChannelKind, parts: tuple[str, ...]
) -> None:
    make_channel(code="recorded", kind=kind)

    out, _err = run(capsys, "recorded", real_data("channels", *parts))

    order = Order.objects.get()
    assert out == "1 accepted, 0 known already, 0 refused\n"
    assert order.total_difference_amount == 0
    assert_sums_up(order)
    assert order.lines.count() > 0


def test_intake_recorded_shopify_orders_are_stored_to_the_cent(
    real_data: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make_channel(code="recorded", kind=ChannelKind.SHOPIFY)

    out, _err = run(capsys, "recorded", real_data("channels", "shopify", "graphql_store_small.json"))

    orders = list(Order.objects.all())
    assert out == f"{len(orders)} accepted, 0 known already, 0 refused\n"
    assert len(orders) >= 2
    for order in orders:
        assert order.total_difference_amount == 0
        assert_sums_up(order)
