"""`map_skus` and `revive_orders`: lines that waited for their SKU come alive, to the coin; what is refused."""

from decimal import Decimal

import pytest

from config.kernel import clock, outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.models import Event, Fact
from inventory.models import Sku
from orders import intake_rules
from orders.admin.mapping import map_typed
from orders.admin.words import hold_text
from orders.enums import FulfillmentStatus, HoldKind
from orders.models import Hold, LinePart, OrderLine, SkuAlias
from orders.services import reviving
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.mapping import SkuMapping, map_skus
from orders.services.reviving import revive_known_orders, revive_orders
from orders.tasks import sweep_unknown_skus
from tests.factories.inventory import make_kit, make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.map_sku"}))


def unknown_order(*codes: str, quantity: int = 2, **fields: object):
    lines = tuple(neutral_line(code, quantity) for code in codes or ("OLD-2019",))
    return make_order(lines=lines, skus=False, **fields)


def map_old(sku: Sku, code: str = "OLD-2019", actor: Actor = STAFF):
    return map_skus([SkuMapping(make_channel().pk, code, sku.pk)], actor=actor)


def assert_clean() -> None:
    outbox.deliver_due("work")
    assert [found for finding in run_audit() for found in finding.violations] == []


def test_map_brings_waiting_lines_to_life_and_allocation_follows() -> None:
    mug = make_sku("MUG")
    receive(mug, make_location(), 5)
    order = unknown_order()
    outbox.deliver_due("work")

    results = map_old(mug)

    assert results.done_ids == [(order.sales_channel_id, "OLD-2019")]
    line = OrderLine.objects.get()
    assert (line.sku_id, line.sku_code) == (mug.pk, "OLD-2019")
    assert not Hold.objects.filter(lifted_at=None).exists()
    event = Event.objects.get(kind="sku_mapped")
    assert (event.facts, event.actor_id) == ({"code": "OLD-2019", "sku": mug.pk}, 1)
    assert Fact.objects.filter(kind="order.lines_known", subject_id=order.pk).count() == 1
    outbox.deliver_due("work")
    order.refresh_from_db()
    assert order.fulfillment_status == FulfillmentStatus.ALLOCATED
    assert_clean()


def test_map_to_a_kit_freezes_its_parts_with_value_shares() -> None:
    cup, jug = make_sku("CUP"), make_sku("JUG")
    kit = make_kit({cup: 2, jug: 1}, code="SET")
    kit.kit_parts.filter(part=jug).update(value_weight=4)
    order = unknown_order(quantity=3)
    line = OrderLine.objects.get()
    cancel_units([CancelUnits(order.pk, {line.pk: 1})], reason="one less", actor=SYSTEM).raise_refusals()

    map_old(kit).raise_refusals()

    parts = LinePart.objects.order_by("sku__code")
    assert list(parts.values_list("sku__code", "per_unit", "value_weight", "ordered", "cancelled")) == [
        ("CUP", 2, 1, 6, 2),
        ("JUG", 1, 4, 3, 1),
    ]
    assert list(parts.values_list("value_amount", flat=True)) == [Decimal(10), Decimal(20)]
    assert sum(part.value_amount for part in parts) == line.total_amount == Decimal(30)
    assert_clean()


def pallet_and_cup() -> tuple[Sku, Sku]:
    """A kit of a thousand cups, and the cup."""
    cup = make_sku("CUP")
    return make_kit({cup: 1000}, code="PALLET"), cup


def test_map_to_a_kit_of_more_units_than_can_be_counted_holds_the_order_and_serves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake_rules, "MOST_UNITS", 9_999)
    pallet, cup = pallet_and_cup()
    large, small = unknown_order(quantity=10), unknown_order(quantity=9)
    version = large.version

    assert map_old(pallet).raise_refusals() is None

    parts = LinePart.objects.order_by("pk").values_list("line__order_id", "sku", "ordered")
    assert list(parts) == [(large.pk, None, 10), (small.pk, cup.pk, 9000)]
    hold = Hold.objects.get(kind="unknown_sku", lifted_at=None)
    assert (hold.order_id, hold.facts) == (large.pk, {"skus": ["OLD-2019"], "too_many": ["OLD-2019"]})
    assert "More units of a kit's part than one line can have: OLD-2019." in hold_text(hold)
    assert "Unknown: OLD-2019" not in hold_text(hold)
    large.refresh_from_db()
    assert large.version == version + 1
    problem = revive_orders([large.pk], actor=SYSTEM).refusals[large.pk]
    assert (problem.code, problem.facts["value"]) == ("invalid_input", "10")
    large.refresh_from_db()
    assert large.version == version + 1
    line = OrderLine.objects.get(order=large)
    cancel_units([CancelUnits(large.pk, {line.pk: 1})], reason="one less", actor=SYSTEM).raise_refusals()
    assert Hold.objects.get(pk=hold.pk).facts == hold.facts
    assert_clean()


def test_sweep_passes_orders_that_cannot_come_to_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_rules, "MOST_UNITS", 9_999)
    monkeypatch.setattr(reviving, "MAX_BATCH", 2)
    for quantity in (10, 11, 12, 1, 2, 3):
        unknown_order(quantity=quantity)
    pallet, _cup = pallet_and_cup()
    SkuAlias.objects.create(sales_channel=make_channel(), code="OLD-2019", sku=pallet, mapped_at=clock.now())

    assert (revive_known_orders(), revive_known_orders()) == (3, 0)

    assert sorted(LinePart.objects.exclude(sku=None).values_list("ordered", flat=True)) == [1000, 2000, 3000]
    assert Hold.objects.filter(facts__too_many__0="OLD-2019", lifted_at=None).count() == 3
    assert_clean()


def test_map_on_the_page_of_an_order_that_it_cannot_bring_to_life_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake_rules, "MOST_UNITS", 9_999)
    pallet, cup = pallet_and_cup()
    order = unknown_order(quantity=10)

    problem = map_typed([order.pk], code="OLD-2019", sku=pallet, actor=SYSTEM).refusals[order.pk]

    assert (problem.code, problem.facts["field"]) == ("invalid_input", "OLD-2019")
    assert not SkuAlias.objects.exists()
    assert map_typed([order.pk], code="OLD-2019", sku=cup, actor=SYSTEM).done_ids == [order.pk]


def test_map_serves_future_orders_of_that_channel_only() -> None:
    mug = make_sku("MUG")
    map_old(mug).raise_refusals()

    ours, other = unknown_order(), unknown_order(channel=make_channel(code="other"))

    assert OrderLine.objects.get(order=ours).sku_id == mug.pk
    assert OrderLine.objects.get(order=other).sku_id is None
    assert_clean()


def test_our_own_code_means_our_sku_whatever_is_mapped() -> None:
    mug, cup = make_sku("MUG"), make_sku("CUP")
    map_old(cup, "MUG").raise_refusals()

    order = unknown_order("MUG")

    assert OrderLine.objects.get(order=order).sku_id == mug.pk


def test_hold_stays_with_what_is_still_unknown() -> None:
    order = unknown_order("OLD-2019", "ODD")

    map_old(make_sku("MUG")).raise_refusals()

    hold = Hold.objects.get(order=order, lifted_at=None)
    assert (hold.kind, hold.facts) == (HoldKind.UNKNOWN_SKU, {"skus": ["ODD"]})


def test_map_twice_is_unchanged_and_elsewhere_keeps_what_lives() -> None:
    mug, cup = make_sku("MUG"), make_sku("CUP")
    order = unknown_order()
    map_old(mug).raise_refusals()
    events = Event.objects.count()

    again = map_old(mug)
    assert again.unchanged_ids == again.keys
    assert Event.objects.count() == events

    assert map_old(cup).done_ids
    assert SkuAlias.objects.get().sku_id == cup.pk
    assert OrderLine.objects.get(order=order).sku_id == mug.pk


def test_map_leaves_closed_orders_alone() -> None:
    history = unknown_order(is_history=True)

    map_old(make_sku("MUG")).raise_refusals()

    assert OrderLine.objects.get(order=history).sku_id is None
    assert revive_orders([history.pk], actor=SYSTEM).refusals[history.pk].code == "history_order"
    assert revive_orders([404], actor=SYSTEM).refusals[404].code == "not_found"


def test_map_of_what_cannot_be_shipped_or_found_is_refused() -> None:
    mug, empty = (
        make_sku("MUG"),
        Sku.objects.create(code="EMPTY", title="-", is_kit=True, created_at="2026-01-01T00:00Z"),
    )
    channel = make_channel()
    unknown_order()
    wanted = [
        SkuMapping(channel.pk, "A", 404),
        SkuMapping(404, "B", mug.pk),
        SkuMapping(channel.pk, "C", empty.pk),
        SkuMapping(channel.pk, "  ", mug.pk),
    ]

    with nothing_written():
        refusals = map_skus(wanted, actor=STAFF).refusals

    assert [type(refusals[one.key]) for one in wanted] == [NotFound, NotFound, InvalidInput, InvalidInput]


def test_map_without_right_is_not_allowed() -> None:
    with pytest.raises(NotAllowed):
        map_old(make_sku("MUG"), actor=Actor(ActorKind.USER, 1, "guest", frozenset()))


def test_sweep_revives_lines_whose_sku_was_made_since_and_twice_changes_nothing() -> None:
    order = unknown_order()
    make_sku("OLD-2019")

    sweep_unknown_skus()

    assert OrderLine.objects.get(order=order).sku.code == "OLD-2019"
    with nothing_written():
        sweep_unknown_skus()
    assert_clean()


@pytest.mark.postgres
def test_map_takes_as_many_statements_for_twenty_orders_as_for_two() -> None:
    mug, cup = make_sku("MUG"), make_sku("CUP")
    for _number in range(2):
        unknown_order("FEW")
    for _number in range(20):
        unknown_order("MANY")

    few = statements(lambda: map_old(mug, "FEW").raise_refusals())

    assert statements(lambda: map_old(cup, "MANY").raise_refusals()) == few
