"""Money: one field, one rounding helper, one exact split."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

# ISO 4217 minor units, where they are not 2. Source: ISO 4217:2015 list one.
_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
         "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip

ZERO = Decimal(0)


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """An amount with 18 digits and 4 decimals; its currency stands beside it on the row or on its parent.

    Never computed in SQL on a write: SQLite keeps decimals as floats.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 18
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"]
        del kwargs["decimal_places"]
        return name, path, args, kwargs


class CurrencyField(models.CharField):  # type: ignore[type-arg]
    """An ISO 4217 code in capitals."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)


def exponent(currency: str) -> int:
    """Decimal places of a currency's smallest coin (JPY 0, EUR 2, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


def coin(currency: str) -> Decimal:
    """The smallest coin: `Decimal("0.01")` for EUR."""
    return Decimal(1).scaleb(-exponent(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round half up (away from zero) to the currency's smallest coin."""
    return amount.quantize(coin(currency), rounding=ROUND_HALF_UP)


def split_amount(total: Decimal, weights: Sequence[Decimal | int], currency: str) -> tuple[Decimal, ...]:
    """Split `total` by weights so that the parts are whole coins and sum to it exactly.

    Largest remainder; ties go to the earlier part. All-zero weights count as equal. A `total` finer than
    the smallest coin keeps its rest on the first part.

    Raises `ValueError` for no weights or a negative one.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-empty and not negative")
    shares = [Decimal(weight) for weight in weights]
    whole = sum(shares, ZERO)
    if whole == 0:
        shares, whole = [Decimal(1)] * len(shares), Decimal(len(shares))
    unit = coin(currency)
    coins = int(abs(total) // unit)
    exact = [coins * share / whole for share in shares]
    given = [int(value) for value in exact]
    order = sorted(range(len(shares)), key=lambda i: (-(exact[i] - given[i]), i))
    for index in order[: coins - sum(given)]:
        given[index] += 1
    sign = 1 if total >= 0 else -1
    parts = [sign * count * unit for count in given]
    parts[0] += total - sum(parts, ZERO)
    return tuple(parts)


def round_sum(amount: Decimal | float | None) -> Decimal:
    """A database's sum of amounts, put back to 4 decimals (SQLite sums floats). Reports and audit only."""
    return Decimal(str(amount or 0)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
