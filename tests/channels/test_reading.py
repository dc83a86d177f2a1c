from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from channels.adapters import read_order
from channels.adapters.reading import Reader, parse_json, to_decimal
from channels.errors import NoAdapter, PayloadError
from orders.enums import ChannelKind

pytestmark = pytest.mark.once


def refusal_of(body: dict[str, Any], method: str, **options: Any) -> PayloadError:
    with pytest.raises(PayloadError) as refused:
        getattr(Reader(body, "items[2]"), method)("field", **options)
    return refused.value


def test_parse_json_fraction_keeps_every_digit() -> None:
    reader = parse_json(b'{"total": 48.31400000000000000001, "half": 2.675}')

    assert reader.decimal("total") == Decimal("48.31400000000000000001")
    assert reader.amount("half", "EUR") == Decimal("2.68")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff\xfe{"])
def test_parse_json_not_an_object_refused(raw: bytes) -> None:
    with pytest.raises(PayloadError) as refused:
        parse_json(raw)

    assert refused.value.facts["field"] == "body"


def test_parse_json_deep_nesting_refused() -> None:
    with pytest.raises(PayloadError):
        parse_json("[" * 100_000)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12.50", "12.50"),
        (" 7 ", "7"),
        (7, "7"),
        (Decimal("0.1"), "0.1"),
        (0.1, "0.1"),
        (48.314, "48.314"),
        (1e-7, "1E-7"),
        ("-0.95", "-0.95"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_to_decimal_number_is_exact(value: object, number: str) -> None:
    assert to_decimal(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "  ", "1,50", "abc", "NaN", "Infinity", float("inf"), 1e15, "1e999999", [], {}],
)
def test_to_decimal_no_amount_gives_none(value: object) -> None:
    assert to_decimal(value) is None


@pytest.mark.parametrize(
    ("method", "value", "options"),
    [
        ("decimal", "ten", {}),
        ("amount", {"amount": "1"}, {"currency": "EUR"}),
        ("quantity", "1.5", {}),
        ("quantity", -1, {}),
        ("quantity", 0, {"least": 1}),
        ("quantity", 2**31, {}),
        ("quantity", True, {}),
        ("boolean", "true", {}),
        ("identifier", "  ", {}),
        ("identifier", 1.5, {}),
        ("currency", "EURO", {}),
        ("currency", None, {}),
        ("maybe_text", {"a": 1}, {}),
        ("utc", "2026-03-01T10:00:00", {}),
        ("utc", "0000-00-00T00:00:00Z", {}),
        ("utc", "0001-01-01T00:00:00+10:00", {}),
        ("utc", 1772359200, {}),
        ("child", "text", {}),
        ("children", {"edges": 1}, {}),
    ],
)
def test_read_wrong_type_names_path_value_and_accepted(
    method: str, value: object, options: dict[str, Any]
) -> None:
    refusal = refusal_of({"field": value}, method, **options)

    assert refusal.code == "payload_invalid"
    assert refusal.facts["field"] == "items[2].field"
    assert refusal.facts["value"]
    assert "accepted" in str(refusal)


@pytest.mark.parametrize(
    "method", ["decimal", "quantity", "boolean", "identifier", "currency", "utc", "child"]
)
def test_read_missing_field_says_missing(method: str) -> None:
    assert refusal_of({}, method).facts["value"] == "missing"


def test_read_list_with_text_names_the_place() -> None:
    with pytest.raises(PayloadError) as refused:
        Reader({"rows": [{}, "x"]}, "order").children("rows")

    assert refused.value.facts["field"] == "order.rows[1]"


def test_refuse_long_value_is_cut_to_80_characters() -> None:
    shown = refusal_of({"field": "x" * 500}, "decimal").facts["value"]

    assert len(shown) == 80
    assert shown.endswith("…")


def test_read_optional_field_absent_is_empty() -> None:
    reader = Reader({"empty": "", "null": None, "php": []})

    assert reader.maybe_text("gone") == ""
    assert reader.maybe_decimal("empty") is None
    assert reader.maybe_amount("null", "EUR") is None
    assert reader.maybe_child("php") is None
    assert reader.maybe_children("null") == ()
    assert reader.maybe_utc("gone") is None
    assert reader.maybe_boolean("null", otherwise=True) is True


def test_read_text_drops_what_a_database_refuses() -> None:
    assert parse_json('{"name": " A\\u0000da \\ud800 "}').maybe_text("name") == "Ada ?"


def test_read_time_gives_utc() -> None:
    reader = Reader({"zoned": "2026-03-01T11:00:00+01:00", "naive": "2026-03-01T10:00:00"})

    assert reader.utc("zoned") == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert reader.utc("naive", naive_is_utc=True) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert reader.utc("zoned").tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "code"), [("de", "DE"), ("IT", "IT"), ("Germany", ""), (None, ""), ("ÄÖ", ""), ("1A", "")]
)
def test_read_country_only_takes_codes(value: object, code: str) -> None:
    assert Reader({"country": value}).maybe_country("country") == code


def test_read_order_kind_without_adapter_refused() -> None:
    with pytest.raises(NoAdapter) as refused:
        read_order(ChannelKind.PHONE, {})

    assert "WooCommerce" in str(refused.value)
