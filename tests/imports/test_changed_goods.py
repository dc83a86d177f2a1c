"""Changed rows of known orders: lines and amounts by a confirmed change, previewed, applied, taken back exactly."""

from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import pytest
from django.core import mail
from django.db.models import Sum

from config.kernel import outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.audit import run_audit
from config.kernel.languages import readers_words
from fulfillment.errors import OrderHeld
from inventory.models import Reservation, Sku, StockLevel
from orders.changes import SetAddress
from orders.enums import HoldKind, ImportPlan, ImportPolicy, MailKind, ProposalStatus
from orders.models import Address, Hold, ImportRun, LinePart, Notification, Order, Proposal
from orders.services.confirming import confirm_orders
from orders.services.importing import changing
from orders.services.importing.finishing import finish_runs
from orders.services.importing.rolling_back import roll_back_runs
from orders.services.mapping import SkuMapping, map_skus
from orders.services.payments import PaymentReport, report_payments
from orders.services.proposals.confirming import confirm_proposals
from orders.states import IMPORT, PLACE
from tests.factories.fulfillment import make_confirmed, stock
from tests.factories.imports import HEADER, apply, check, problems_of, row, text_of, work
from tests.factories.inventory import make_level, make_location, make_sku, receive
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line, neutral_payment
from tests.factories.proposals import change

pytestmark = pytest.mark.django_db


def deliver() -> None:
    for lane in outbox.LANES:
        outbox.deliver_due(lane)


def image(order: Order) -> Mapping[str, Any]:
    """All that a file may change of an order and its stock; lines of no units say nothing."""
    parts = LinePart.objects.filter(line__order=order).exclude(ordered=0)
    live = Reservation.objects.filter(reference_id__in=parts.values("pk"), state__in=["open", "waiting"])
    claims = live.values_list("reference_id", "state", "level", "priority", "queued_at")
    order.refresh_from_db()
    return {
        "order": (
            order.lines_amount, order.discount_amount, order.charges_amount, order.tax_amount,
            order.total_computed_amount, order.total_difference_amount, order.owed_amount, order.changed_amount,
            order.status, order.fulfillment_status, order.payment_status, order.shipping_method,
        ),
        "lines": list(
            order.lines.exclude(quantity=0)
            .order_by("pk")
            .values_list("pk", "quantity", "unit_amount", "total_amount", "discount_amount", "tax_amount")
        ),
        "parts": list(parts.order_by("pk").values_list("pk", "ordered", "allocated", "cancelled", "value_amount")),
        "taxes": sorted(order.tax_lines.values_list("line", "charge", "rate", "amount")),
        "claims": sorted(map(str, claims.annotate(units=Sum("quantity")))),
        "levels": list(StockLevel.objects.order_by("pk").values_list("pk", "on_hand", "reserved")),
    }  # fmt: skip


def roll_back(run: ImportRun) -> None:
    work(roll_back_runs([run.pk], actor=SYSTEM).only())
    run.refresh_from_db()


def assert_clean() -> None:
    assert [found for found in run_audit() if found.violations] == []


def taxed(order: str, sku: str, quantity: str, price: str, *, more: str = "") -> str:
    return f"{row(order, sku, quantity, price)},22{more}"


def units_of(order: Order) -> dict[str, int]:
    """Units by the state of their reservations."""
    parts = LinePart.objects.filter(line__order=order)
    live = Reservation.objects.filter(reference_id__in=parts.values("pk"), state__in=["open", "waiting"])
    return dict(live.order_by().values_list("state").annotate(units=Sum("quantity")))


TAXED = f"{HEADER},tax_rate"


@pytest.fixture
def shelf() -> None:
    place = make_location()
    for code, units in (("MUG", 5), ("CUP", 5), ("JUG", 1)):
        make_level(make_sku(code), place, on_hand=units)


def test_changed_lines_and_prices_are_previewed_applied_and_taken_back_exactly(shelf: None) -> None:
    first = apply(
        check(text_of(taxed("W-1", "MUG", "2", "10.00"), taxed("W-1", "CUP", "1", "4.00"), header=TAXED))
    )
    work(finish_runs([first.pk], actor=SYSTEM).only())
    deliver()
    order = Order.objects.get()
    before, told = image(order), len(mail.outbox)

    rows = (taxed("W-1", "MUG", "3", "9.50"), taxed("W-1", "JUG", "2", "7.00"))
    run = check(text_of(*rows, header=TAXED))

    staged = run.staged.get()
    assert (staged.plan, staged.changes) == (
        ImportPlan.UPDATE,
        [
            {"field": "quantity:MUG", "before": "2", "after": "3"},
            {"field": "price:MUG", "before": "10.00", "after": "9.50"},
            {"field": "line:CUP", "before": "1 × 4.00", "after": ""},
            {"field": "line:JUG", "before": "", "after": "2 × 7.00"},
            {"field": "total", "before": "24.00", "after": "42.50"},
        ],
    )
    assert image(order) == before, "a check writes nothing"

    apply(run)
    deliver()
    order.refresh_from_db()
    assert order.owed_amount == D("42.50")
    assert order.total_difference_amount == 0
    assert [
        (line.sku_code, line.quantity, line.total_amount) for line in order.lines.exclude(quantity=0)
    ] == [
        ("MUG", 3, D("28.50")),
        ("JUG", 2, D(14)),
    ]
    assert order.fulfillment_status == "backordered", "one of two jugs is there"
    assert Hold.objects.get(lifted_at=None).facts == {"run": run.pk}
    assert len(mail.outbox) == told, "nobody is told before it is finished"
    assert_clean()

    roll_back(run)
    deliver()
    assert image(order) == before
    assert run.staged.get().result == "taken_back"
    assert not Hold.objects.filter(lifted_at=None).exists()
    assert len(mail.outbox) == told
    assert_clean()
    again = check(text_of(*rows, header=TAXED))
    assert again.staged.get().plan == ImportPlan.UPDATE


def test_finished_change_is_let_go_and_its_buyer_is_told_what_still_holds(shelf: None) -> None:
    make_order(external_id="W-1", lines=(neutral_line("JUG", 1, unit="10.00"),))
    deliver()
    order = Order.objects.get()
    told = len(mail.outbox)
    content = text_of(row("W-1", "JUG", "3"))
    run = apply(check(content))
    deliver()
    assert (order.holds.get(lifted_at=None).kind, len(mail.outbox)) == (HoldKind.IMPORT, told)

    work(finish_runs([run.pk], actor=SYSTEM).only())
    deliver()

    assert not order.holds.filter(kind=HoldKind.IMPORT, lifted_at=None).exists()
    assert [one.subject for one in mail.outbox[told:]] != []
    assert check(content).staged.get().plan == ImportPlan.KEEP, "the same file again changes nothing"
    assert Proposal.objects.get().status == ProposalStatus.CONFIRMED
    assert_clean()


def test_discount_and_shipping_that_a_file_states_anew_are_taken_over_to_the_coin(shelf: None) -> None:
    make_order(external_id="W-1", lines=(neutral_line("MUG", 3, unit="10.00"),))
    header = f"{HEADER},line_discount_amount,shipping_amount"

    run = check(text_of(f"{row('W-1', quantity='3')},4.99,5.00", header=header))

    assert run.staged.get().changes == [
        {"field": "shipping_amount", "before": "0.00", "after": "5.00"},
        {"field": "discount:MUG", "before": "0.00", "after": "4.99"},
        {"field": "total", "before": "30.00", "after": "30.01"},
    ]
    apply(run)
    order = Order.objects.get()
    assert (order.owed_amount, order.total_computed_amount) == (D("30.01"), D("30.01"))
    assert_clean()


def test_unknown_sku_cannot_be_added_by_a_file(shelf: None) -> None:
    order = make_order(external_id="W-1")
    before = image(order)

    run = check(text_of(row("W-1", "NEW")))

    assert [code for _line, code, _column, _value in problems_of(run)] == ["lines_differ"]
    assert readers_words(run.problems.get().more) == (
        f"{order.number}: “NEW” is no SKU that we know, and only a known one can be added"
    )
    assert image(order) == before


def test_total_that_no_change_of_lines_explains_is_refused_with_both_figures(shelf: None) -> None:
    make_order(external_id="W-1")
    number = Order.objects.get().number

    run = check(text_of(f"{row('W-1', quantity='3')},31.00", header=f"{HEADER},total_amount"))

    (problem,) = run.problems.all()
    assert (problem.code, readers_words(problem.more)) == (
        "lines_differ", f"{number}: {number} would come to 30.00, the file says 31.00",
    )  # fmt: skip
    assert run.staged.get().plan == ImportPlan.REFUSE


def test_change_of_an_order_on_the_floor_or_of_an_unfinished_import_is_refused(shelf: None) -> None:
    from fulfillment.services.releasing import release_orders

    order = make_confirmed(external_id="W-1")
    release_orders([order.pk], actor=SYSTEM).raise_refusals()
    apply(check(text_of(row("W-2"))))

    run = check(text_of(row("W-1", quantity="1"), row("W-2", quantity="1")))

    assert [code for _line, code, _column, _value in problems_of(run)] == ["at_work", "import_open"]
    assert dict(run.staged.values_list("key", "plan")) == {"W-1": "refuse", "W-2": "refuse"}


def test_order_begun_on_the_floor_after_the_check_is_refused_when_it_is_applied(shelf: None) -> None:
    from fulfillment.services.releasing import release_orders

    order = make_confirmed(external_id="W-1")
    run = check(text_of(row("W-1", quantity="1"), row("W-2")))
    release_orders([order.pk], actor=SYSTEM).raise_refusals()
    before = image(order)

    apply(run, ImportPolicy.GOOD_ONES)

    assert dict(run.staged.values_list("key", "result")) == {"W-1": "refused", "W-2": "created"}
    assert "is at work in the warehouse and differs" in run.problems.get().more
    assert image(order) == before
    assert_clean()


def test_held_change_is_not_released_to_the_warehouse_before_it_is_finished(shelf: None) -> None:
    from fulfillment.services.releasing import release_orders

    order = make_confirmed(external_id="W-1")
    run = apply(check(text_of(row("W-1", quantity="1"))))

    refusal = release_orders([order.pk], actor=SYSTEM).refusals[order.pk]
    assert isinstance(refusal, OrderHeld)
    work(finish_runs([run.pk], actor=SYSTEM).only())
    assert release_orders([order.pk], actor=SYSTEM).refusals == {}


def test_goods_that_somebody_changed_since_are_kept_with_a_note(shelf: None) -> None:
    from orders.changes import SetQuantity

    make_order(external_id="W-1")
    order = Order.objects.get()
    run = apply(check(text_of(row("W-1", quantity="1"))))
    change(order, SetQuantity(order.lines.get().pk, 4))
    before = image(order)

    roll_back(run)

    assert image(order) == before
    assert (run.staged.get().result, run.staged.get().note) == ("taken_back", "goods_kept")
    assert not order.holds.filter(kind=HoldKind.IMPORT, lifted_at=None).exists()
    assert_clean()


def test_roll_back_keeps_an_address_that_somebody_corrected_meanwhile(shelf: None) -> None:
    make_order(external_id="W-1", lines=(neutral_line("MUG", 5, unit="10.00"),))
    order = Order.objects.get()
    run = apply(check(text_of(row("W-1", quantity="2"))))
    moved = Address.objects.get(pk=Order.objects.get().ship_to_id)
    moved.pk, moved.line1 = None, "Via Nuova 9"
    moved.save()
    corrected = change(order, SetAddress(moved.pk)).ship_to_id

    roll_back(run)

    order.refresh_from_db()
    assert order.ship_to_id == corrected == moved.pk
    assert run.staged.get().note == "fields_kept"


@pytest.mark.parametrize("is_control", [False, True])
def test_buyer_gets_no_mail_of_a_change_that_a_file_brought(
    shelf: None, monkeypatch: pytest.MonkeyPatch, is_control: bool
) -> None:
    make_order(external_id="W-1", lines=(neutral_line("MUG", 5, unit="10.00"),))
    order = Order.objects.get()
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    deliver()
    if is_control:
        monkeypatch.setattr(
            changing, "confirm_proposals", lambda ids, *, is_told, actor: confirm_proposals(ids, actor=actor)
        )
    run = apply(check(text_of(row("W-1", quantity="2"))))
    # Finished before the worker came to the news.
    work(finish_runs([run.pk], actor=SYSTEM).only())
    deliver()

    assert Notification.objects.filter(order=order, kind=MailKind.CHANGE).exists() == is_control


def test_units_that_somebody_took_meanwhile_are_waited_for_after_a_roll_back(shelf: None) -> None:
    make_order(external_id="W-1", lines=(neutral_line("MUG", 5, unit="10.00"),))
    deliver()
    order = Order.objects.get()
    run = apply(check(text_of(row("W-1", quantity="2"))))
    deliver()
    make_order(external_id="W-2", lines=(neutral_line("MUG", 3, unit="10.00"),))
    deliver()

    roll_back(run)
    deliver()

    part = LinePart.objects.get(line__order=order)
    assert (part.ordered, part.allocated) == (5, 2)
    assert Reservation.objects.get(reference_id=part.pk, state="waiting").quantity == 3
    assert_clean()


def test_order_whose_units_are_gone_costs_no_other_its_place_in_line() -> None:
    place = make_location()
    make_level(make_sku("MUG"), place, on_hand=5)
    cup = make_sku("CUP")
    gone, kept, behind = (
        make_order(external_id=f"W-{number}", lines=(neutral_line(code, units, unit="10.00"),))
        for number, (code, units) in enumerate((("MUG", 5), ("CUP", 3), ("CUP", 3)))
    )
    deliver()
    run = apply(check(text_of(row("W-0", quantity="1"), row("W-1", "CUP", "1"))))
    deliver()
    make_order(external_id="W-3", lines=(neutral_line("MUG", 4, unit="10.00"),))
    deliver()

    roll_back(run)
    receive(cup, place, 3)
    deliver()

    assert units_of(gone) == {"open": 1, "waiting": 4}
    assert (units_of(kept), units_of(behind)) == ({"open": 3}, {"waiting": 3})
    assert_clean()


def test_units_that_a_line_got_when_its_sku_became_known_stay_its_own_after_a_roll_back() -> None:
    place = make_location()
    for code, units in (("MUG", 5), ("CUP", 2)):
        make_level(make_sku(code), place, on_hand=units)
    lines = (neutral_line("MUG", 2, unit="10.00"), neutral_line("ODD", 2, unit="1.00"))
    order = make_order(external_id="W-1", lines=lines, skus=False)
    deliver()
    run = apply(check(text_of(row("W-1", quantity="3"), row("W-1", "ODD", "2", "1.00"))))
    mapped = SkuMapping(order.sales_channel_id, "ODD", Sku.objects.get(code="CUP").pk)
    map_skus([mapped], actor=SYSTEM).raise_refusals()
    deliver()
    behind = make_order(external_id="W-2", lines=(neutral_line("CUP", 2),))
    deliver()
    assert (units_of(order), units_of(behind)) == ({"open": 5}, {"waiting": 2})

    roll_back(run)
    deliver()

    assert (units_of(order), units_of(behind)) == ({"open": 4}, {"waiting": 2})
    assert_clean()


def test_person_who_may_not_change_orders_changes_none_by_a_file(shelf: None) -> None:
    make_order(external_id="W-1")
    before = image(Order.objects.get())
    run = check(text_of(row("W-1", quantity="3")))
    clerk = Actor(ActorKind.USER, 1, "eve", frozenset({IMPORT, PLACE.permission}))
    from orders.services.importing.applying import apply_run, apply_runs
    from orders.services.importing.work import Alone

    apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=clerk).only()
    apply_run(run.pk, Alone(), actor=clerk)

    assert run.staged.get().result == "refused"
    assert "may not" in run.problems.get().more
    assert image(Order.objects.get()) == before


def test_changes_of_many_orders_need_a_fixed_number_of_statements(
    shelf: None, django_assert_max_num_queries: Any
) -> None:
    stock({"MUG": 100})
    for n in range(8):
        make_order(external_id=f"W-{n}")
    small, large = (
        check(text_of(*(row(f"W-{n}", quantity=str(3 + count % 2)) for n in range(count))))
        for count in (2, 8)
    )

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as two:
        apply(small)
    with CaptureQueriesContext(connection) as eight:
        apply(large, ImportPolicy.GOOD_ONES)
    if connection.vendor == "postgresql":
        assert len(eight) <= len(two) + 4


def test_units_given_back_by_a_roll_back_are_promised_for_the_day_of_the_order(shelf: None) -> None:
    """Also where the file came when no promise stood on what orders had reserved before they were confirmed."""
    make_order(external_id="W-1", lines=(neutral_line("MUG", 5, unit="10.00"),))
    deliver()
    order = Order.objects.get()
    confirm_orders([order.pk], actor=SYSTEM).raise_refusals()
    live = Reservation.objects.filter(state="open")
    ((promised,),) = live.values_list("promised_at")
    live.update(promised_at=None)
    run = apply(check(text_of(row("W-1", quantity="2"))))
    live.update(promised_at=promised)

    roll_back(run)

    assert live.aggregate(units=Sum("quantity")) == {"units": 5}
    assert set(live.values_list("promised_at", flat=True)) == {promised}


def told_of_money(order: Order, **fields: Any) -> None:
    paid = neutral_payment("50.00", **fields)
    report_payments([PaymentReport(order.pk, (paid,))], actor=SYSTEM).raise_refusals()


def test_roll_back_holds_no_order_as_unpaid_that_was_paid_meanwhile(shelf: None) -> None:
    channel = make_channel(unpaid_hold_hours=2)
    make_order(channel=channel, external_id="W-1", lines=(neutral_line("MUG", 5, unit="10.00"),), payments=())
    deliver()
    order = Order.objects.get()
    run = apply(check(text_of(row("W-1", quantity="2")), channel=channel))
    told_of_money(order)

    roll_back(run)

    assert not Hold.objects.filter(order=order, lifted_at=None).exists()
    assert set(Reservation.objects.filter(state="open").values_list("expires_at", flat=True)) == {None}
    assert units_of(order) == {"open": 5}
    assert_clean()


def test_roll_back_keeps_the_hold_of_an_order_whose_money_was_sent_back_meanwhile(shelf: None) -> None:
    make_order(
        external_id="W-1",
        lines=(neutral_line("MUG", 5, unit="10.00"),),
        payments=(neutral_payment("50.00"),),
    )
    deliver()
    order = Order.objects.get()
    run = apply(check(text_of(row("W-1", quantity="2"))))
    told_of_money(order, refunded_amount=D(50))

    roll_back(run)

    assert [hold.kind for hold in Hold.objects.filter(order=order, lifted_at=None)] == ["unpaid"]
    assert_clean()


@pytest.mark.parametrize("before", ["0.00", "10.00"])
def test_roll_back_leaves_an_order_held_as_unpaid_as_it_was(shelf: None, before: str) -> None:
    """A change that makes a free order cost something holds it, and one that makes it free lifts the hold."""
    after = {"0.00": "10.00", "10.00": "0.00"}[before]
    make_order(external_id="W-1", lines=(neutral_line("MUG", 2, unit=before),), payments=())
    deliver()
    held = Hold.objects.filter(kind=HoldKind.UNPAID, lifted_at=None)
    was = held.exists()
    run = apply(check(text_of(row("W-1", price=after))))
    assert held.exists() is not was

    roll_back(run)

    assert held.exists() is was
    assert_clean()
