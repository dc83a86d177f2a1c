"""What orders are called: their number and their references, whole or by the beginning. Each way has an index."""

import re
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from orders.enums import OrderStatus
from orders.models import Order

REFERENCES = ("external_id", "external_number")
# Typed on the way to a number: too short to be looked for inside words, where most would have to be read.
DOCUMENT = re.compile(r"[A-Za-z]-[0-9]*")


def spellings(word: str) -> list[str]:
    """A word as it is typed, in capitals and in small letters."""
    return sorted({word, word.upper(), word.lower()})


def named_by(column: str, text: str) -> Q:
    """Condition that a column of an order, or of anything else, is exactly this, in any case of letters."""
    named = Q(**{f"{column}__in": spellings(text)})
    return _of_valid(named) if column in REFERENCES else named


def is_called(word: str, columns: Sequence[str] = REFERENCES) -> Q:
    """Condition that an order's number, or one of these columns, is exactly this, in any case of letters."""
    named = Q()
    for column in columns:
        named |= Q(**{f"{column}__in": spellings(word)})
    return _of_valid(named) | named_by("number", word)


def begins_with(word: str) -> Q:
    """Condition that an order's number or a reference begins so."""
    named, number = Q(), Q()
    for spelling in spellings(word):
        number |= Q(number__startswith=spelling)
        for column in REFERENCES:
            named |= Q(**{f"{column}__startswith": spelling})
    return _of_valid(named) | number


def called(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders whose number or channel reference is exactly this, in any case of letters."""
    return rows.filter(is_called(text))


def _of_valid(named: Q) -> Q:
    # References are indexed for orders that count; a void one is found by its number.
    return named & ~Q(status=OrderStatus.VOID)
