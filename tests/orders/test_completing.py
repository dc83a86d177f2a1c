"""`complete_orders` and `reopen_orders`: by hand, once all that is owed has left; and taken back."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.errors import IllegalTransition, NotAllowed
from config.kernel.models import Event
from config.kernel.states import Edge
from fulfillment.enums import ParcelStatus
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.releasing import release_orders
from fulfillment.services.shipping import ship_by_hand
from fulfillment.services.tracking import ParcelMark, mark_parcels, record_tracking
from fulfillment.states import LOSE, SEND_BACK
from inventory.models import Sku
from orders.enums import HoldKind, OrderStatus
from orders.errors import (
    ChangeUndecided,
    HistoryOrder,
    NeverConfirmed,
    NotAllShipped,
    OrderClosed,
    OrderOnHold,
)
from orders.models import LinePart, Order, Proposal
from orders.services.cancelling import cancel_orders
from orders.services.completing import complete_orders, reopen_orders
from orders.services.confirming import confirm_orders
from orders.services.delays import unnoted_delays
from orders.services.holds import place_hold, release_holds
from orders.services.proposals.confirming import confirm_proposals
from orders.services.proposals.opening import drop_proposals, open_proposals
from orders.services.proposals.wishes import NewLine
from tests.factories.fulfillment import hand, make_delivered, make_shipped, stock, told
from tests.factories.orders import make_order, neutral_line
from tests.factories.proposals import change, propose
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.complete_order", "orders.reopen_order"}))
RULE = Actor.rule("tests")


def confirmed(**fields) -> Order:
    order = make_order(**fields)
    confirm_orders([order.pk], actor=RULE).raise_refusals()
    return order


def broken(codes: Iterable[str] = ()) -> list[str]:
    return [str(found) for finding in run_audit(codes) for found in finding.violations]


def complete(order: Order):
    return complete_orders([order.pk], actor=STAFF)


def test_complete_delivered_order_is_done(frozen_clock) -> None:
    order = confirmed()
    LinePart.objects.update(shipped=2, delivered=2)

    assert complete(order).done_ids == [order.pk]

    order.refresh_from_db()
    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, frozen_clock)
    assert Event.objects.get(kind="complete").actor_id == 1


def test_complete_order_without_goods_is_done() -> None:
    order = confirmed(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))

    assert complete(order).done_ids == [order.pk]


def test_complete_second_call_is_unchanged() -> None:
    order = confirmed(lines=(neutral_line("GIFTCARD", 1, requires_shipping=False),))
    complete(order)
    events = Event.objects.count()

    assert complete(order).unchanged_ids == [order.pk]
    assert Event.objects.count() == events


def test_complete_shipped_order_is_done_and_later_news_changes_only_where_its_goods_are() -> None:
    parcel = make_shipped()
    order = parcel.order

    assert complete(order).done_ids == [order.pk]
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "shipped")
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=RULE).raise_refusals()

    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "delivered")
    assert LinePart.objects.get().delivered == 2
    assert Event.objects.filter(kind="complete").count() == 1
    assert broken() == []


@pytest.mark.parametrize("edge", [LOSE, SEND_BACK])
def test_complete_order_whose_parcel_never_arrives_is_done(edge: Edge) -> None:
    parcel = make_shipped()
    mark_parcels([ParcelMark(parcel.pk, edge)], actor=RULE).raise_refusals()

    assert complete(parcel.order).done_ids == [parcel.order_id]
    assert broken() == []


def test_complete_units_have_not_left_is_refused() -> None:
    order = confirmed()
    LinePart.objects.update(shipped=1, delivered=1)

    problem = complete(order).refusals[order.pk]

    assert isinstance(problem, NotAllShipped)
    assert problem.facts == {"number": order.number, "missing": 1}
    assert str(problem) == f"Order {order.number}: units that have not left yet: 1."
    assert Order.objects.get().status == OrderStatus.CONFIRMED


def test_complete_held_order_is_refused_until_the_hold_is_lifted() -> None:
    order = make_shipped().order
    place_hold([order.pk], kind=HoldKind.MANUAL, reason="ask", actor=RULE).raise_refusals()

    problem = complete(order).refusals[order.pk]

    assert isinstance(problem, OrderOnHold)
    assert str(problem) == f"Order {order.number} is held (Held by staff); lift that first."
    assert Order.objects.get().status == OrderStatus.CONFIRMED
    release_holds([order.pk], kind=HoldKind.MANUAL, actor=RULE).raise_refusals()
    assert complete(order).done_ids == [order.pk]


@pytest.mark.parametrize("status", ["open", "stale"])
def test_complete_order_with_an_undecided_change_is_refused_until_it_is_dropped(status: str) -> None:
    order = make_shipped().order
    pk = open_proposals([order.pk], actor=RULE).only()
    Proposal.objects.update(status=status)

    problem = complete(order).refusals[order.pk]

    assert isinstance(problem, ChangeUndecided)
    assert problem.facts == {"number": order.number, "proposal": pk}
    drop_proposals([pk], actor=RULE).raise_refusals()
    assert complete(order).done_ids == [order.pk]


def test_complete_before_confirm_is_refused() -> None:
    order = make_order()

    assert isinstance(complete(order).refusals[order.pk], IllegalTransition)


def test_complete_cancelled_order_is_refused() -> None:
    order = make_order()
    cancel_orders([order.pk], reason="test", actor=RULE).raise_refusals()

    assert isinstance(complete(order).refusals[order.pk], OrderClosed)


def test_complete_unknown_id_is_refused() -> None:
    assert complete_orders([404], actor=STAFF).refusals[404].code == "not_found"


def test_complete_without_permission_is_not_allowed() -> None:
    with pytest.raises(NotAllowed):
        complete_orders([make_order().pk], actor=Actor(ActorKind.USER, 1, "guest", frozenset()))


def reopen(order: Order):
    return reopen_orders([order.pk], actor=STAFF)


def test_reopen_completed_order_is_confirmed_again_and_what_is_added_ships_and_ends_it() -> None:
    order = make_delivered().order
    stock({"JUG": 1})

    assert reopen(order).done_ids == [order.pk]
    order.refresh_from_db()
    assert (order.status, order.completed_at) == ("confirmed", None)
    assert Event.objects.get(kind="reopen").actor_id == 1
    assert broken() == []

    new = NewLine(Sku.objects.get(code="JUG").pk, 1, Decimal("3.00"))
    confirm_proposals([propose(order, new).pk], actor=RULE).raise_refusals()
    (work,) = release_orders([order.pk], actor=RULE).only()
    parcel = Parcel.objects.get(
        pk=ship_by_hand([hand(FulfillmentOrder.objects.get(pk=work))], actor=RULE).only()
    )
    record_tracking([told(parcel, ParcelStatus.DELIVERED)], actor=RULE).raise_refusals()

    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("completed", "delivered")
    assert broken() == []


def test_reopen_promises_anew_so_that_what_is_added_is_not_late_at_once(frozen_clock) -> None:
    order = make_delivered().order
    first = order.dispatch_by_on
    stock({"JUG": 1})

    with clock.frozen(frozen_clock + timedelta(days=4)):
        reopen(order).raise_refusals()
        change(order, NewLine(Sku.objects.get(code="JUG").pk, 1, Decimal("3.00")))

        assert (first, order.dispatch_by_on) == (date(2026, 3, 4), date(2026, 3, 10))
        assert order.fulfillment_status == "partly_shipped"
        # What was due four days ago and was never delivered here is no fault of the orders.
        assert broken(code for code in INVARIANTS if code.startswith("orders.")) == []
    with clock.frozen(frozen_clock + timedelta(days=4, minutes=1)):
        assert unnoted_delays() == []
    with clock.frozen(frozen_clock + timedelta(days=9)):
        assert unnoted_delays() == [order.pk]


def test_reopen_takes_completing_by_hand_back() -> None:
    order = make_shipped().order
    complete(order).raise_refusals()

    assert reopen(order).done_ids == [order.pk]
    assert reopen(order).unchanged_ids == [order.pk]
    assert complete(order).done_ids == [order.pk]
    assert list(Event.objects.filter(kind__in=("complete", "reopen")).values_list("kind", flat=True)) == [
        "complete", "reopen", "complete",
    ]  # fmt: skip


def test_reopen_what_was_not_completed_is_refused() -> None:
    gone, past, new = make_order(), make_order(is_history=True), make_order()
    cancel_orders([gone.pk], reason="test", actor=RULE).raise_refusals()

    results = reopen_orders([gone.pk, past.pk, new.pk, 404], actor=STAFF)

    assert [type(results.refusals[pk]) for pk in (gone.pk, past.pk, new.pk)] == [
        IllegalTransition, HistoryOrder, IllegalTransition,
    ]  # fmt: skip
    assert results.refusals[404].code == "not_found"
    assert not Event.objects.filter(kind="reopen").exists()


def test_reopen_what_was_never_confirmed_is_refused_and_has_no_button() -> None:
    before = make_order(lines=(neutral_line(quantity=2, shipped_quantity=2),))
    rest = make_order(lines=(neutral_line(quantity=3, shipped_quantity=1),))
    cancel_orders([rest.pk], reason="test", actor=RULE).raise_refusals()
    support = visitor("Support")

    results = reopen_orders([before.pk, rest.pk], actor=STAFF)

    assert [type(problem) for problem in results.refusals.values()] == [NeverConfirmed, NeverConfirmed]
    for order in (before, rest):
        order.refresh_from_db()
        assert (order.status, order.confirmed_at) == ("completed", None)
        page = support.get(f"/orders/order/{order.pk}/change/").context["page"]
        assert "reopen" not in [button["name"] for button in page["actions"]]
    assert not Event.objects.filter(kind="reopen").exists()


def test_reopen_without_permission_is_not_allowed() -> None:
    with pytest.raises(NotAllowed):
        reopen_orders([make_order().pk], actor=Actor(ActorKind.USER, 1, "guest", frozenset()))
