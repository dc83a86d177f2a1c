"""A parcel that we did not ship: what is said of it is kept, and it stands where it stood."""

from datetime import timedelta

import pytest

from config.kernel import clock
from config.kernel.models import Fact
from fulfillment.admin.parcels import PARCEL_VERBS
from fulfillment.enums import ParcelStatus
from fulfillment.errors import ParcelNotShipped
from fulfillment.models import Parcel, TrackingEvent
from fulfillment.services.tracking import PARCEL_DELIVERED, ParcelMark, mark_parcels, record_tracking
from fulfillment.states import HAND_OVER, PARCEL, VOID
from orders.enums import OrderStatus
from orders.models import LinePart
from tests.factories.fulfillment import ACTOR, make_shipped, told
from tests.fulfillment.watching import nothing_written

pytestmark = pytest.mark.django_db

P = ParcelStatus
STORY = (P.HANDED_OVER, P.IN_TRANSIT, P.OUT_FOR_DELIVERY, P.DELIVERED)


@pytest.fixture
def shipped() -> Parcel:
    return make_shipped({"MUG": 2})


@pytest.fixture(params=[P.LABELLED, P.VOIDED])
def unshipped(request: pytest.FixtureRequest, shipped: Parcel) -> Parcel:
    """With a label only, for units like those of the parcel that left."""
    parcel = Parcel.objects.create(
        shipment=shipped.shipment,
        order=shipped.order,
        carrier="GLS",
        tracking_number="ONLY-A-LABEL",
        status=request.param,
    )
    parcel.lines.create(line_part=shipped.lines.get().line_part, quantity=2)
    return parcel


def told_all(parcel: Parcel) -> None:
    begun = clock.now() - timedelta(hours=len(STORY))
    story = [
        told(parcel, status, stated_at=begun + timedelta(hours=hour)) for hour, status in enumerate(STORY)
    ]
    assert len(record_tracking(story, actor=ACTOR).done_ids) == len(STORY)


def test_story_of_a_parcel_that_was_not_shipped_is_kept_and_moves_nothing(unshipped: Parcel) -> None:
    before = unshipped.status

    told_all(unshipped)

    unshipped.refresh_from_db()
    assert (unshipped.status, unshipped.delivered_at) == (before, None)
    kept = TrackingEvent.objects.filter(parcel=unshipped).order_by("stated_at")
    assert tuple(kept.values_list("status", flat=True)) == STORY
    assert LinePart.objects.get(line__order=unshipped.order_id).delivered == 0
    unshipped.order.refresh_from_db()
    assert unshipped.order.status == OrderStatus.CONFIRMED
    assert not Fact.objects.filter(kind=PARCEL_DELIVERED).exists()


def test_parcel_that_was_shipped_is_counted_whatever_was_said_of_the_other(
    shipped: Parcel, unshipped: Parcel
) -> None:
    """The control: the same story moves the one that left, and ends the order."""
    told_all(unshipped)

    told_all(shipped)

    shipped.refresh_from_db()
    shipped.order.refresh_from_db()
    assert (shipped.status, shipped.order.status) == (P.DELIVERED, OrderStatus.COMPLETED)
    assert LinePart.objects.get(line__order=shipped.order_id).delivered == 2


@pytest.mark.parametrize("unshipped", [P.LABELLED], indirect=True)
def test_staff_hand_no_parcel_over_that_was_not_shipped(unshipped: Parcel) -> None:
    with nothing_written():
        results = mark_parcels([ParcelMark(unshipped.pk, HAND_OVER)], actor=ACTOR)

    assert isinstance(results.refusals[unshipped.pk], ParcelNotShipped)
    assert "GLS ONLY-A-LABEL has not been shipped" in str(results.refusals[unshipped.pk])
    assert set(PARCEL_VERBS) == {edge.name for edge in PARCEL.edges} - {HAND_OVER.name}
    assert mark_parcels([ParcelMark(unshipped.pk, VOID)], actor=ACTOR).done_ids == [unshipped.pk]


def test_staff_hand_a_shipped_parcel_over_again_is_unchanged(shipped: Parcel) -> None:
    assert mark_parcels([ParcelMark(shipped.pk, HAND_OVER)], actor=ACTOR).unchanged_ids == [shipped.pk]
