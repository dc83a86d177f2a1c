"""Finding orders by what people know of them. Each lookup has an index, whatever the number of orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet, Value

from inventory.models import Barcode, Sku
from orders.enums import OrderStatus
from orders.models import Order, OrderLine, SkuAlias
from orders.search_texts import phone_part

MOST_WORDS = 6
MOST_HITS = 500
SHORTEST_INNER = 3
_EXACT = ("number", "external_id", "external_number", "email")

# Spellings in, rows of (what is printed, order id) out: how upper rooms add what they print on an order's goods.
OrderFinder = Callable[[set[str]], "QuerySet[Any, tuple[Any, ...]]"]
_finders: list[OrderFinder] = []


def register_order_finder(finder: OrderFinder) -> None:
    """Let orders be found by the documents of an upper room: called once, in `AppConfig.ready`."""
    _finders.append(finder)


@dataclass
class _Hits:
    """What one word names: SKUs of ours, and orders by something printed on them or on their goods."""

    skus: set[int] = field(default_factory=set)
    orders: set[int] = field(default_factory=set)


def search_orders(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Orders that every word fits: number, channel reference, e-mail, name, telephone, SKU, barcode, tracking number.

    A word that is exactly a number, a reference or an e-mail means only that. Any other fits a part of a name,
    an e-mail, a reference or a telephone number, the beginning of a SKU, and barcodes and tracking numbers
    whole. Two statements before the list's own, however many words.
    """
    phone = phone_part(text)
    words = [phone] if phone and " " in text.strip() else list(dict.fromkeys(text.split()))[:MOST_WORDS]
    if not words:
        return rows
    exact = _exact(words)
    hits = _hits([word for word in words if word not in exact])
    for word in words:
        rows = rows.filter(_is_exactly(word) if word in exact else _fits(word, hits[word]))
    return rows


def _spellings(word: str) -> set[str]:
    return {word, word.upper(), word.lower()}


def _is_exactly(word: str) -> Q:
    named = Q()
    for column in _EXACT:
        named |= Q(**{f"{column}__in": _spellings(word)})
    return named & ~Q(status=OrderStatus.VOID) | Q(number__in=_spellings(word))


def _exact(words: Sequence[str]) -> set[str]:
    named = Q()
    for word in words:
        named |= _is_exactly(word)
    found = Order.objects.filter(named).order_by().values_list(*_EXACT)[:MOST_HITS]
    told = {value for row in found for value in row}
    return {word for word in words if not told.isdisjoint(_spellings(word))}


def _hits(words: Sequence[str]) -> Mapping[str, _Hits]:
    """SKUs, unknown SKUs and printed numbers that the words name, all by one statement."""
    hits = {word: _Hits() for word in words}
    if not words:
        return hits
    for kind, stated, pk in _named(words)[:MOST_HITS]:
        for word, hit in hits.items():
            begins = stated.upper().startswith(word.upper())
            if begins and (kind in {"sku", "line"} or len(stated) == len(word)):
                (hit.orders if kind in {"line", "printed"} else hit.skus).add(pk)
    return hits


def _named(words: Sequence[str]) -> QuerySet[Any, tuple[Any, ...]]:
    spelled = {spelling for word in words for spelling in _spellings(word)}
    begins, sent = Q(), Q()
    for spelling in spelled:
        begins |= Q(code__startswith=spelling)
        sent |= Q(sku_code__startswith=spelling)
    parts: list[QuerySet[Any, tuple[Any, ...]]] = [_part("printed", finder(spelled)) for finder in _finders]
    parts += [
        _part("code", Barcode.objects.filter(code__in=spelled).values_list("code", "sku_id")),
        _part("code", SkuAlias.objects.filter(code__in=spelled).values_list("code", "sku_id")),
        _part("line", OrderLine.objects.filter(sent, sku=None).values_list("sku_code", "order_id")),
    ]
    ours = _part("sku", Sku.objects.filter(begins).values_list("code", "pk"))
    named: QuerySet[Any, tuple[Any, ...]] = ours.union(*parts, all=True)
    return named


def _part(kind: str, found: "QuerySet[Any, tuple[Any, ...]]") -> "QuerySet[Any, tuple[Any, ...]]":
    names = list(found.query.values_select) or ["pk"]
    part: QuerySet[Any, tuple[Any, ...]] = found.order_by().annotate(kind=Value(kind))
    return part.values_list("kind", *names)


def _fits(word: str, hit: _Hits) -> Q:
    own = _inner(word)
    if not hit.skus and not hit.orders:
        return own
    # A list of keys, so that each part is read through its own index.
    ids = Order.objects.filter(own).order_by().values("pk")
    if hit.skus:
        ids = ids.union(OrderLine.objects.filter(sku__in=hit.skus).order_by().values("order_id"))
    if hit.orders:
        ids = ids.union(Order.objects.filter(pk__in=hit.orders).order_by().values("pk"))
    return Q(pk__in=ids)


def _inner(word: str) -> Q:
    part = (phone_part(word) or word).upper()
    if len(part) >= SHORTEST_INNER:
        return Q(search_text__contains=part)
    return Q(search_text__startswith=part) | Q(search_text__contains=f" {part}")
