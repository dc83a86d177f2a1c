"""Somebody is moved in line: the place, who is passed, what owners are told, and what is refused."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Value
from django.test import Client

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed
from config.kernel.models import Fact
from inventory.models import Reservation, Sku
from inventory.owners import OWNERS, Expired, Loss, Requeued
from inventory.selectors.queue import (
    Band,
    Group,
    Step,
    ahead_of,
    bands_beside,
    possible_steps,
    queue_of,
    queue_places,
)
from inventory.services.reservations import Requeue, promise_reservations_for, requeue_reservations
from tests.factories.inventory import ACTOR, make_location, make_sku, receive, reserve

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


class Hearer:
    """An owner that writes down what it is told."""

    def __init__(self) -> None:
        self.locked: list[int] = []
        self.told: list[Requeued] = []

    def lock(self, reference_ids: Collection[int]) -> None:
        self.locked += reference_ids

    def bound_units(self, reference_ids: Collection[int]) -> Mapping[tuple[int, int], int]:
        return {}

    def lose(self, losses: Sequence[Loss], *, actor: Actor) -> None:
        raise AssertionError("nothing was lost")

    def expire(self, expired: Sequence[Expired], *, actor: Actor) -> None:
        raise AssertionError("nothing expired")

    def keep(self, kept: Sequence[Expired], *, actor: Actor) -> None:
        raise AssertionError("nothing had an end")

    def requeue(self, moved: Sequence[Requeued], *, actor: Actor) -> None:
        self.told += moved


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Hearer:
    hearer = Hearer()
    monkeypatch.setitem(OWNERS, "test", [hearer])
    return hearer


@pytest.fixture
def sku() -> Sku:
    return make_sku()


def line_of_three(sku: Sku) -> list[Reservation]:
    return [
        reserve(sku, None, units, queued_at=AT + timedelta(hours=place), reference_id=place + 1)
        for place, units in enumerate((4, 2, 3))
    ]


def band(priority: int, claims: int, earlier: int) -> Band:
    """So many claims of two units each."""
    return Band(priority, Group(claims, claims * 2), Group(earlier, earlier * 2))


@pytest.mark.once
def test_possible_steps_name_each_place_once_and_who_is_passed() -> None:
    steps = possible_steps([band(10, 1, 1), band(0, 1, 1)], 0)

    assert steps == [
        Step(11, 1, Group(2, 4), is_ahead=True),
        Step(1, 2, Group(1, 2), is_ahead=True),
    ]
    assert possible_steps([], 0) == []


@pytest.mark.once
def test_possible_steps_offer_the_places_between_two_priorities() -> None:
    """Two of priority 10 joined later, two of its own before."""
    steps = possible_steps([band(10, 2, 0), band(0, 2, 2)], 0)

    assert steps == [
        Step(10, 1, Group(4, 8), is_ahead=True),
        Step(1, 3, Group(2, 4), is_ahead=True),
    ]
    down = possible_steps([band(10, 2, 0), band(0, 2, 2), band(-10, 2, 2)], 10)
    assert [(step.priority, step.place) for step in down] == [(9, 3), (0, 5), (-10, 7)]


@pytest.mark.once
def test_possible_steps_of_the_first_let_others_past() -> None:
    assert possible_steps([band(0, 1, 0)], 0) == [Step(-1, 2, Group(1, 2), is_ahead=False)]


@pytest.mark.once
def test_possible_steps_stay_within_what_a_priority_may_be() -> None:
    steps = possible_steps([band(1000, 2, 2), band(-1000, 2, 1)], 0)

    assert [(step.priority, step.place) for step in steps] == [(-1000, 4)]
    assert possible_steps([band(2000, 1, 1)], 0) == []


@pytest.mark.django_db
def test_bands_beside_counts_who_waits_and_who_joined_before(sku: Sku) -> None:
    _first, second, _third = line_of_three(sku)
    reserve(sku, None, 7, priority=5, queued_at=AT + timedelta(hours=9), reference_id=9)
    reserve(make_sku(), None, 7, queued_at=AT, reference_id=10)

    bands = bands_beside(second)

    assert bands == [Band(5, Group(1, 7), Group(0, 0)), Band(0, Group(2, 7), Group(1, 4))]
    assert ahead_of(bands, second.priority) == Group(2, 11)


@pytest.mark.django_db
def test_page_of_one_far_behind_shows_the_line_around_it_and_moves_it(admin_client: Client, sku: Sku) -> None:
    last = line_of_three(sku)[2]
    Reservation.objects.bulk_create(
        Reservation(
            sku=sku, quantity=1, reference_kind="test", reference_id=number, state="waiting",
            queued_at=AT + timedelta(minutes=number % 60), waiting_since=AT,
        )
        for number in range(600)
    )  # fmt: skip
    url = f"/inventory/reservation/{last.pk}/requeue/"

    page = admin_client.get(url)

    assert [label for _value, label in page.context["form"].fields["priority"].choices] == [
        "Place 1: 602 others would wait longer (606 units)"
    ]
    rows = page.context["lines"]["rows"]
    assert [row[0] for row in rows] == list(range(584, 604))
    assert "(this one)" in rows[-1][1]
    assert (rows[0][5], rows[-1][5]) == (585, 1)
    hidden = dict(page.context["hidden"])
    answer = admin_client.post(url, {**hidden, "priority": "1", "reason": "Wedding"}, follow=True)
    assert "It stands at place 1 now." in answer.content.decode()


@pytest.mark.django_db
def test_requeue_reservations_moves_to_the_front_and_tells_the_owner(sku: Sku, owner: Hearer) -> None:
    first, second, third = line_of_three(sku)
    before = Fact.objects.filter(kind="stock.freed").count()

    results = requeue_reservations([Requeue(third.pk, 5)], reason=" Wedding on Friday ", actor=ACTOR)

    assert results.values == {third.pk: 1}
    assert owner.locked == [3]
    assert Reservation.objects.get(pk=third.pk).version == third.version + 1
    freed = Fact.objects.filter(kind="stock.freed").order_by("pk").values_list("subject_id", flat=True)
    assert list(freed[before:]) == [sku.pk]
    assert [row.reservation_id for row in queue_of(sku.pk, 0, 5)] == [third.pk, first.pk, second.pk]
    (told,) = owner.told
    assert (told.reservation_id, told.place_before, told.place, told.reason) == (
        third.pk,
        3,
        1,
        "Wedding on Friday",
    )
    assert [finding for finding in run_audit() if finding.violations] == []


@pytest.mark.django_db
def test_requeue_reservations_same_priority_changes_nothing(sku: Sku, owner: Hearer) -> None:
    first, *_rest = line_of_three(sku)

    results = requeue_reservations([Requeue(first.pk, 0)], reason="Again", actor=ACTOR)

    assert results.unchanged_ids == [first.pk]
    assert owner.told == []


@pytest.mark.django_db
def test_requeue_reservations_raised_late_is_no_overtaking_of_what_was_given(sku: Sku, owner: Hearer) -> None:
    early = reserve(sku, None, 3, queued_at=AT, reference_id=1)
    place = make_location()
    receive(sku, place, 2)
    reserve(sku, place, 2, queued_at=AT + timedelta(hours=1), priority=5, reference_id=2)

    requeue_reservations([Requeue(early.pk, 5)], reason="Waits long", actor=ACTOR).raise_refusals()

    assert [finding for finding in run_audit() if finding.violations] == []


@pytest.mark.django_db
def test_requeue_reservations_refuses_who_does_not_wait(sku: Sku, owner: Hearer) -> None:
    place = make_location()
    receive(sku, place, 5)
    held = reserve(sku, place, 2)
    waits = reserve(sku, None, 9, reference_id=7)

    results = requeue_reservations(
        [Requeue(held.pk, 5), Requeue(999_999, 5), Requeue(waits.pk, 1001)], reason="Why", actor=ACTOR
    )

    codes = {pk: refusal.code for pk, refusal in results.refusals.items()}
    assert codes == {held.pk: "not_waiting", 999_999: "not_found", waits.pk: "invalid_input"}
    assert set(Reservation.objects.values_list("priority", "version")) == {
        (0, held.version),
        (0, waits.version),
    }
    assert owner.told == []


@pytest.mark.django_db
def test_requeue_reservations_needs_the_right_and_a_reason(sku: Sku) -> None:
    row = reserve(sku, None, 1)
    nobody = Actor(ActorKind.USER, 1, "nobody", frozenset())

    with pytest.raises(NotAllowed):
        requeue_reservations([Requeue(row.pk, 5)], reason="Why", actor=nobody)
    with pytest.raises(InvalidInput):
        requeue_reservations([Requeue(row.pk, 5)], reason=" ", actor=ACTOR)

    assert Reservation.objects.get(pk=row.pk).priority == 0


@pytest.mark.django_db
def test_page_shows_the_line_and_moves_by_a_press(admin_client: Client, sku: Sku) -> None:
    first, second, third = line_of_three(sku)
    url = f"/inventory/reservation/{third.pk}/requeue/"

    page = admin_client.get(url)

    assert page.status_code == 200
    form = page.context["form"]
    assert [label for _value, label in form.fields["priority"].choices] == [
        "Place 1: 2 others would wait longer (6 units)"
    ]
    hidden = dict(page.context["hidden"])
    answer = admin_client.post(url, {**hidden, "priority": "1", "reason": "Wedding"}, follow=True)
    assert "It stands at place 1 now." in answer.content.decode()
    assert queue_places([first.pk, second.pk, third.pk])[third.pk].position == 1


@pytest.mark.django_db
def test_page_refuses_who_may_not_move(client: Client, sku: Sku, django_user_model: type) -> None:
    row = line_of_three(sku)[2]
    person = django_user_model.objects.create_user("picker", password="x", is_staff=True)  # type: ignore[attr-defined]
    client.force_login(person)

    assert client.get(f"/inventory/reservation/{row.pk}/requeue/").status_code == 403
    assert Reservation.objects.get(pk=row.pk).priority == 0


@pytest.mark.django_db
def test_requeue_reservations_takes_the_outermost_priorities(sku: Sku, owner: Hearer) -> None:
    rows = [reserve(sku, None, 1, reference_id=number) for number in (1, 2)]
    wishes = [Requeue(rows[0].pk, 1000), Requeue(rows[1].pk, -1000)]

    assert requeue_reservations(wishes, reason="test", actor=ACTOR).done_ids == [row.pk for row in rows]
    assert list(Reservation.objects.order_by("pk").values_list("priority", flat=True)) == [1000, -1000]


@pytest.mark.django_db
def test_promise_reservations_for_writes_each_day_on_its_own_live_rows_and_moves_their_versions(
    sku: Sku,
) -> None:
    first, second, other = (reserve(sku, None, 1, reference_id=number) for number in (1, 2, 3))
    days = [AT, AT + timedelta(days=1)]
    references = {day: Sku.objects.annotate(n=Value(n)).values("n")[:1] for n, day in enumerate(days, 1)}

    promise_reservations_for("test", references)

    stored = {row.pk: (row.promised_at, row.version) for row in Reservation.objects.all()}
    assert stored == {
        first.pk: (days[0], first.version + 1),
        second.pk: (days[1], second.version + 1),
        other.pk: (None, other.version),
    }
    promise_reservations_for("test", {days[1]: references[days[0]]})
    assert Reservation.objects.get(pk=first.pk).promised_at == days[1]
