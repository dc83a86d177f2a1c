"""Low-stock alerts: one a level, raised and cleared with the movement or by the sweep, settled by people."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import clock, outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.enums import DeliveryState
from config.kernel.errors import InvalidInput, NotAllowed
from config.kernel.models import Delivery, Event, Fact
from inventory.enums import AlertStatus
from inventory.models import Location, LowStockAlert, Sku, StockLevel
from inventory.selectors.previews import Change, preview
from inventory.services.alerts import acknowledge_alerts, refresh_alerts, snooze_alerts, wake_alerts
from inventory.services.catalogue import PartOfKit, SkuChange, change_skus, save_kits
from inventory.services.levels import lock_levels
from inventory.services.policies import LevelPolicy, set_policies
from inventory.services.reservations import release_reservations
from inventory.subscribers import LOW_STOCK
from inventory.tasks import sweep_low_stock
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive, reserve

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = NOON + timedelta(days=7)


@pytest.fixture
def sku() -> Sku:
    return make_sku()


@pytest.fixture
def place(sku: Sku) -> Location:
    """Ten units, low at four."""
    place = make_location()
    make_level(sku, place, 10)
    watch(sku, place, 4)
    return place


def watch(sku: Sku, place: Location, point: int, buffer: int = 0) -> None:
    policy = LevelPolicy(sku.pk, place.pk, reorder_point=point, buffer=buffer)
    set_policies([policy], actor=ACTOR).raise_refusals()


def delivered() -> list[tuple[str, int]]:
    """What the alerts are once the news has been brought."""
    outbox.deliver_due("work")
    return list(LowStockAlert.objects.order_by("pk").values_list("status", "units"))


def news() -> int:
    return Fact.objects.filter(kind="stock.reorder_point_crossed").count()


def raised(sku: Sku, place: Location) -> LowStockAlert:
    with clock.frozen(NOON):
        reserve(sku, place, 6)
        outbox.deliver_due("work")
    return LowStockAlert.objects.get()


def test_reservation_that_leaves_the_reorder_point_raises_one_alert(
    sku: Sku, place: Location, audit: Callable[[], dict]
) -> None:
    reserve(sku, place, 5)
    assert news() == 0

    reserve(sku, place, 1)
    reserve(sku, place, 1)

    assert news() == 1
    assert delivered() == [("open", 3)]
    alert = LowStockAlert.objects.get()
    event = Event.objects.get(subject_type="low_stock_alert")
    assert (event.kind, event.subject_id, event.facts) == (
        "created",
        alert.pk,
        {"units": 3, "reorder_point": 4},
    )
    assert audit() == {}


def test_alert_is_cleared_by_units_and_armed_again(
    sku: Sku, place: Location, audit: Callable[[], dict]
) -> None:
    held = reserve(sku, place, 6)
    assert delivered() == [("open", 4)]

    receive(sku, place, 1)
    assert delivered() == [("cleared", 4)]
    assert LowStockAlert.objects.get().cleared_at is not None
    reserve(sku, place, 1)
    assert delivered() == [("cleared", 4), ("open", 4)]
    with transaction.atomic():
        release_reservations([held], reason="no", levels=lock_levels([sku.pk]), actor=ACTOR)
    assert delivered() == [("cleared", 4), ("cleared", 4)]
    assert audit() == {}


def test_news_delivered_twice_or_late_changes_nothing(sku: Sku, place: Location) -> None:
    held = reserve(sku, place, 6)
    with transaction.atomic():
        release_reservations([held], reason="no", levels=lock_levels([sku.pk]), actor=ACTOR)

    assert news() == 2
    assert delivered() == []
    states = Delivery.objects.filter(subscriber=LOW_STOCK).values_list("state", flat=True)
    assert list(states) == ["delivered", "delivered"]


def test_buffer_counts_as_stock_and_no_reorder_point_as_no_alert(sku: Sku, place: Location) -> None:
    watch(sku, place, 4, buffer=9)
    assert delivered() == []

    watch(sku, place, 0)
    reserve(sku, place, 10)
    assert delivered() == []


def test_setting_the_reorder_point_raises_and_clears(sku: Sku, place: Location) -> None:
    watch(sku, place, 10)
    assert delivered() == [("open", 10)]

    watch(sku, place, 9)
    assert delivered() == [("cleared", 10)]


def test_level_without_reorder_point_costs_no_statement(sku: Sku, place: Location) -> None:
    other = make_sku()
    make_level(other, place, 10)
    counts = []
    for goods in (other, sku):
        with CaptureQueriesContext(connection) as queries:
            reserve(goods, place, 3)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_second_alert_of_a_level_is_refused_by_the_database(sku: Sku, place: Location) -> None:
    alert = raised(sku, place)
    alert.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save(force_insert=True)


def test_sweep_raises_clears_and_wakes_what_no_news_told(
    sku: Sku, place: Location, audit: Callable[[], dict]
) -> None:
    StockLevel.objects.update(reorder_point=10)
    assert audit() == {"stock.low_alerts": [f"stock_level:{StockLevel.objects.get().pk}"]}

    sweep_low_stock()
    sweep_low_stock()
    alert = LowStockAlert.objects.get()
    assert alert.status == AlertStatus.OPEN

    StockLevel.objects.update(reorder_point=1)
    assert audit() == {"stock.low_alerts": [f"low_stock_alert:{alert.pk}"]}
    sweep_low_stock()
    assert LowStockAlert.objects.get().status == AlertStatus.CLEARED
    assert audit() == {}


@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.UNKNOWN])
def test_news_that_was_given_up_excuses_no_alert_that_is_missing(
    sku: Sku, place: Location, audit: Callable[[], dict], state: str
) -> None:
    reserve(sku, place, 6)
    assert audit() == {}

    Delivery.objects.filter(subscriber=LOW_STOCK).update(state=state)

    assert audit() == {"stock.low_alerts": [f"stock_level:{StockLevel.objects.get().pk}"]}


def test_acknowledge_alerts_keeps_the_reason(sku: Sku, place: Location) -> None:
    alert = raised(sku, place)

    results = acknowledge_alerts([alert.pk, 404], reason=" Ordered 200 ", actor=ACTOR)
    again = acknowledge_alerts([alert.pk], reason="Again", actor=ACTOR)

    alert.refresh_from_db()
    assert (alert.status, alert.reason) == (AlertStatus.ACKNOWLEDGED, "Ordered 200")
    assert (results.refusals[404].code, again.unchanged_ids) == ("not_found", [alert.pk])
    event = Event.objects.get(kind="acknowledge")
    assert (event.thread_id, event.facts) == (alert.pk, {"reason": "Ordered 200"})
    assert refresh_alerts([alert.level_id], actor=ACTOR).unchanged_ids == [alert.level_id]


def test_snooze_alerts_sleeps_until_its_time_and_wakes_once(sku: Sku, place: Location) -> None:
    alert = raised(sku, place)
    with clock.frozen(NOON):
        snooze_alerts([alert.pk], until=WEEK, reason="Summer", actor=ACTOR).raise_refusals()
        again = snooze_alerts([alert.pk], until=WEEK, reason="Summer", actor=ACTOR)
        sweep_low_stock()
    alert.refresh_from_db()
    assert (alert.status, alert.snoozed_until, again.unchanged_ids) == ("snoozed", WEEK, [alert.pk])

    with clock.frozen(WEEK):
        sweep_low_stock()
        sweep_low_stock()

    alert.refresh_from_db()
    assert (alert.status, alert.snoozed_until) == ("open", None)
    kinds = Event.objects.filter(subject_type="low_stock_alert").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["created", "snooze", "wake"]


def test_snoozed_alert_is_cleared_by_units(sku: Sku, place: Location) -> None:
    alert = raised(sku, place)
    with clock.frozen(NOON):
        snooze_alerts([alert.pk], until=WEEK, reason="Summer", actor=ACTOR).raise_refusals()

    receive(sku, place, 1)

    assert delivered() == [("cleared", 4)]
    with clock.frozen(NOON):
        refused = snooze_alerts([alert.pk], until=WEEK, reason="Again", actor=ACTOR)
    assert refused.refusals[alert.pk].code == "illegal_transition"
    assert wake_alerts([alert.pk], actor=ACTOR).unchanged_ids == [alert.pk]


@pytest.mark.postgres
def test_waking_takes_as_many_statements_for_twenty_alerts_as_for_one(place: Location) -> None:
    counts = []
    for count in (1, 20):
        with clock.frozen(NOON):
            for _number in range(count):
                low = make_sku()
                make_level(low, place, 3)
                watch(low, place, 4)
            outbox.deliver_due("work")
            alerts = list(LowStockAlert.objects.filter(status="open").values_list("pk", flat=True))
            assert len(alerts) == count
            snooze_alerts(alerts, until=WEEK, reason="Summer", actor=ACTOR).raise_refusals()
        with clock.frozen(WEEK), CaptureQueriesContext(connection) as captured:
            wake_alerts(alerts, actor=ACTOR).raise_refusals()
        acknowledge_alerts(alerts, reason="Ordered", actor=ACTOR).raise_refusals()
        counts.append(len(captured))

    assert counts == [7, 7]


@pytest.mark.parametrize("until", [NOON, NOON + timedelta(days=91)])
def test_snooze_alerts_into_the_past_or_for_ever_is_refused(
    sku: Sku, place: Location, until: datetime
) -> None:
    alert = raised(sku, place)

    with clock.frozen(NOON), pytest.raises(InvalidInput):
        snooze_alerts([alert.pk], until=until, reason="No", actor=ACTOR)

    alert.refresh_from_db()
    assert alert.status == AlertStatus.OPEN


def test_settling_needs_a_reason_and_the_right(sku: Sku, place: Location) -> None:
    alert = raised(sku, place)
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset())

    with pytest.raises(InvalidInput):
        acknowledge_alerts([alert.pk], reason="  ", actor=ACTOR)
    with pytest.raises(NotAllowed):
        acknowledge_alerts([alert.pk], reason="Mine", actor=clerk)
    with pytest.raises(NotAllowed):
        snooze_alerts([alert.pk], until=WEEK, reason="Mine", actor=clerk)
    with pytest.raises(NotAllowed):
        refresh_alerts([alert.level_id], actor=clerk)

    assert Event.objects.filter(subject_type="low_stock_alert").count() == 1


def test_refresh_alerts_of_an_unknown_level_is_refused() -> None:
    assert refresh_alerts([404], actor=ACTOR).refusals[404].code == "not_found"


def test_closed_location_has_no_alert_and_is_raised_again_when_it_opens(sku: Sku, place: Location) -> None:
    raised(sku, place)
    Location.objects.filter(pk=place.pk).update(is_active=False)

    sweep_low_stock()
    assert [one.status for one in LowStockAlert.objects.all()] == [AlertStatus.CLEARED]
    level = StockLevel.objects.get(sku=sku)
    assert refresh_alerts([level.pk], actor=ACTOR).unchanged_ids == [level.pk]

    Location.objects.filter(pk=place.pk).update(is_active=True)
    sweep_low_stock()
    assert LowStockAlert.objects.filter(status=AlertStatus.OPEN).count() == 1


def test_sku_that_is_no_longer_active_has_no_alert_until_it_is_again(sku: Sku, place: Location) -> None:
    raised(sku, place)

    change_skus([SkuChange(sku.code, is_active=False)], actor=ACTOR).raise_refusals()
    assert delivered() == [("cleared", 4)]
    (line,) = preview({(sku.pk, place.pk): Change(on_hand=1)}).lines
    assert line.alert == ""

    change_skus([SkuChange(sku.code, is_active=True)], actor=ACTOR).raise_refusals()
    assert delivered() == [("cleared", 4), ("open", 4)]


def test_sku_that_becomes_a_kit_has_no_alert(sku: Sku, place: Location) -> None:
    empty = make_sku()
    watch(empty, place, 4)
    assert delivered() == [("open", 0)]

    save_kits([empty.pk], parts={empty.pk: [PartOfKit(sku.pk)]}, actor=ACTOR).raise_refusals()

    assert delivered() == [("cleared", 0)]
    sweep_low_stock()
    assert LowStockAlert.objects.count() == 1
