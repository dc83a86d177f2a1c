"""Which location gives what to which order, and why: a pure function of plain values.

How much: every claim of a SKU stands in one queue (highest priority first, then oldest, then number). A claim
may take at most what is free at the shipping locations less all units that claims before it ask for.
Where: the fewest locations that give what may be taken, then the fewest shares, then the locations' preference.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from orders.split_planner import choose_locations

LAST = 2**63


class Outcome(StrEnum):
    WHOLE = "whole"
    SPLIT = "split"
    PARTIAL = "partial"
    BACKORDERED = "backordered"
    NOTHING = "nothing"


class Reason(StrEnum):
    """Why a location was or was not fit to give everything, and why units have to wait."""

    HAS_ALL = "has_all"
    HAS_SOME = "has_some"
    HAS_NOTHING = "nothing"
    NOT_SHIPPING = "not_shipping"
    NO_STOCK = "no_stock"
    QUEUE_AHEAD = "queue_ahead"
    UNKNOWN_SKU = "unknown_sku"


@dataclass(frozen=True, slots=True)
class Turn:
    """A claim's place in its SKU's queue; `number` is the waiting reservation's pk, `LAST` for a new claim."""

    priority: int
    queued_at: datetime
    number: int = LAST

    @property
    def key(self) -> tuple[int, datetime, int]:
        return -self.priority, self.queued_at, self.number


class Wish(NamedTuple):
    """Units of one SKU that one part of an order asks for; `key` is the caller's name for it."""

    key: int
    sku_id: int
    quantity: int
    turn: Turn


@dataclass(frozen=True, slots=True)
class Demand:
    """All that one order asks for now; `favoured` location ids are asked before any other, in that order."""

    order_id: int
    wishes: tuple[Wish, ...]
    favoured: tuple[int, ...] = ()


class Stand(NamedTuple):
    """Free units of a SKU at a location, negative where a loss bit into the buffer."""

    sku_id: int
    location_id: int
    free: int


@dataclass(frozen=True, slots=True)
class Place:
    """A location; lower `preference` is asked first, ties by id."""

    location_id: int
    preference: int = 100
    can_ship: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units of a SKU that somebody outside this problem stands in line for."""

    sku_id: int
    quantity: int
    turn: Turn


@dataclass(frozen=True, slots=True)
class Problem:
    """Orders in the sequence in which they may choose; orders of equal turn are served in it too."""

    demands: tuple[Demand, ...]
    stands: tuple[Stand, ...]
    places: tuple[Place, ...]
    waiting: tuple[Waiting, ...] = ()


class Share(NamedTuple):
    """Units that a wish gets from one location."""

    key: int
    sku_id: int
    location_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Units of a wish that wait: nothing free, or free units that `ahead` units before it in line are owed."""

    key: int
    sku_id: int
    quantity: int
    reason: Reason
    ahead: int = 0


class Candidate(NamedTuple):
    """What a location could have given: `have` of the `asked` units of the order."""

    location_id: int
    reason: Reason
    have: int
    asked: int


@dataclass(frozen=True, slots=True)
class Decision:
    order_id: int
    outcome: Outcome
    shares: tuple[Share, ...]
    missing: tuple[Missing, ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision a demand, in the same sequence."""

    decisions: tuple[Decision, ...]


class _Allowance(NamedTuple):
    """What a wish may take, and how many units stood before it."""

    quantity: int
    ahead: int


Free = dict[tuple[int, int], int]


def plan(problem: Problem) -> Plan:
    """Decide all demands of a problem, each one's shares gone before the next is looked at."""
    shipping = {place.location_id for place in problem.places if place.can_ship}
    usual = _in_preference(problem.places, ())
    allowed = _allowances(problem, shipping)
    free: Free = {(stand.sku_id, stand.location_id): max(0, stand.free) for stand in problem.stands}
    return Plan(
        tuple(
            _decide(
                demand,
                allowed,
                free,
                _in_preference(usual, demand.favoured) if demand.favoured else usual,
            )
            for demand in problem.demands
        )
    )


def _allowances(problem: Problem, shipping: set[int]) -> dict[int, _Allowance]:
    left: dict[int, int] = defaultdict(int)
    for stand in problem.stands:
        if stand.location_id in shipping:
            left[stand.sku_id] += max(0, stand.free)
    line: list[Waiting | Wish] = [*problem.waiting]
    for demand in problem.demands:
        line.extend(demand.wishes)
    line.sort(key=lambda claim: claim.turn.key)  # stable: equal turns keep their sequence
    ahead: dict[int, int] = defaultdict(int)
    allowed = {}
    for claim in line:
        if isinstance(claim, Wish):
            taken = min(claim.quantity, max(0, left[claim.sku_id]))
            allowed[claim.key] = _Allowance(taken, ahead[claim.sku_id])
            ahead[claim.sku_id] += claim.quantity - taken
        else:
            ahead[claim.sku_id] += claim.quantity
        left[claim.sku_id] -= claim.quantity
    return allowed


def _in_preference(places: Iterable[Place], favoured: Sequence[int]) -> list[Place]:
    rank = {location_id: number for number, location_id in enumerate(favoured)}
    return sorted(
        places,
        key=lambda place: (rank.get(place.location_id, len(rank)), place.preference, place.location_id),
    )


def _decide(
    demand: Demand, allowed: Mapping[int, _Allowance], free: Free, places: Sequence[Place]
) -> Decision:
    """Decide one demand and take its shares out of `free`."""
    candidates = tuple(_candidates(demand, free, places))
    needs: dict[int, int] = defaultdict(int)
    for wish in demand.wishes:
        needs[wish.sku_id] += allowed[wish.key].quantity
    shipping = [place.location_id for place in places if place.can_ship]
    shares = tuple(_deal(demand.wishes, allowed, choose_locations(needs, free, shipping)))
    for share in shares:
        free[share.sku_id, share.location_id] -= share.quantity
    missing = tuple(_missing(demand.wishes, allowed, free, shipping))
    return Decision(demand.order_id, _outcome(shares, missing), shares, missing, candidates)


def _deal(
    wishes: Iterable[Wish], allowed: Mapping[int, _Allowance], chosen: Mapping[int, Sequence[tuple[int, int]]]
) -> Iterator[Share]:
    """Hand the chosen units of each SKU to its wishes in turn."""
    piles = {sku_id: list(given) for sku_id, given in chosen.items()}
    for wish in wishes:
        wanted = allowed[wish.key].quantity
        while wanted:
            place, there = piles[wish.sku_id].pop(0)
            taken = min(wanted, there)
            yield Share(wish.key, wish.sku_id, place, taken)
            wanted -= taken
            if there > taken:
                piles[wish.sku_id].insert(0, (place, there - taken))


def _missing(
    wishes: Iterable[Wish], allowed: Mapping[int, _Allowance], free: Free, shipping: Sequence[int]
) -> Iterator[Missing]:
    for wish in wishes:
        allowance = allowed[wish.key]
        if allowance.quantity < wish.quantity:
            is_there = any(free.get((wish.sku_id, place), 0) > 0 for place in shipping)
            yield Missing(
                wish.key,
                wish.sku_id,
                wish.quantity - allowance.quantity,
                Reason.QUEUE_AHEAD if allowance.ahead > 0 and is_there else Reason.NO_STOCK,
                allowance.ahead,
            )


def _candidates(demand: Demand, free: Free, places: Iterable[Place]) -> Iterator[Candidate]:
    needs: dict[int, int] = defaultdict(int)
    for wish in demand.wishes:
        needs[wish.sku_id] += wish.quantity
    asked = sum(needs.values())
    for place in places:
        have = sum(min(units, free.get((sku, place.location_id), 0)) for sku, units in needs.items())
        if not place.can_ship:
            reason = Reason.NOT_SHIPPING
        elif have == asked:
            reason = Reason.HAS_ALL
        else:
            reason = Reason.HAS_SOME if have else Reason.HAS_NOTHING
        yield Candidate(place.location_id, reason, have, asked)


def _outcome(shares: Sequence[Share], missing: Sequence[Missing]) -> Outcome:
    if not shares:
        return Outcome.BACKORDERED if missing else Outcome.NOTHING
    if missing:
        return Outcome.PARTIAL
    return Outcome.WHOLE if len({share.location_id for share in shares}) == 1 else Outcome.SPLIT
