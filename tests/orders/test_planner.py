"""The allocation planner: where units come from, who waits, and the words for it; against brute force."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders import split_planner
from orders.planner import (
    LAST,
    Candidate,
    Decision,
    Demand,
    Missing,
    Outcome,
    Place,
    Plan,
    Problem,
    Reason,
    Share,
    Stand,
    Turn,
    Waiting,
    Wish,
    plan,
)
from orders.planning import FewestSplits, current_planner, register_planner
from orders.split_planner import choose_locations

pytestmark = pytest.mark.once

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A, B, C = 1, 2, 3
MUG, TEE = 10, 20


def turn(minutes: int = 0, *, priority: int = 0, number: int = LAST) -> Turn:
    return Turn(priority, NOON + timedelta(minutes=minutes), number)


def demand(
    order_id: int, *units: tuple[int, int], favoured: tuple[int, ...] = (), priority: int = 0
) -> Demand:
    wishes = tuple(
        Wish(order_id * 100 + number, sku, quantity, turn(priority=priority))
        for number, (sku, quantity) in enumerate(units)
    )
    return Demand(order_id, wishes, favoured)


def solve(
    demands: list[Demand],
    free: dict[tuple[int, int], int],
    *,
    waiting: tuple[Waiting, ...] = (),
    places: tuple[Place, ...] = (Place(A, 1), Place(B, 2), Place(C, 3)),
) -> Plan:
    stands = tuple(Stand(sku, place, units) for (sku, place), units in free.items())
    return plan(Problem(tuple(demands), stands, places, waiting))


def decide(one: Demand, free: dict[tuple[int, int], int], **given: tuple[Waiting, ...]) -> Decision:
    (decision,) = solve([one], free, **given).decisions
    return decision


def test_plan_one_location_has_all_takes_it_whole_though_a_preferred_one_has_some() -> None:
    decision = decide(demand(1, (MUG, 2), (TEE, 1)), {(MUG, A): 9, (MUG, B): 2, (TEE, B): 1})

    assert decision.outcome == Outcome.WHOLE
    assert decision.shares == (Share(100, MUG, B, 2), Share(101, TEE, B, 1))
    assert decision.missing == ()
    assert decision.candidates == (
        Candidate(A, Reason.HAS_SOME, 2, 3),
        Candidate(B, Reason.HAS_ALL, 3, 3),
        Candidate(C, Reason.HAS_NOTHING, 0, 3),
    )


def test_plan_no_location_has_all_splits_over_the_fewest() -> None:
    decision = decide(demand(1, (MUG, 4), (TEE, 1)), {(MUG, A): 1, (MUG, B): 3, (MUG, C): 2, (TEE, A): 1})

    assert decision.outcome == Outcome.SPLIT
    assert decision.shares == (Share(100, MUG, A, 1), Share(100, MUG, B, 3), Share(101, TEE, A, 1))


def test_plan_several_locations_have_all_takes_the_preferred() -> None:
    assert decide(demand(1, (MUG, 1)), {(MUG, C): 1, (MUG, B): 1}).shares == (Share(100, MUG, B, 1),)


def test_plan_order_favours_a_location_it_is_asked_first() -> None:
    free = {(MUG, A): 1, (MUG, C): 1}

    assert decide(demand(1, (MUG, 1), favoured=(C,)), free).shares == (Share(100, MUG, C, 1),)


def test_plan_location_does_not_ship_gives_nothing() -> None:
    (decision,) = solve(
        [demand(1, (MUG, 1))], {(MUG, A): 5}, places=(Place(A, can_ship=False), Place(B))
    ).decisions

    assert decision.outcome == Outcome.BACKORDERED
    assert decision.missing == (Missing(100, MUG, 1, Reason.NO_STOCK),)
    assert decision.candidates[0] == Candidate(A, Reason.NOT_SHIPPING, 1, 1)


def test_plan_two_parts_share_a_sku_are_counted_together() -> None:
    decision = decide(demand(1, (MUG, 2), (MUG, 2)), {(MUG, A): 3, (MUG, B): 0})

    assert decision.outcome == Outcome.PARTIAL
    assert decision.shares == (Share(100, MUG, A, 2), Share(101, MUG, A, 1))
    assert decision.missing == (Missing(101, MUG, 1, Reason.NO_STOCK),)


def test_plan_units_are_owed_to_the_queue_are_left_to_it() -> None:
    ahead = (Waiting(MUG, 4, turn(-5, number=7)),)

    decision = decide(demand(1, (MUG, 3)), {(MUG, A): 3, (MUG, B): 2}, waiting=ahead)

    assert decision.shares == (Share(100, MUG, A, 1),)
    assert decision.missing == (Missing(100, MUG, 2, Reason.QUEUE_AHEAD, 4),)


def test_plan_higher_priority_stands_before_the_queue() -> None:
    behind = (Waiting(MUG, 4, turn(-5, number=7)),)

    decision = decide(demand(1, (MUG, 3), priority=1), {(MUG, A): 3}, waiting=behind)

    assert decision.outcome == Outcome.WHOLE


def test_plan_orders_in_sequence_share_what_is_free() -> None:
    decisions = solve([demand(1, (MUG, 3)), demand(2, (MUG, 3))], {(MUG, A): 4}).decisions

    assert [d.outcome for d in decisions] == [Outcome.WHOLE, Outcome.PARTIAL]
    assert decisions[1].missing == (Missing(200, MUG, 2, Reason.NO_STOCK),)


def test_plan_sequence_against_priority_keeps_the_units_of_the_higher() -> None:
    decisions = solve([demand(1, (MUG, 3)), demand(2, (MUG, 3), priority=5)], {(MUG, A): 4}).decisions

    assert [sum(share.quantity for share in d.shares) for d in decisions] == [1, 3]
    # Of the three that are still there nobody waits ahead: the other order of the batch has them at once.
    assert decisions[0].missing == (Missing(100, MUG, 2, Reason.NO_STOCK, 0),)


def test_plan_negative_free_units_take_nothing_from_elsewhere() -> None:
    assert decide(demand(1, (MUG, 2)), {(MUG, A): -3, (MUG, B): 2}).outcome == Outcome.WHOLE


def test_plan_where_a_loss_bit_nothing_is_left_for_a_queue_to_be_first_for() -> None:
    decision = decide(demand(1, (MUG, 2)), {(MUG, A): -3}, waiting=(Waiting(MUG, 4, turn(-5)),))

    assert decision.missing == (Missing(100, MUG, 2, Reason.NO_STOCK, 4),)


def test_plan_nothing_asked_answers_nothing() -> None:
    assert decide(demand(1), {(MUG, A): 1}).outcome == Outcome.NOTHING


def test_plan_third_order_is_told_what_the_second_waits_for() -> None:
    decisions = solve([demand(number, (MUG, 3)) for number in (1, 2, 3)], {(MUG, A): 4}).decisions

    assert decisions[2].missing == (Missing(300, MUG, 3, Reason.NO_STOCK, 2),)


def test_plan_one_unit_is_owed_to_the_queue_it_is_left() -> None:
    ahead = (Waiting(MUG, 1, turn(-5, number=7)),)

    decision = decide(demand(1, (MUG, 3)), {(MUG, A): 3}, waiting=ahead)

    assert decision.shares == (Share(100, MUG, A, 2),)
    assert decision.missing == (Missing(100, MUG, 1, Reason.QUEUE_AHEAD, 1),)


def test_plan_two_parts_share_a_sku_the_second_takes_what_the_first_left() -> None:
    decision = decide(demand(1, (MUG, 2), (MUG, 2)), {(MUG, A): 3, (MUG, B): 1})

    assert decision.shares == (Share(100, MUG, A, 2), Share(101, MUG, A, 1), Share(101, MUG, B, 1))


def test_choose_locations_takes_no_more_than_is_needed() -> None:
    assert choose_locations({MUG: 3}, {(MUG, A): 2, (MUG, B): 2}, [A, B]) == {MUG: [(A, 2), (B, 1)]}


def test_choose_locations_as_few_places_prefers_fewer_shares_to_preference() -> None:
    free = {(MUG, 1): 1, (TEE, 1): 1, (MUG, 2): 1, (TEE, 2): 1, (MUG, 3): 2, (TEE, 4): 2}

    assert choose_locations({MUG: 2, TEE: 2}, free, [1, 2, 3, 4]) == {MUG: [(3, 2)], TEE: [(4, 2)]}


def test_choose_locations_one_of_two_skus_has_too_many_sets_takes_the_largest_piles() -> None:
    places = range(1, 21)
    free = {(MUG, place): 1 for place in places} | {(TEE, place): 3 if place > 14 else 1 for place in places}

    split = choose_locations({MUG: 20, TEE: 15}, free, places)

    assert split == {MUG: [(place, 1) for place in places], TEE: [(place, 3) for place in range(15, 20)]}


def test_choose_locations_too_many_sets_is_greedy_and_complete() -> None:
    free = {(MUG, place): 1 + place % 3 for place in range(40)}

    split = choose_locations({MUG: 25}, free, range(40))

    assert sum(units for _place, units in split[MUG]) == 25
    assert len(split[MUG]) == 9


def test_choose_locations_asked_for_nothing_gives_nothing() -> None:
    assert choose_locations({}, {}, []) == {}
    assert choose_locations({MUG: 0, TEE: 2}, {(MUG, A): 9, (TEE, A): 2}, [A]) == {TEE: [(A, 2)]}


def test_choose_locations_up_to_so_many_sets_takes_the_preferred_beyond_them_the_largest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = {(MUG, 1): 2, (MUG, 2): 4, (MUG, 3): 4, (MUG, 4): 4}
    less = {(MUG, 1): 2, (MUG, 2): 4, (MUG, 3): 5}

    monkeypatch.setattr(split_planner, "MOST_SETS", 6)
    assert split_planner._fill(MUG, 6, free, [1, 2, 3, 4]) == [(1, 2), (2, 4)]
    monkeypatch.setattr(split_planner, "MOST_SETS", 5)
    assert split_planner._fill(MUG, 6, free, [1, 2, 3, 4]) == [(2, 4), (3, 2)]
    monkeypatch.setattr(split_planner, "MOST_SETS", 3)
    assert choose_locations({MUG: 6}, less, [1, 2, 3]) == {MUG: [(1, 2), (2, 4)]}
    monkeypatch.setattr(split_planner, "MOST_SETS", 2)
    assert choose_locations({MUG: 6}, less, [1, 2, 3]) == {MUG: [(1, 2), (3, 4)]}


def test_choose_locations_beyond_so_many_sets_serves_every_sku_by_the_most_useful_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(split_planner, "MOST_SETS", 2)
    free = {(MUG, 1): 3, (MUG, 2): 3, (TEE, 2): 1, (TEE, 3): 1, (MUG, 4): 1, (TEE, 4): 1}

    split = choose_locations({MUG: 4, TEE: 2}, free, [1, 2, 3, 4])

    assert split == {MUG: [(2, 3), (4, 1)], TEE: [(2, 1), (4, 1)]}


def test_choose_locations_beyond_so_many_sets_goes_on_until_the_last_sku_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(split_planner, "MOST_SETS", 2)
    free = {(MUG, 1): 1, (MUG, 2): 1, (MUG, 3): 1, (TEE, 4): 1, (TEE, 5): 1}

    split = choose_locations({MUG: 3, TEE: 2}, free, [1, 2, 3, 4, 5])

    assert split == {MUG: [(1, 1), (2, 1), (3, 1)], TEE: [(4, 1), (5, 1)]}


def test_choose_locations_beyond_so_many_sets_leaves_places_without_the_sku_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(split_planner, "MOST_SETS", 2)

    assert split_planner._fill(MUG, 2, {(MUG, 2): 1, (MUG, 3): 1}, [1, 2, 3]) == [(2, 1), (3, 1)]


def test_choose_locations_more_needed_than_free_is_a_defect() -> None:
    with pytest.raises(ValueError, match="more is needed"):
        choose_locations({MUG: 2}, {(MUG, A): 1}, [A])


def test_register_planner_replaces_the_built_in_one() -> None:
    class Nobody:
        def plan(self, problem: Problem) -> Plan:
            return Plan(())

    before = register_planner(Nobody())
    try:
        assert isinstance(before, FewestSplits)
        assert current_planner().plan(Problem((), (), ())) == Plan(())
    finally:
        register_planner(before)


# Against brute force: up to 3 locations, 3 SKUs, 2 orders.
units = st.integers(0, 3)
free_units = st.dictionaries(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(-1, 3), max_size=9)
demands = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3), max_size=3
)
queues = st.lists(
    st.builds(
        Waiting,
        st.integers(1, 3),
        st.integers(1, 3),
        st.builds(turn, st.just(-1), priority=st.integers(-1, 1)),
    ),
    max_size=3,
)


def all_assignments(
    needs: dict[int, int], free: dict[tuple[int, int], int]
) -> Iterator[dict[tuple[int, int], int]]:
    """Every way to take exactly these units from three locations."""
    skus = sorted(needs)
    ways = [
        [way for way in product(range(needs[sku] + 1), repeat=3) if sum(way) == needs[sku]
         and all(way[place - 1] <= max(0, free.get((sku, place), 0)) for place in (A, B, C))]
        for sku in skus
    ]  # fmt: skip
    for choice in product(*ways):
        yield {
            (sku, place): way[place - 1]
            for sku, way in zip(skus, choice, strict=True)
            for place in (A, B, C)
            if way[place - 1]
        }


def cost(assignment: dict[tuple[int, int], int]) -> tuple[int, int, list[int]]:
    used = sorted({place for _sku, place in assignment})
    return len(used), len(assignment), used


@settings(max_examples=300, deadline=None)
@given(demands, free_units, queues)
def test_plan_equals_brute_force(
    asked: list[list[tuple[int, int]]], free: dict[tuple[int, int], int], queue: list[Waiting]
) -> None:
    orders = [demand(number, *units) for number, units in enumerate(asked, 1)]
    left = {key: max(0, units) for key, units in free.items()}

    decisions = solve(orders, free, waiting=tuple(queue)).decisions

    ahead = {
        sku: sum(w.quantity for w in queue if w.sku_id == sku and w.turn.priority >= 0) for sku in (1, 2, 3)
    }
    owed = {
        sku: sum(units for (of, _place), units in left.items() if of == sku) - ahead[sku] for sku in (1, 2, 3)
    }
    for order, decision in zip(orders, decisions, strict=True):
        expected: dict[int, int] = defaultdict(int)
        for wish in order.wishes:
            taken = min(wish.quantity, max(0, owed[wish.sku_id]))
            assert sum(s.quantity for s in decision.shares if s.key == wish.key) == taken
            assert sum(m.quantity for m in decision.missing if m.key == wish.key) == wish.quantity - taken
            owed[wish.sku_id] -= wish.quantity
            if taken:
                expected[wish.sku_id] += taken
        got: dict[tuple[int, int], int] = defaultdict(int)
        for share in decision.shares:
            got[share.sku_id, share.location_id] += share.quantity
        assert cost(got) == min(cost(one) for one in all_assignments(expected, left))
        for key, taken in got.items():
            left[key] -= taken
            assert left[key] >= 0
