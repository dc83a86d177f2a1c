"""What is said about a parcel is kept once each; it moves forward, and delivered stays delivered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import clock, outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import Conflict, IllegalTransition, InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event, Fact
from config.kernel.results import Results
from config.kernel.states import Edge
from fulfillment.enums import ParcelStatus
from fulfillment.models import Parcel, TrackingEvent
from fulfillment.services.tracking import (
    PARCEL_DELIVERED,
    ParcelMark,
    Statement,
    mark_parcels,
    record_tracking,
)
from fulfillment.states import DELIVER, GO_OUT, LOSE, MOVE, SEND_BACK, TROUBLE
from fulfillment.tracking import edge_for_news
from orders.enums import FulfillmentStatus, OrderStatus
from orders.models import LinePart
from tests.factories.fulfillment import ACTOR, make_shipped, told
from tests.fulfillment.watching import nothing_written, statements

P = ParcelStatus
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EARLIER, LATER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


@pytest.fixture
def heard() -> Iterator[None]:
    outbox.subscribe("test", [PARCEL_DELIVERED], lambda owed: Results(one.delivery_id for one in owed))
    yield
    del outbox.SUBSCRIBERS["test"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("status", "news", "stated_at", "edge"),
    [
        (P.HANDED_OVER, P.IN_TRANSIT, NOON, MOVE),
        (P.HANDED_OVER, P.OUT_FOR_DELIVERY, NOON, GO_OUT),
        (P.HANDED_OVER, P.DELIVERED, NOON, DELIVER),
        (P.IN_TRANSIT, P.OUT_FOR_DELIVERY, EARLIER, GO_OUT),  # late, but a step forward
        (P.IN_TRANSIT, P.IN_TRANSIT, LATER, None),
        (P.OUT_FOR_DELIVERY, P.IN_TRANSIT, LATER, None),
        (P.OUT_FOR_DELIVERY, P.HANDED_OVER, LATER, None),
        (P.OUT_FOR_DELIVERY, P.DELIVERED, EARLIER, DELIVER),
        (P.IN_TRANSIT, P.EXCEPTION, LATER, TROUBLE),
        (P.IN_TRANSIT, P.EXCEPTION, EARLIER, None),
        (P.EXCEPTION, P.IN_TRANSIT, LATER, MOVE),
        (P.EXCEPTION, P.IN_TRANSIT, EARLIER, None),
        (P.EXCEPTION, P.DELIVERED, EARLIER, DELIVER),
        (P.IN_TRANSIT, P.LOST, LATER, LOSE),
        (P.IN_TRANSIT, P.RETURNED_TO_SENDER, LATER, SEND_BACK),
        (P.LOST, P.DELIVERED, LATER, DELIVER),
        (P.LOST, P.IN_TRANSIT, LATER, None),
        (P.RETURNED_TO_SENDER, P.DELIVERED, EARLIER, None),
        (P.RETURNED_TO_SENDER, P.DELIVERED, LATER, None),  # the carrier's word for bringing it to our door
        (P.DELIVERED, P.EXCEPTION, LATER, None),
        (P.DELIVERED, P.LOST, LATER, None),
        (P.DELIVERED, P.DELIVERED, LATER, None),
        (P.VOIDED, P.DELIVERED, LATER, None),
        *((P.LABELLED, news, LATER, None) for news in P),  # it has not been shipped, whatever was scanned
        (P.HANDED_OVER, P.HANDED_OVER, LATER, None),
        (P.HANDED_OVER, P.VOIDED, LATER, None),
    ],
)
def test_news_moves_a_parcel(status: str, news: str, stated_at: datetime, edge: Edge | None) -> None:
    assert edge_for_news(status, news, stated_at=stated_at, latest_at=NOON) is edge


def status_of(parcel: Parcel) -> str:
    return Parcel.objects.get(pk=parcel.pk).status


@pytest.mark.django_db
def test_statement_is_kept_and_moves_the_parcel() -> None:
    parcel = make_shipped()
    statement = told(parcel, P.IN_TRANSIT, key="gls:7", code="HUB-3")

    results = record_tracking([statement], actor=ACTOR)

    assert results.done_ids == ["gls:7"]
    assert results.values["gls:7"] == P.IN_TRANSIT
    event = TrackingEvent.objects.get(parcel=parcel)
    assert (event.status, event.stated_at, event.source, event.code) == (
        P.IN_TRANSIT,
        statement.stated_at,
        "gls",
        "HUB-3",
    )
    assert status_of(parcel) == P.IN_TRANSIT


@pytest.mark.django_db
def test_statement_twice_is_kept_once() -> None:
    parcel = make_shipped()
    statement = told(parcel, P.IN_TRANSIT)
    record_tracking([statement], actor=ACTOR).raise_refusals()

    with nothing_written():
        again = record_tracking([statement], actor=ACTOR)

    assert again.unchanged_ids == [statement.key]


@pytest.mark.django_db
def test_late_news_is_kept_and_moves_nothing_back() -> None:
    parcel = make_shipped()
    now = clock.now()
    record_tracking([told(parcel, P.OUT_FOR_DELIVERY, stated_at=now)], actor=ACTOR).raise_refusals()

    results = record_tracking([told(parcel, P.IN_TRANSIT, stated_at=now - timedelta(hours=5))], actor=ACTOR)

    assert list(results.values.values()) == [P.OUT_FOR_DELIVERY]
    assert TrackingEvent.objects.filter(parcel=parcel).count() == 2
    assert status_of(parcel) == P.OUT_FOR_DELIVERY


@pytest.mark.django_db
def test_a_whole_story_in_one_batch_walks_every_edge_in_the_order_of_its_dates() -> None:
    parcel = make_shipped()
    now = clock.now()
    story = [P.DELIVERED, P.IN_TRANSIT, P.OUT_FOR_DELIVERY]
    at = {
        P.IN_TRANSIT: now - timedelta(hours=2),
        P.OUT_FOR_DELIVERY: now - timedelta(hours=1),
        P.DELIVERED: now,
    }

    record_tracking(
        [told(parcel, status, stated_at=at[status]) for status in story], actor=ACTOR
    ).raise_refusals()

    steps = Event.objects.filter(subject_type="parcel", subject_id=parcel.pk).order_by("id")
    assert list(steps.values_list("kind", flat=True)) == ["created", "hand_over", "move", "go_out", "deliver"]
    parcel.refresh_from_db()
    assert (parcel.status, parcel.delivered_at) == (P.DELIVERED, now)


@pytest.mark.django_db
def test_delivered_counts_units_and_completes_the_order(heard: None) -> None:
    parcel = make_shipped({"MUG": 2})

    record_tracking([told(parcel, P.DELIVERED)], actor=ACTOR).raise_refusals()

    part = LinePart.objects.get(line__order=parcel.order_id)
    parcel.order.refresh_from_db()
    assert part.delivered == 2
    assert parcel.order.fulfillment_status == FulfillmentStatus.DELIVERED
    assert parcel.order.status == OrderStatus.COMPLETED
    fact = Fact.objects.get(kind=PARCEL_DELIVERED)
    assert (fact.subject_type, fact.subject_id) == ("parcel", parcel.pk)


@pytest.mark.django_db
def test_delivered_is_counted_once_and_never_taken_back(heard: None) -> None:
    parcel = make_shipped({"MUG": 2})
    record_tracking([told(parcel, P.DELIVERED)], actor=ACTOR).raise_refusals()

    more = [told(parcel, P.DELIVERED), told(parcel, P.EXCEPTION), told(parcel, P.IN_TRANSIT)]
    record_tracking(more, actor=ACTOR).raise_refusals()

    assert status_of(parcel) == P.DELIVERED
    assert TrackingEvent.objects.filter(parcel=parcel).count() == 4
    assert LinePart.objects.get(line__order=parcel.order_id).delivered == 2
    assert Fact.objects.filter(kind=PARCEL_DELIVERED).count() == 1


def overcounted() -> Parcel:
    """A parcel of whose units the order has fewer as shipped."""
    parcel = make_shipped({"TIN": 2})
    LinePart.objects.filter(line__order=parcel.order_id).update(shipped=1)
    return parcel


@pytest.mark.django_db
def test_parcel_that_cannot_be_counted_is_refused_alone_with_all_that_is_said_of_it(heard: None) -> None:
    good, bad = make_shipped({"MUG": 2}), overcounted()
    statements = [
        told(bad, P.OUT_FOR_DELIVERY, key="bad:1"),
        told(good, P.DELIVERED, key="good"),
        told(bad, P.DELIVERED, key="bad:2"),
    ]

    results = record_tracking(statements, actor=ACTOR)

    assert (results.done_ids, sorted(results.refusals)) == (["good"], ["bad:1", "bad:2"])
    part = LinePart.objects.get(line__order=bad.order_id)
    assert str(results.refusals["bad:1"]).endswith(f"part {part.pk}: 2 units to be delivered, 1 can be")
    assert (status_of(good), status_of(bad)) == (P.DELIVERED, P.HANDED_OVER)
    assert LinePart.objects.get(line__order=good.order_id).delivered == 2
    assert not TrackingEvent.objects.filter(parcel=bad).exists()
    assert Fact.objects.filter(kind=PARCEL_DELIVERED).count() == 1


@pytest.mark.django_db
def test_mark_of_a_parcel_that_cannot_be_counted_is_refused_alone() -> None:
    good, bad = make_shipped({"MUG": 2}), overcounted()

    results = mark_parcels([ParcelMark(bad.pk, DELIVER), ParcelMark(good.pk, DELIVER)], actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == ([good.pk], [bad.pk])
    assert isinstance(results.refusals[bad.pk], Conflict)
    assert TrackingEvent.objects.count() == 1


@pytest.mark.django_db
def test_two_parcels_that_share_units_are_counted_one_after_the_other() -> None:
    first = make_shipped({"MUG": 2})
    line = first.lines.get()
    line.quantity = 1
    line.save()
    second = Parcel.objects.create(
        shipment=first.shipment, order=first.order, carrier="GLS", tracking_number="TWO", status=P.HANDED_OVER
    )
    second.lines.create(line_part=line.line_part, quantity=2)

    statements = [told(second, P.DELIVERED, key="second"), told(first, P.DELIVERED, key="first")]
    results = record_tracking(statements, actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == (["first"], ["second"])
    assert LinePart.objects.get(line__order=first.order_id).delivered == 1


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["key", "source", "code"])
@pytest.mark.parametrize("value", ["x" * 161, "a\x00b"])
def test_statement_whose_words_do_not_fit_is_refused_alone(field: str, value: str) -> None:
    parcel = make_shipped()
    bad, good = told(parcel, P.IN_TRANSIT, **{field: value}), told(parcel, P.IN_TRANSIT)

    results = record_tracking([bad, good], actor=ACTOR)

    assert (results.done_ids, list(results.refusals)) == ([good.key], [bad.key])
    assert isinstance(results.refusals[bad.key], InvalidInput)


@pytest.mark.django_db
def test_one_of_two_parcels_delivered_leaves_the_order_open() -> None:
    parcel = make_shipped({"MUG": 2})
    LinePart.objects.filter(line__order=parcel.order_id).update(ordered=3)

    record_tracking([told(parcel, P.DELIVERED)], actor=ACTOR).raise_refusals()

    parcel.order.refresh_from_db()
    assert parcel.order.status == OrderStatus.CONFIRMED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": "voided"}, InvalidInput),
        ({"status": "labelled"}, InvalidInput),
        ({"status": "somewhere"}, InvalidInput),
        ({"stated_at": datetime(2026, 3, 2, 12, 0)}, InvalidInput),  # noqa: DTZ001
        ({"stated_at": datetime(2999, 1, 1, tzinfo=UTC)}, InvalidInput),
        ({"parcel_id": 987654}, NotFound),
    ],
)
def test_statement_that_makes_no_sense_is_refused(fields: dict, error: type[Exception]) -> None:
    parcel = make_shipped()
    given = {
        "key": "x:1",
        "parcel_id": parcel.pk,
        "status": P.DELIVERED,
        "stated_at": clock.now(),
        "source": "x",
    }

    with nothing_written():
        results = record_tracking([Statement(**given | fields)], actor=ACTOR)

    assert type(results.refusals["x:1"]) is error


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["record", "mark"])
def test_tracking_needs_the_permission(verb: str) -> None:
    parcel = make_shipped()

    def say(permission: str) -> Results:
        actor = Actor(ActorKind.USER, 1, "rosa", frozenset({permission}))
        if verb == "record":
            return record_tracking([told(parcel, P.DELIVERED)], actor=actor)
        return mark_parcels([ParcelMark(parcel.pk, DELIVER)], actor=actor)

    with nothing_written(), pytest.raises(NotAllowed):
        say("fulfillment.ship_fulfillmentorder")

    assert len(say("fulfillment.track_parcel").done_ids) == 1


@pytest.mark.django_db
def test_staff_mark_a_parcel_as_delivered() -> None:
    parcel = make_shipped({"MUG": 2})

    results = mark_parcels([ParcelMark(parcel.pk, DELIVER)], actor=ACTOR)

    assert results.done_ids == [parcel.pk]
    parcel.refresh_from_db()
    said = TrackingEvent.objects.get(parcel=parcel)
    assert (said.status, said.source, said.stated_at) == (P.DELIVERED, "staff", parcel.delivered_at)
    assert LinePart.objects.get(line__order=parcel.order_id).delivered == 2


@pytest.mark.django_db
def test_staff_mark_twice_is_unchanged() -> None:
    parcel = make_shipped()
    mark_parcels([ParcelMark(parcel.pk, DELIVER)], actor=ACTOR).raise_refusals()

    with nothing_written():
        again = mark_parcels([ParcelMark(parcel.pk, DELIVER)], actor=ACTOR)

    assert again.unchanged_ids == [parcel.pk]


@pytest.mark.django_db
def test_staff_mark_that_no_edge_allows_is_refused() -> None:
    parcel = make_shipped()
    mark_parcels([ParcelMark(parcel.pk, DELIVER)], actor=ACTOR).raise_refusals()

    with nothing_written():
        results = mark_parcels([ParcelMark(parcel.pk, LOSE), ParcelMark(987654, LOSE)], actor=ACTOR)

    assert {key: type(error) for key, error in results.refusals.items()} == {
        parcel.pk: IllegalTransition,
        987654: NotFound,
    }


@pytest.mark.django_db
def test_staff_may_mark_the_same_trouble_again_after_it_was_over() -> None:
    parcel = make_shipped()
    for edge in (TROUBLE, MOVE, TROUBLE):
        mark_parcels([ParcelMark(parcel.pk, edge)], actor=ACTOR).raise_refusals()

    assert status_of(parcel) == P.EXCEPTION
    assert TrackingEvent.objects.filter(parcel=parcel).count() == 3


@pytest.mark.django_db
def test_tracking_takes_as_many_statements_for_three_parcels_as_for_one() -> None:
    parcels = [make_shipped() for _parcel in range(4)]

    few = statements(lambda: record_tracking([told(parcels[0], P.DELIVERED)], actor=ACTOR))
    many = statements(lambda: record_tracking([told(one, P.DELIVERED) for one in parcels[1:]], actor=ACTOR))

    assert many == few
