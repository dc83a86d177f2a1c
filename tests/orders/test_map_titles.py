"""`map_title`: lines without a code get their SKU, in the orders that were named and in no other."""

from dataclasses import replace

import pytest

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event
from inventory.models import Sku
from orders import intake_rules
from orders.enums import FulfillmentStatus
from orders.models import Hold, LinePart, Order, OrderLine
from orders.services.mapping_titles import map_title
from orders.services.reviving import revive_orders
from tests.factories.inventory import make_kit, make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_order, neutral_line
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.map_sku"}))


def order_of(*named: tuple[str, str], quantity: int = 2, **fields: object) -> Order:
    """An order of unknown lines, each (code, title)."""
    lines = [
        replace(neutral_line(code, quantity), title=title) for code, title in named or [("", "Blue mug")]
    ]
    lines = [replace(line, external_id=f"line-{place}") for place, line in enumerate(lines)]
    return make_order(lines=tuple(lines), skus=False, **fields)


def map_blue(*orders: Order, sku: Sku, actor: Actor = STAFF):
    return map_title([order.pk for order in orders], title="Blue mug", sku_id=sku.pk, actor=actor)


def assert_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_map_gives_lines_of_this_title_their_sku_and_allocation_follows() -> None:
    mug = make_sku("MUG")
    receive(mug, make_location(), 9)
    order, other = order_of(), order_of()

    assert map_blue(order, sku=mug).done_ids == [order.pk]

    line = OrderLine.objects.get(order=order)
    assert (line.sku_id, line.sku_code, line.title) == (mug.pk, "", "Blue mug")
    assert Hold.objects.get(kind="unknown_sku", lifted_at=None).order_id == other.pk
    event = Event.objects.get(kind="sku_mapped")
    assert (event.facts, event.actor_id) == ({"code": "Blue mug", "sku": mug.pk}, 1)
    outbox.deliver_due("work")
    order.refresh_from_db()
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    with nothing_written():
        assert map_blue(order, sku=mug).unchanged_ids == [order.pk]
    assert_clean()


def test_map_leaves_other_titles_and_lines_with_a_code_alone() -> None:
    mug = make_sku("MUG")
    order = order_of(("", "Blue mug"), ("", "blue mug"), ("OLD", "Blue mug"))

    map_blue(order, sku=mug).raise_refusals()

    lines = OrderLine.objects.order_by("position").values_list("sku__code", flat=True)
    assert list(lines) == ["MUG", None, None]
    assert Hold.objects.get(lifted_at=None, kind="unknown_sku").facts["skus"] == ["blue mug", "OLD"]
    assert revive_orders([order.pk], actor=SYSTEM).unchanged_ids == [order.pk]
    assert_clean()


def test_map_to_a_kit_of_more_units_than_can_be_counted_is_refused_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake_rules, "MOST_UNITS", 9_999)
    pallet = make_kit({make_sku("CUP"): 1000}, code="PALLET")
    large, small = order_of(quantity=10), order_of(quantity=9)

    results = map_blue(large, small, sku=pallet)

    assert (results.done_ids, results.refusals[large.pk].facts["field"]) == ([small.pk], "Blue mug")
    parts = LinePart.objects.order_by("pk").values_list("sku__code", "ordered")
    assert list(parts) == [(None, 10), ("CUP", 9000)]
    assert Hold.objects.get(order=large, kind="unknown_sku").facts["too_many"] == ["Blue mug"]
    assert_clean()


def test_map_refuses_closed_and_unseen_orders_and_what_cannot_be_shipped() -> None:
    mug, order, history = make_sku("MUG"), order_of(), order_of(is_history=True)
    empty = Sku.objects.create(code="EMPTY", title="-", is_kit=True, created_at="2026-01-01T00:00Z")
    elsewhere = Actor(ActorKind.USER, 1, "rosa", STAFF.permissions, frozenset({1}))

    with nothing_written():
        refusals = map_title([history.pk, 404], title="Blue mug", sku_id=mug.pk, actor=STAFF).refusals
        assert [refusals[pk].code for pk in (history.pk, 404)] == ["history_order", "not_found"]
        assert map_blue(order, sku=mug, actor=elsewhere).refusals[order.pk].code == "not_found"
        with pytest.raises(InvalidInput):
            map_blue(order, sku=empty)
        with pytest.raises(NotFound):
            map_title([order.pk], title="Blue mug", sku_id=404, actor=STAFF)
        with pytest.raises(NotAllowed):
            map_blue(order, sku=mug, actor=Actor(ActorKind.USER, 1, "guest", frozenset()))


@pytest.mark.postgres
def test_map_takes_as_many_statements_for_twenty_orders_as_for_two() -> None:
    mug = make_sku("MUG")
    few, many = [order_of() for _number in range(2)], [order_of() for _number in range(20)]

    count = statements(lambda: map_blue(*few, sku=mug).raise_refusals())

    assert statements(lambda: map_blue(*many, sku=mug).raise_refusals()) == count
