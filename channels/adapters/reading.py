"""Typed readers of a channel's JSON: every refusal names the path, the value and what is accepted."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.errors import MISSING, PayloadError
from config.kernel.languages import filled
from config.kernel.money import round_money
from config.kernel.texts import storable

# 18 digits with 4 decimals is what a stored amount holds.
_WHOLE_DIGITS = 14
# What a payment's provider may measure: a gateway's longer display name is cut, not refused.
PROVIDER_LENGTH = 60


def parse_json(raw: bytes | str) -> "Reader":
    """The reader of a body that must be one JSON object; its fractions become `Decimal` digit by digit.

    Raises `PayloadError` for text that is no JSON object, NaN and infinities included.
    """
    try:
        body = json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        shown = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        raise PayloadError("body", shown, _("accepted is JSON text")) from error
    return reader_of(body)


def reader_of(body: object) -> "Reader":
    """The reader of an already parsed body; refuses anything but an object."""
    if not isinstance(body, Mapping):
        raise PayloadError("body", body, _("accepted is an object"))
    return Reader(body)


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def to_decimal(value: object) -> Decimal | None:
    """A number as `Decimal`, or None when it is none or too large to store as money.

    A binary float is taken by its shortest text, which is what the sender wrote up to 17 digits.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = repr(value) if math.isfinite(value) else None
    if isinstance(value, str):
        value = value.strip()
    if not isinstance(value, str | int | Decimal) or value == "":
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and number.adjusted() < _WHOLE_DIGITS else None


def clean(text: str) -> str:
    """Text as it can be stored, without outer spaces."""
    return storable(text).strip()


@dataclass(frozen=True, slots=True)
class Reader:
    """One object of a body and where it stands.

    Methods named after a type demand the field; `maybe_` ones read an absent or null field as empty and still
    refuse a wrong type.
    """

    body: Mapping[str, object]
    path: str = ""

    def field(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.body.get(name) is not None

    def refuse(self, name: str, accepted: str | Promise) -> PayloadError:
        return PayloadError(self.field(name), self.body.get(name, MISSING), accepted)

    # Text

    def maybe_text(self, name: str) -> str:
        value = self.body.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise self.refuse(name, _("accepted is text"))
        return clean(str(value))

    def first_text(self, *names: str) -> str:
        """The first of several fields that says something; empty when none does."""
        return next((text for text in map(self.maybe_text, names) if text), "")

    def identifier(self, name: str) -> str:
        """A key given as text or whole number."""
        value = self.body.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int) or not clean(str(value)):
            raise self.refuse(name, _("accepted is text or a whole number"))
        return clean(str(value))

    def maybe_country(self, *names: str) -> str:
        """An ISO 3166-1 alpha-2 code in capitals, or empty: a name is no code and nothing is guessed."""
        code = self.first_text(*names).upper()
        return code if len(code) == 2 and code.isascii() and code.isalpha() else ""

    def currency(self, name: str) -> str:
        value = self.body.get(name)
        code = value.strip().upper() if isinstance(value, str) else ""
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise self.refuse(name, _("accepted is a currency code of three letters, such as EUR"))
        return code

    def boolean(self, name: str) -> bool:
        value = self.body.get(name)
        if not isinstance(value, bool):
            raise self.refuse(name, _("accepted is true or false"))
        return value

    def maybe_boolean(self, name: str, *, otherwise: bool) -> bool:
        return self.boolean(name) if self.has(name) else otherwise

    # Numbers

    def decimal(self, name: str) -> Decimal:
        number = to_decimal(self.body.get(name))
        if number is None:
            raise self.refuse(name, _("accepted is a number below 100 trillion"))
        return number

    def maybe_decimal(self, name: str) -> Decimal | None:
        """None for an absent, null or empty field."""
        return None if self.body.get(name) in (None, "") else self.decimal(name)

    def amount(self, name: str, currency: str) -> Decimal:
        """An amount in whole coins of the currency."""
        return round_money(self.decimal(name), currency)

    def maybe_amount(self, name: str, currency: str) -> Decimal | None:
        number = self.maybe_decimal(name)
        return None if number is None else round_money(number, currency)

    def quantity(self, name: str, *, least: int = 0) -> int:
        """Whole units, at least `least`; 3.0 counts as 3."""
        number = to_decimal(self.body.get(name))
        if number is None or number != number.to_integral_value() or not least <= number <= 2**31 - 1:
            raise self.refuse(name, filled(_("accepted are whole units, from %(least)s"), {"least": least}))
        return int(number)

    def maybe_quantity(self, name: str, *, otherwise: int) -> int:
        return self.quantity(name) if self.has(name) else otherwise

    # Times

    def utc(self, name: str, *, naive_is_utc: bool = False) -> datetime:
        """An aware UTC time from ISO 8601 text; text without a zone is refused unless it is known to be UTC."""
        value = self.body.get(name)
        accepted = _("accepted is a time such as 2026-11-20T08:00:00Z")
        if not isinstance(value, str):
            raise self.refuse(name, accepted)
        try:
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is None:
                if not naive_is_utc:
                    raise self.refuse(name, accepted)
                moment = moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.refuse(name, accepted) from error

    def maybe_utc(self, name: str, *, naive_is_utc: bool = False) -> datetime | None:
        return self.utc(name, naive_is_utc=naive_is_utc) if self.has(name) else None

    # Parts

    def child(self, name: str) -> "Reader":
        value = self.body.get(name)
        if not isinstance(value, Mapping):
            raise self.refuse(name, _("accepted is an object"))
        return Reader(value, self.field(name))

    def maybe_child(self, name: str) -> "Reader | None":
        # PHP sends an empty object as an empty array.
        return None if self.body.get(name) in (None, []) else self.child(name)

    def children(self, name: str) -> tuple["Reader", ...]:
        value = self.body.get(name)
        if not isinstance(value, list | tuple):
            raise self.refuse(name, _("accepted is a list of objects"))
        for index, entry in enumerate(value):
            if not isinstance(entry, Mapping):
                raise PayloadError(f"{self.field(name)}[{index}]", entry, _("accepted is an object"))
        return tuple(Reader(entry, f"{self.field(name)}[{index}]") for index, entry in enumerate(value))

    def maybe_children(self, name: str) -> tuple["Reader", ...]:
        return self.children(name) if self.has(name) else ()
