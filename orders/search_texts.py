"""What an order is found by, as one text: its own snapshot, so that a search reads one column of one table. Pure."""

import re
from collections.abc import Iterable

_TELEPHONE = re.compile(r"[\d\s()+./-]+")
# Country code or trunk zero apart, numbers agree in their last digits.
PHONE_DIGITS = 9
SHORTEST_PHONE = 6


def search_text(
    *,
    names: Iterable[str] = (),
    email: str = "",
    phones: Iterable[str] = (),
    references: Iterable[str] = (),
    known: str = "",
) -> str:
    """Upper case, each word once, telephone numbers as digits; `known` is what was there before."""
    words = [*known.split(), *references, *(word for name in names for word in name.split()), email]
    words += [digits_of(phone) for phone in phones]
    return " ".join(dict.fromkeys(filter(None, map(str.upper, map(str.strip, words)))))


def with_customer(known: str, *, name: str, phone: str) -> str:
    """The text of an order of a customer who is called so here, whatever its channel goes on calling them."""
    return search_text(known=known, names=(name,), phones=(phone,))


def other_email(known: str, *, before: str, after: str) -> str:
    """The text of an order whose e-mail address was corrected: it is not found by the former one any more."""
    rest = [word for word in known.split() if word != before.upper()]
    return search_text(known=" ".join(rest), email=after)


def digits_of(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def phone_part(text: str) -> str:
    """The digits that a telephone number is found by; "" for a text that is none."""
    digits = digits_of(text)
    is_phone = len(digits) >= SHORTEST_PHONE and _TELEPHONE.fullmatch(text)
    return digits[-PHONE_DIGITS:] if is_phone else ""
