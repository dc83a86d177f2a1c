"""The SKUs of the catalogue that something unknown most likely is, by its code and its title."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Prefetch, Q, Value, When
from django.db.models.functions import Replace, Upper

from inventory.models import Barcode, Sku

# Of a catalogue that answers with more, the likeliest are read.
MOST_READ = 200
MOST_WORDS = 4
SHORTEST_WORD = 2
SHORTEST_START = 3
# Below these, a likeness is chance.
ALIKE_CODES, ALIKE_TITLES = 0.7, 0.4


@dataclass(frozen=True, slots=True)
class Unknown:
    """What somebody else calls goods; either may be empty."""

    code: str
    title: str


def closest_skus(unknown: Sequence[Unknown], *, limit: int = 4) -> list[list[Sku]]:
    """Of each, at most `limit` active SKUs, the likeliest first; two statements for all, at most 200 SKUs."""
    conditions = [ways for one in unknown if (ways := _conditions(one))]
    if not conditions:
        return [[] for _one in unknown]
    same, all_words, start, any_word = (reduce(or_, alike) for alike in zip(*conditions, strict=True))
    likeness = Case(
        *(When(way, then=Value(place)) for place, way in enumerate((same, all_words, start))),
        default=Value(3),
        output_field=IntegerField(),
    )
    flat: Any = Upper(F("code"))
    for sign in "-_ ./":
        flat = Replace(flat, Value(sign))
    told = Barcode.objects.filter(code__in={one.code.strip() for one in unknown})
    rows = Sku.objects.filter(is_active=True).annotate(flat=flat).prefetch_related(Prefetch("barcodes", told))
    found = list(rows.filter(same | all_words | start | any_word).order_by(likeness, "code")[:MOST_READ])
    return [_likeliest(one, found)[:limit] for one in unknown]


def _conditions(one: Unknown) -> tuple[Q, Q, Q, Q] | None:
    """Whose code or barcode it is, whose title has all its words, whose code begins alike, whose title has one."""
    code, words = _flat(one.code), sorted(_words(one.title), key=lambda word: (-len(word), word))[:MOST_WORDS]
    if not code and not words:
        return None
    none = Q(pk__in=())
    has = [Q(title__icontains=word) for word in words]
    start = code[: max(SHORTEST_START, len(code) // 2)]
    barcode = Q(Exists(Barcode.objects.filter(sku=OuterRef("pk"), code=one.code.strip())))
    return (
        Q(flat=code) | barcode if code else none,
        reduce(and_, has) if has else none,
        Q(flat__startswith=start) if len(start) >= SHORTEST_START else none,
        reduce(or_, has) if has else none,
    )


def _likeliest(one: Unknown, rows: Sequence[Sku]) -> list[Sku]:
    code, words = _flat(one.code), _words(one.title)
    scored = [(_score(one, code, words, sku), sku) for sku in rows]
    likely = [(score, sku) for score, sku in scored if score > 0]
    return [sku for _score, sku in sorted(likely, key=lambda pair: (-pair[0], pair[1].code))]


def _score(one: Unknown, code: str, words: frozenset[str], sku: Sku) -> float:
    if any(barcode.code == one.code.strip() for barcode in sku.barcodes.all()):
        return 1.0
    return max(_codes(code, _flat(sku.code)), _titles(words, _words(sku.title)))


def _codes(one: str, other: str) -> float:
    match = SequenceMatcher(None, one, other)
    score = match.ratio() if one and match.quick_ratio() >= ALIKE_CODES else 0.0
    return score if score >= ALIKE_CODES else 0.0


def _titles(one: frozenset[str], other: frozenset[str]) -> float:
    """How many of the words of both are common to them."""
    score = 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
    return score if score >= ALIKE_TITLES else 0.0


def _flat(code: str) -> str:
    """A code without its separators and in capitals: `jug_05` is `JUG-05`."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


def _words(title: str) -> frozenset[str]:
    text = "".join(sign if sign.isalnum() else " " for sign in title.casefold())
    return frozenset(word for word in text.split() if len(word) >= SHORTEST_WORD)
