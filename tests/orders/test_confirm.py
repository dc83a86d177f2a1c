"""Confirming: refused by holds that refuse it, promised in working days, told once."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import NotAllowed
from config.kernel.models import Delivery, Event, Fact
from orders.enums import HoldKind, NeutralState, OrderStatus
from orders.models import Order
from orders.services.confirming import confirm_orders
from orders.services.holds import place_hold, release_holds
from orders.working_days import working_day
from tests.factories.orders import SYSTEM, make_channel, make_entity, make_order, neutral_address

pytestmark = pytest.mark.django_db


def told() -> int:
    return Fact.objects.filter(kind="order.confirmed").count()


def test_confirm_orders_confirms_promises_and_tells(frozen_clock: datetime) -> None:
    order = make_order()

    results = confirm_orders([order.pk], actor=SYSTEM)

    order.refresh_from_db()
    assert results.done_ids == [order.pk]
    assert (order.status, order.confirmed_at, order.dispatch_by_on) == (
        "confirmed",
        frozen_clock,
        date(2026, 3, 4),
    )
    event = Event.objects.get(kind="confirm")
    assert (event.from_status, event.to_status, event.thread_id) == ("placed", "confirmed", order.pk)
    assert list(Delivery.objects.filter(lane="mail").values_list("fact__kind", "fact__subject_id")) == [
        ("order.confirmed", order.pk)
    ]


def test_confirm_orders_twice_is_unchanged() -> None:
    order = make_order()
    confirm_orders([order.pk], actor=SYSTEM)

    assert confirm_orders([order.pk], actor=SYSTEM).unchanged_ids == [order.pk]
    assert told() == 1


HELD = [
    ({"total_amount": None}, "awaiting_details"),
    ({"total_amount": Decimal(99)}, "totals"),
    ({"ship_to": neutral_address(city="")}, "address"),
    ({"is_test": True}, "manual"),
]


@pytest.mark.parametrize(("fields", "kind"), HELD)
def test_confirm_orders_refused_by_hold_names_it_and_writes_nothing(fields, kind: str) -> None:
    order = make_order(**fields)

    results = confirm_orders([order.pk], actor=SYSTEM)

    refusal = results.refusals[order.pk]
    assert (refusal.code, refusal.facts["kinds"]) == ("hold_open", (kind,))
    assert str(HoldKind(kind).label) in str(refusal)
    order.refresh_from_db()
    assert (order.status, order.confirmed_at, order.dispatch_by_on, told()) == ("placed", None, None, 0)


def test_confirm_orders_refusal_names_all_holds_once() -> None:
    order = make_order(ship_to=neutral_address(city=""), payments=())
    for reason in ("a", "b"):
        place_hold([order.pk], kind=HoldKind.MANUAL, reason=reason, actor=SYSTEM)

    refusal = confirm_orders([order.pk], actor=SYSTEM).refusals[order.pk]

    assert refusal.facts["kinds"] == ("address", "manual")
    assert str(refusal) == "“Confirm” is refused by an open hold: Address, Held by staff."


def test_confirm_orders_unpaid_or_unknown_sku_may_be_confirmed() -> None:
    order = make_order(payments=(), skus=False)

    assert confirm_orders([order.pk], actor=SYSTEM).done_ids == [order.pk]


def test_confirm_orders_after_the_hold_is_lifted() -> None:
    order = make_order(ship_to=neutral_address(city=""))
    release_holds([order.pk], kind=HoldKind.ADDRESS, actor=SYSTEM)

    assert confirm_orders([order.pk], actor=SYSTEM).done_ids == [order.pk]


def test_confirm_orders_refuses_closed_draft_and_unknown_beside_a_good_one() -> None:
    good, closed, draft = make_order(), make_order(state=NeutralState.CANCELLED), make_order()
    Order.objects.filter(pk=draft.pk).update(status=OrderStatus.DRAFT)

    results = confirm_orders([good.pk, closed.pk, draft.pk, 999], actor=SYSTEM)

    assert results.done_ids == [good.pk]
    assert {pk: error.code for pk, error in results.refusals.items()} == {
        closed.pk: "order_closed",
        draft.pk: "illegal_transition",
        999: "not_found",
    }
    assert told() == 1


def test_confirm_orders_needs_the_right_to_confirm() -> None:
    order = make_order()
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset({"orders.place_order"}))

    with pytest.raises(NotAllowed):
        confirm_orders([order.pk], actor=clerk)

    assert told() == 0


def test_confirm_orders_counts_days_in_the_legal_entitys_zone() -> None:
    entity = make_entity(code="JP", country_code="JP", time_zone="Asia/Tokyo")
    shops = [make_channel(), make_channel(code="jp", legal_entity=entity, dispatch_days=1)]
    orders = [make_order(channel=shop) for shop in shops]

    with clock.frozen(datetime(2026, 3, 5, 16, tzinfo=UTC)):  # Thursday; in Tokyo Friday has begun
        confirm_orders([order.pk for order in orders], actor=SYSTEM)

    assert list(Order.objects.order_by("pk").values_list("dispatch_by_on", flat=True)) == [
        date(2026, 3, 9),
        date(2026, 3, 9),
    ]


@pytest.mark.parametrize(
    ("start", "days", "day"),
    [
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
        (date(2026, 3, 2), 4, date(2026, 3, 6)),
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 0, date(2026, 3, 9)),
        (date(2026, 3, 8), 1, date(2026, 3, 10)),
        (date(2026, 3, 6), 11, date(2026, 3, 23)),
    ],
)
def test_working_day_skips_the_weekend(start: date, days: int, day: date) -> None:
    assert working_day(start, days) == day
