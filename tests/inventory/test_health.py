"""Stock health: what the job finds, and setting a level to its ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.errors import InvalidInput, NotAllowed, NotFound
from config.kernel.jobs import run_job
from config.kernel.models import Event, Fact, Job
from inventory.errors import LedgerTooLow
from inventory.models import BinStock, StockCheck, StockLevel, StockMovement, UnsellableStock
from inventory.selectors.health import Difference, differences
from inventory.services.health import start_stock_check, stock_codes
from inventory.services.repairing import repair_levels
from inventory.services.setting_aside import Aside, set_aside
from inventory.tasks import sweep_health
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, reserve

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.fixture
def level() -> StockLevel:
    """Nine units, two of them set aside, three reserved."""
    sku, place = make_sku("MUG"), make_location("TO", name="Torino")
    level = make_level(sku, place, 9)
    set_aside(
        [Aside("a", sku.pk, place.pk, 2)], reason="damaged", note="Broken", actor=ACTOR
    ).raise_refusals()
    reserve(sku, place, 3)
    level.refresh_from_db()
    return level


def spoil(level: StockLevel) -> None:
    """As a row changed behind the verbs would stand."""
    StockLevel.objects.filter(pk=level.pk).update(on_hand=12, reserved=1, unsellable=4)
    BinStock.objects.filter(level=level, bin__kind="default").update(quantity=10)
    UnsellableStock.objects.filter(level=level).update(quantity=1)


def figures(level: StockLevel) -> tuple[int, int, int]:
    level.refresh_from_db()
    return (level.on_hand, level.reserved, level.unsellable)


def breaches() -> list[str]:
    return [finding.invariant.code for finding in run_audit(stock_codes()) if finding.violations]


def test_differences_of_a_sound_level_are_none(level: StockLevel) -> None:
    assert differences([level]) == {}


def test_differences_name_each_number(level: StockLevel) -> None:
    default = BinStock.objects.get(level=level, bin__kind="default").bin_id
    spoil(level)
    level.refresh_from_db()

    assert differences([level]) == {
        level.pk: [
            Difference("on_hand", 12, 9),
            Difference("reserved", 1, 3),
            Difference("unsellable", 4, 2),
            Difference("bin", 10, 7, default),
            Difference("aside", 1, 2, "damaged"),
        ]
    }


def test_repair_levels_sets_every_number_and_leaves_the_ledger(level: StockLevel) -> None:
    spoil(level)
    assert "stock.on_hand_ledger" in breaches()
    movements = list(StockMovement.objects.values_list("pk", "delta", "balance_after"))

    results = repair_levels([level.pk], reason="  Restored from a dump ", actor=ACTOR)

    assert results.values == {level.pk: 5}
    assert figures(level) == (9, 3, 2)
    assert list(StockMovement.objects.values_list("pk", "delta", "balance_after")) == movements
    assert breaches() == []
    event = Event.objects.get(kind="repaired")
    assert (event.subject_type, event.subject_id, event.actor_label) == ("stock_level", level.pk, ACTOR.label)
    assert event.facts["reason"] == "Restored from a dump"
    assert event.facts["numbers"][:3] == [
        ["on_hand", "", 12, 9], ["reserved", "", 1, 3], ["unsellable", "", 4, 2],
    ]  # fmt: skip
    assert Fact.objects.filter(kind="stock.freed", subject_id=level.sku_id).exists()


def test_repair_levels_brings_back_rows_that_are_gone(level: StockLevel) -> None:
    BinStock.objects.filter(level=level).delete()
    UnsellableStock.objects.filter(level=level).delete()

    repair_levels([level.pk], reason="Rows lost", actor=ACTOR).raise_refusals()

    assert figures(level) == (9, 3, 2)
    assert breaches() == []


def test_repair_levels_again_or_of_a_sound_level_is_unchanged(level: StockLevel) -> None:
    spoil(level)
    repair_levels([level.pk], reason="Once", actor=ACTOR).raise_refusals()
    events, version = Event.objects.count(), level.version

    results = repair_levels([level.pk], reason="Twice", actor=ACTOR)

    assert results.unchanged_ids == [level.pk]
    assert Event.objects.count() == events
    assert version <= StockLevel.objects.get(pk=level.pk).version


def test_repair_levels_refuses_a_ledger_below_its_promises_and_writes_nothing(level: StockLevel) -> None:
    other = make_level(make_sku("JUG"), level.location, 4)
    StockLevel.objects.filter(pk=other.pk).update(on_hand=9)
    reserve(other.sku, level.location, 6)
    events = Event.objects.count()

    results = repair_levels([other.pk, 404], reason="Try", actor=ACTOR)

    assert isinstance(results.refusals[other.pk], LedgerTooLow)
    assert results.refusals[other.pk].facts == {"on_hand": 4, "reserved": 6, "unsellable": 0}
    assert isinstance(results.refusals[404], NotFound)
    assert figures(other) == (9, 6, 0)
    assert Event.objects.count() == events


def test_repair_levels_without_right_or_reason_is_refused(level: StockLevel) -> None:
    spoil(level)
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset({"inventory.adjust_stock"}))

    with pytest.raises(NotAllowed):
        repair_levels([level.pk], reason="Mine", actor=clerk)
    with pytest.raises(InvalidInput):
        repair_levels([level.pk], reason=" ", actor=ACTOR)

    assert figures(level) == (12, 1, 4)


def test_repair_levels_of_another_location_is_not_found(level: StockLevel) -> None:
    spoil(level)
    bound = Actor(ActorKind.USER, 1, "there", frozenset({"inventory.repair_stock"}), frozenset({404}))

    results = repair_levels([level.pk], reason="Not mine", actor=bound)

    assert isinstance(results.refusals[level.pk], NotFound)
    assert figures(level) == (12, 1, 4)


def test_check_keeps_what_each_rule_said_and_says_anew_after_the_repair(level: StockLevel) -> None:
    spoil(level)
    run_job(start_stock_check("Check", actor=ACTOR))
    assert StockCheck.objects.count() == len(stock_codes())
    check = StockCheck.objects.get(code="stock.on_hand_ledger")
    assert check.violations == [[f"stock_level:{level.pk}", "on_hand is 12, the movements sum to 9"]]
    assert StockCheck.objects.get(code="stock.kits").violation_count == 0

    repair_levels([level.pk], reason="Repaired", actor=ACTOR).raise_refusals()
    job = start_stock_check("Check", actor=ACTOR)
    run_job(job)

    assert not StockCheck.objects.filter(violation_count__gt=0).exists()
    assert Job.objects.get(pk=job).result == {"checked": len(stock_codes()), "broken": []}


def test_start_stock_check_twice_gives_the_same_job_and_needs_the_right() -> None:
    first = start_stock_check("Check", actor=ACTOR)

    assert start_stock_check("Check", actor=ACTOR) == first
    with pytest.raises(NotAllowed):
        start_stock_check("Check", actor=Actor(ActorKind.USER, 1, "clerk", frozenset()))


def test_sweep_has_the_figures_checked_once_a_night() -> None:
    def jobs_after(at: datetime) -> int:
        with clock.frozen(at):
            sweep_health()
            sweep_health()
            for pk in Job.objects.filter(state="queued").values_list("pk", flat=True):
                run_job(pk)
        return Job.objects.filter(kind="stock_check").count()

    assert jobs_after(NIGHT) == 1
    assert jobs_after(NIGHT + timedelta(hours=23, minutes=59)) == 1
    assert jobs_after(NIGHT + timedelta(hours=24)) == 2
