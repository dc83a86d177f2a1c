"""Finding orders by what people know of them. Each lookup has an index, whatever the number of orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from config.kernel.fastpath import AmongFew
from config.kernel.together import read_together
from inventory.models import Barcode, Sku
from orders.models import Order, OrderLine, SkuAlias
from orders.search_texts import phone_part
from orders.selectors.numbers import DOCUMENT, REFERENCES, begins_with, is_called, spellings

MOST_WORDS = 6
# So many orders of one word are read by their keys; of more, the newest are soon met on the way through the list.
FEW = 1000
SHORTEST_INNER = 3

# Spellings in, rows of (what is printed, order id) out: how upper rooms add what they print on an order's goods.
OrderFinder = Callable[[set[str]], "QuerySet[Any, tuple[Any, ...]]"]
_finders: list[OrderFinder] = []


def register_order_finder(finder: OrderFinder) -> None:
    """Let orders be found by the documents of an upper room: called once, in `AppConfig.ready`."""
    _finders.append(finder)


@dataclass(frozen=True, slots=True)
class _Way:
    """Columns that name an order exactly, and what of its own text a word may be the beginning or a part of."""

    exact: tuple[str, ...]
    own: Callable[[str], Q]


# Ids of the orders that a word names; None where they are more than few.
_Ids = set[int] | None


def search_orders(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders that every word fits: number, channel reference, e-mail, name, telephone, SKU, barcode, tracking number.

    A word that is exactly a number, a reference or an e-mail means only that. Any other fits a part of a name,
    an e-mail, a reference or a telephone number, the beginning of a SKU, and barcodes and tracking numbers
    whole. Two statements before the list's own, however many words (more on SQLite).
    """
    phone = phone_part(text)
    words = [phone] if phone and " " in text.strip() else _words(text)
    return _search(rows, words, _Way((*REFERENCES, "email"), _inner))


def search_numbers(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """The same without asking anything of the buyer: by the beginning of a number or a reference, and by goods."""
    return _search(rows, _words(text), _Way(REFERENCES, begins_with))


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(text.split()))[:MOST_WORDS]


def _search(rows: QuerySet[Order], words: Sequence[str], way: _Way) -> QuerySet[Order]:
    if not words:
        return rows
    exact = _exact(words, way)
    fitting = _fitting([word for word in words if word not in exact], way)
    for word in words:
        rows = rows.filter(exact[word] if word in exact else fitting[word])
    return rows


def _exact(words: Sequence[str], way: _Way) -> Mapping[str, Q]:
    """The condition of each word that is exactly what an order is called; one statement."""
    named = Q()
    for word in words:
        named |= is_called(word, way.exact)
    columns = ("number", *way.exact)
    hits = list(Order.objects.filter(named).order_by().values_list("pk", *columns)[: FEW + 1])
    found: dict[str, Q] = {}
    for word in words:
        spelled = set(spellings(word))
        ids = {pk for pk, *told in hits if not spelled.isdisjoint(told)}
        if ids:
            found[word] = Q(AmongFew("id", ids)) if len(hits) <= FEW else is_called(word, way.exact)
    return found


def _fitting(words: Sequence[str], way: _Way) -> Mapping[str, Q]:
    """The condition of each other word, by keys where its orders are few; all by one statement."""
    if not words:
        return {}
    parts = [finder({one for word in words for one in spellings(word)}) for finder in _finders]
    for word in words:
        parts += [
            Order.objects.filter(way.own(word)).order_by().values_list("pk"),
            _orders_with(_known(word)).union(_orders_with(_unknown(word)), all=True),
        ]
    read = read_together([part[: FEW + 1] for part in parts])
    printed = [pair for pairs in read[: len(_finders)] for pair in pairs]
    by_word = iter(read[len(_finders) :])
    found = {}
    for word in words:
        own, goods = _few(next(by_word)), _few(next(by_word))
        named = {pk for number, pk in printed if number in spellings(word)}
        found[word] = _fits(word, way, own, goods, named)
    return found


def _few(rows: Sequence[tuple[int]]) -> _Ids:
    return {pk for (pk,) in rows} if len(rows) <= FEW else None


def _fits(word: str, way: _Way, own: _Ids, goods: _Ids, printed: set[int]) -> Q:
    few = printed | (own or set()) | (goods or set())
    named = Q(AmongFew("id", few)) if few else Q()
    if own is None:
        named |= way.own(word)
    if goods is not None:
        return named if named else Q(pk__in=())
    if not named:
        return Q(pk__in=_orders_with(_known(word) | _unknown(word)))
    return named | Q(Exists(OrderLine.objects.filter(_known(word) | _unknown(word), order=OuterRef("pk"))))


def _orders_with(named: Q) -> "QuerySet[Any, tuple[Any, ...]]":
    """Orders of such lines."""
    return OrderLine.objects.filter(named).order_by().values_list("order")


def _known(word: str) -> Q:
    """Condition that a line is of a SKU that begins so, or has this barcode or alias."""
    begins = Q()
    for spelling in spellings(word):
        begins |= Q(code__startswith=spelling)
    skus = Sku.objects.filter(begins).order_by().values("pk")
    others = (
        rows.objects.filter(code__in=spellings(word)).order_by().values("sku") for rows in (Barcode, SkuAlias)
    )
    return Q(sku__in=skus.union(*others, all=True))


def _unknown(word: str) -> Q:
    """Condition that a line has no SKU of ours, and what the channel sent begins so."""
    begins = Q()
    for spelling in spellings(word):
        begins |= Q(sku_code__startswith=spelling)
    return begins & Q(sku=None)


def _inner(word: str) -> Q:
    if DOCUMENT.fullmatch(word):
        return begins_with(word)
    part = (phone_part(word) or word).upper()
    if len(part) >= SHORTEST_INNER:
        return Q(search_text__contains=part)
    return Q(search_text__startswith=part) | Q(search_text__contains=f" {part}")
