"""Somebody is moved in line: the place, who is passed, what owners are told, and what is refused."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed
from config.kernel.models import Fact
from inventory.models import Reservation, Sku
from inventory.owners import OWNERS, Expired, Loss, Requeued
from inventory.selectors.queue import Standing, possible_steps, queue_of, queue_places
from inventory.services.reservations import Requeue, requeue_reservations
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


def standing(pk: int, priority: int, hour: int) -> Standing:
    return Standing(pk, ("test", pk), 2, priority, AT + timedelta(hours=hour), None)


@pytest.mark.once
def test_possible_steps_name_each_place_once_and_who_is_passed() -> None:
    line = [standing(1, 10, 0), standing(2, 0, 1), standing(3, 0, 2)]

    steps = possible_steps(line, 3)

    assert [(step.place, step.priority) for step in steps] == [(1, 11), (2, 10)]
    assert [[one.reservation_id for one in step.overtaken] for step in steps] == [[1, 2], [2]]
    assert possible_steps(line, 99) == []


@pytest.mark.once
def test_possible_steps_of_the_first_let_others_past() -> None:
    line = [standing(1, 0, 0), standing(2, 0, 1)]

    (step,) = possible_steps(line, 1)

    assert (step.place, step.priority) == (2, -1)
    assert [one.reservation_id for one in step.let_past] == [2]


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
    assert [row.reservation_id for row in queue_of(sku.pk)] == [third.pk, first.pk, second.pk]
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
