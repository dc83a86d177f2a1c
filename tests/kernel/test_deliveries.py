"""What people decide about deliveries."""

from collections.abc import Callable
from typing import Any

import pytest

from config.kernel.actors import Actor, ActorKind
from config.kernel.deliveries import mark_delivered, retry_deliveries, suppress_deliveries
from config.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound
from config.kernel.models import Delivery, Event
from config.kernel.results import Results
from tests.kernel.rows import ACTOR, delivery

pytestmark = pytest.mark.django_db
VERBS: list[tuple[Callable[..., Results[int]], dict[str, Any], str, str]] = [
    (retry_deliveries, {}, "dead", "due"),
    (retry_deliveries, {}, "unknown", "due"),
    (retry_deliveries, {}, "failed", "due"),
    (suppress_deliveries, {"reason": "not wanted"}, "dead", "suppressed"),
    (suppress_deliveries, {"reason": "not wanted"}, "unknown", "suppressed"),
    (suppress_deliveries, {"reason": "not wanted"}, "due", "suppressed"),
    (mark_delivered, {"reason": "seen in the inbox"}, "unknown", "delivered"),
    (mark_delivered, {"reason": "seen in the inbox"}, "dead", "delivered"),
]


@pytest.mark.parametrize(("verb", "given", "state", "target"), VERBS)
def test_decision_moves_the_delivery_and_is_remembered(
    verb: Callable[..., Results[int]], given: dict[str, Any], state: str, target: str
) -> None:
    row = delivery(state)

    results = verb([row.pk], actor=ACTOR, **given)

    assert results.done_ids == [row.pk]
    assert Delivery.objects.get(pk=row.pk).state == target
    event = Event.objects.get()
    assert (event.subject_type, event.subject_id, event.to_status) == ("delivery", row.pk, target)
    assert event.facts == given
    assert verb([row.pk], actor=ACTOR, **given).unchanged_ids == [row.pk]
    assert Event.objects.count() == 1


def test_delivery_at_a_worker_is_left_alone() -> None:
    row = delivery("in_flight")

    results = suppress_deliveries([row.pk], reason="no", actor=ACTOR)

    assert isinstance(results.refusals[row.pk], Conflict)
    assert Delivery.objects.get(pk=row.pk).state == "in_flight"


def test_delivered_is_not_tried_again_and_unknown_ids_are_refused() -> None:
    row = delivery("delivered")

    results = retry_deliveries([row.pk, row.pk + 99], actor=ACTOR)

    assert isinstance(results.refusals[row.pk], IllegalTransition)
    assert isinstance(results.refusals[row.pk + 99], NotFound)
    assert Event.objects.count() == 0


def test_person_without_the_right_changes_nothing() -> None:
    row = delivery("dead")

    with pytest.raises(NotAllowed):
        retry_deliveries([row.pk], actor=Actor(ActorKind.USER, 1, "anna", frozenset()))

    assert Delivery.objects.get(pk=row.pk).state == "dead"
