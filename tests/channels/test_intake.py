"""Bodies from outside become orders; what cannot is kept with its reason and can be tried again."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from channels import bodies as cutting
from channels.errors import PayloadError
from channels.services import intake
from channels.services.intake import Body, read_raw_orders, sweep_raw_orders, take_in
from config.kernel import clock
from config.kernel.actors import Actor, ActorKind
from config.kernel.errors import InvalidInput, NotAllowed, TooMany
from config.kernel.languages import readers_words
from config.kernel.models import Event, Fact
from orders.admin.words import hold_text, hold_title
from orders.enums import ChannelKind
from orders.models import Hold, Order, RawOrder
from orders.selectors.work import unread
from orders.services.accepting import Incoming, accept_orders
from orders.services.raw import RawEntry, store_raw_orders
from orders.services.rereading import close_raw_orders, retry_raw_orders
from tests.channels import bodies, shopify_bodies
from tests.factories.orders import SYSTEM, assert_sums_up, make_channel

pytestmark = pytest.mark.django_db


def take(*texts: str, kind: ChannelKind = ChannelKind.WOOCOMMERCE):
    channel = make_channel(code=kind.value, kind=kind)
    given = [Body(str(place), text) for place, text in enumerate(texts)]
    return take_in(given, sales_channel_id=channel.pk, door="test", actor=SYSTEM)


def woo(**fields: Any) -> str:
    return json.dumps(bodies.woo_order(**fields))


def test_take_in_keeps_reads_and_accepts() -> None:
    text = woo()

    results = take(text)

    order, raw = Order.objects.get(), RawOrder.objects.get()
    assert (results.done_ids, results.values) == (["0"], {"0": order.pk})
    assert (raw.body, raw.source, raw.external_id, raw.order) == (text, "test:woocommerce", "501", order)
    assert (raw.problem, raw.settled_at is not None) == ("", True)
    assert (order.external_id, order.external_number, order.total_sent_amount) == (
        "501",
        "B-501",
        Decimal("25.62"),
    )
    assert_sums_up(order)


@pytest.mark.parametrize(
    ("kind", "body", "total"),
    [
        (ChannelKind.WOOCOMMERCE, bodies.woo_yen_order(), Decimal(2970)),
        (ChannelKind.WEB_SHOP, bodies.medusa_order(), Decimal("76.68")),
    ],
)
def test_take_in_each_kind_by_its_adapter(kind: ChannelKind, body: Any, total: Decimal) -> None:
    take(json.dumps(body), kind=kind)

    order = Order.objects.get()
    assert order.total_sent_amount == total
    assert_sums_up(order)


def test_take_in_twice_is_unchanged() -> None:
    first = take(woo())

    second = take(woo())

    assert (second.unchanged_ids, second.values) == (["0"], first.values)
    assert (Order.objects.count(), RawOrder.objects.count()) == (1, 1)


def test_take_in_one_bad_body_spoils_no_other() -> None:
    results = take(woo(id=1), "{", woo(id=2, line_items=[]), woo(id=3, currency="?"), "[]", woo(id=4))

    assert results.done_ids == ["0", "5"]
    assert [error.code for error in results.refusals.values()] == [
        "payload_invalid",
        "invalid_input",
        "payload_invalid",
        "payload_invalid",
    ]
    assert (RawOrder.objects.count(), Order.objects.count()) == (6, 2)
    left = RawOrder.objects.filter(order=None)
    assert {readers_words(raw.problem) for raw in left} == {str(error) for error in results.refusals.values()}
    assert [raw.settled_at for raw in left] == [None] * 4
    assert readers_words(left.get(external_id="2").problem).startswith("lines:")


def test_take_in_a_defect_of_an_adapter_is_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: ChannelKind, body: str) -> Any:
        if body.startswith('{"id": 1,'):
            raise ZeroDivisionError("secret")
        return read(kind, body)

    read = intake.read_order
    monkeypatch.setattr(intake, "read_order", broken)

    results = take(woo(id=1), woo(id=2))

    assert results.done_ids == ["1"]
    assert str(results.refusals["0"]) == "The body could not be read (ZeroDivisionError)."


def test_read_raw_orders_again_after_the_problem_was_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: ChannelKind, body: str) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(intake, "read_order", broken)
        take(woo())
    (raw,) = RawOrder.objects.all()
    assert raw.problem

    results = read_raw_orders([raw.pk], actor=SYSTEM)

    raw.refresh_from_db()
    assert results.values == {raw.pk: Order.objects.get().pk}
    assert (raw.problem, raw.order) == ("", Order.objects.get())
    assert read_raw_orders([raw.pk], actor=SYSTEM).unchanged_ids == [raw.pk]


def test_read_raw_orders_kind_without_adapter_keeps_the_reason() -> None:
    results = take("{}", kind=ChannelKind.PHONE)

    assert results.refusals["0"].code == "no_adapter"
    assert "“Phone”" in RawOrder.objects.get().problem


def test_read_raw_orders_unknown_id_and_too_many() -> None:
    assert read_raw_orders([99], actor=SYSTEM).refusals[99].code == "not_found"
    with pytest.raises(TooMany):
        read_raw_orders(range(201), actor=SYSTEM)


def test_take_in_later_body_brings_payments_up_to_date() -> None:
    unpaid = {"status": "pending", "date_paid_gmt": None, "transaction_id": ""}
    take(woo(**unpaid))
    order = Order.objects.get()
    assert (
        order.payment_status,
        [hold.kind for hold in Hold.objects.filter(lifted_at=None, kind="unpaid")],
    ) == (
        "unpaid",
        ["unpaid"],
    )

    results = take(woo(transaction_id=""))

    order.refresh_from_db()
    assert (results.unchanged_ids, order.payment_status) == (["0"], "paid")
    assert Hold.objects.filter(lifted_at=None, kind="unpaid").count() == 0
    assert set(RawOrder.objects.values_list("order_id", flat=True)) == {order.pk}


def test_take_in_cancelled_out_there_holds_the_order_here() -> None:
    take(woo())

    take(woo(status="cancelled"))
    take(woo(status="cancelled", customer_note="again"))

    order = Order.objects.get()
    assert order.status == "placed"
    assert Hold.objects.get(kind="cancel_requested").facts == {"cause": "cancelled_by_channel"}


def test_take_in_held_out_there_by_now_holds_the_order_here_until_it_is_let_go() -> None:
    take(woo())
    assert not Hold.objects.filter(kind="awaiting_details").exists()

    take(woo(status="on-hold"))

    hold = Hold.objects.get(kind="awaiting_details", lifted_at=None)
    assert hold.facts == {"missing": ["channel_release"]}
    assert "Missing: the channel holds it itself." in hold_text(hold)
    take(woo(customer_note="Checked"))
    hold.refresh_from_db()
    assert hold.lifted_at is not None


def test_take_in_released_and_cancelled_at_once_is_not_confirmed_on_the_way() -> None:
    channel = make_channel(code="woocommerce", kind=ChannelKind.WOOCOMMERCE, auto_confirm=True)
    take_in([Body("0", woo(status="on-hold"))], sales_channel_id=channel.pk, door="test", actor=SYSTEM)

    take_in([Body("0", woo(status="cancelled"))], sales_channel_id=channel.pk, door="test", actor=SYSTEM)

    holds = Hold.objects.filter(lifted_at=None).values_list("kind", flat=True)
    assert "cancel_requested" in holds
    assert not Fact.objects.filter(kind="order.confirmable").exists()


def refunded(total: str, back: str) -> str:
    return woo(total=total, refunds=[{"id": 9, "total": f"-{back}"}])


def test_take_in_payment_news_that_cannot_be_waits_for_a_person() -> None:
    take(refunded("25.62", "5.00"))
    order = Order.objects.get()

    results = take(refunded("20.00", "6.00"), woo(id=502))

    problem = results.refusals["0"]
    assert (problem.code, problem.facts["order"], results.done_ids) == ("news_refused", order.pk, ["1"])
    raw = RawOrder.objects.get(settled_at=None)
    assert readers_words(raw.problem) == str(problem)
    assert order.number in raw.problem
    assert "20.00" in raw.problem
    assert list(unread(RawOrder.objects.all())) == [raw]
    payment = order.payments.get()
    assert (payment.captured_amount, payment.refunded_amount) == (Decimal("25.62"), Decimal(5))
    assert retry_raw_orders([raw.pk], actor=SYSTEM).refusals[raw.pk].code == "news_refused"
    hold = Hold.objects.get(order=order, lifted_at=None, kind="manual")
    assert hold.facts == {"cause": "unclear_payment"}
    assert hold_title(hold.kind, hold.facts) == "What the channel now says of its payment was refused."
    assert hold_text(hold).startswith("Find out whether it is paid, then lift the hold or cancel the order.")


def test_take_in_voided_by_shopify_holds_the_order_as_unpaid() -> None:
    address = {"name": "Rosa Neri", "address1": "Via Po 3", "city": "Torino", "country_code": "IT"}
    for status in ("authorized", "voided"):
        body = shopify_bodies.rest_order(financial_status=status, shipping_address=address)
        assert not take(json.dumps(body), kind=ChannelKind.SHOPIFY).refusals

    order = Order.objects.get()
    assert (order.payment_status, order.payments.get().status) == ("unpaid", "voided")
    assert "unpaid" in Hold.objects.filter(lifted_at=None).values_list("kind", flat=True)


def test_take_in_news_of_the_last_of_several_bodies_counts() -> None:
    take(refunded("25.62", "5.00"))

    results = take(refunded("20.00", "6.00"), refunded("25.62", "6.00"))

    assert results.counts() == {"done": 0, "unchanged": 2, "refused": 0}
    assert Order.objects.get().payments.get().refunded_amount == Decimal(6)
    assert not unread(RawOrder.objects.all()).exists()


def test_close_raw_orders_takes_them_out_of_the_queue_with_the_reason() -> None:
    take("{", woo())
    refused, settled = RawOrder.objects.order_by("pk")
    waiting = RawOrder.objects.create(
        sales_channel=settled.sales_channel, source="x", body="y", body_hash="z", received_at=clock.now()
    )

    results = close_raw_orders(
        [refused.pk, settled.pk, waiting.pk, 404], reason="a test of theirs", actor=SYSTEM
    )

    assert (results.done_ids, results.unchanged_ids) == ([refused.pk], [settled.pk])
    assert [results.refusals[pk].code for pk in (waiting.pk, 404)] == ["not_refused", "not_found"]
    assert not unread(RawOrder.objects.all()).exists()
    refused.refresh_from_db()
    assert refused.problem
    assert refused.settled_at is not None
    event = Event.objects.get(thread_type="raworder")
    assert (event.thread_id, event.kind, event.facts) == (
        refused.pk,
        "closed",
        {"reason": "a test of theirs"},
    )
    assert close_raw_orders([refused.pk], reason="again", actor=SYSTEM).unchanged_ids == [refused.pk]
    assert Event.objects.filter(thread_type="raworder").count() == 1
    with pytest.raises(NotAllowed):
        close_raw_orders([refused.pk], reason="no", actor=Actor(ActorKind.USER, 1, "clerk", frozenset()))
    with pytest.raises(InvalidInput):
        close_raw_orders([refused.pk], reason=" ", actor=SYSTEM)


def test_refused_raw_order_is_closed_from_its_page(admin_client: Client) -> None:
    take("{")
    raw = RawOrder.objects.get()
    page = f"/orders/raworder/{raw.pk}/change/"
    assert "Nothing more to do" in admin_client.get(page).content.decode()
    form = admin_client.get(f"/orders/raworder/{raw.pk}/close/").content.decode()
    hidden = dict(re.findall(r'name="(version|nonce|last_event)" value="([^"]*)"', form))

    admin_client.post(f"/orders/raworder/{raw.pk}/close/", hidden | {"reason": "sent by mistake"})

    raw.refresh_from_db()
    assert raw.settled_at is not None
    shown = admin_client.get(page).content.decode()
    assert "sent by mistake" in shown
    assert "/close/" not in shown


def test_take_in_same_order_twice_in_one_call_by_different_bodies() -> None:
    results = take(woo(), woo(customer_note="later"))

    assert results.counts() == {"done": 1, "unchanged": 1, "refused": 0}
    assert results.values["0"] == results.values["1"] == Order.objects.get().pk
    assert RawOrder.objects.filter(order=None).count() == 0


def test_take_in_needs_the_right_to_place_but_keeps_the_body() -> None:
    channel = make_channel()
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset())

    with pytest.raises(NotAllowed):
        take_in([Body("a", woo())], sales_channel_id=channel.pk, door="test", actor=clerk)

    assert (Order.objects.count(), RawOrder.objects.count()) == (0, 1)


def test_sweep_raw_orders_reads_what_a_dead_door_left() -> None:
    channel = make_channel()
    entries = [
        RawEntry("a", "webhook:woocommerce", "", woo(id=1)),
        RawEntry("b", "csv-row", "", "not ours to read"),
    ]
    store_raw_orders(entries, sales_channel_id=channel.pk)

    assert sweep_raw_orders() == 0
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert sweep_raw_orders() == 1
        assert sweep_raw_orders() == 0

    assert Order.objects.get().external_id == "1"
    assert RawOrder.objects.get(source="csv-row").problem == ""


def test_sweep_raw_orders_is_not_kept_busy_by_bodies_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "MAX_BATCH", 2)
    entries = [RawEntry(f"row {number}", "csv-row", "", f"not ours to read: {number}") for number in range(2)]
    entries.append(RawEntry("z", "webhook:woocommerce", "", woo(id=1)))
    store_raw_orders(entries, sales_channel_id=make_channel().pk)

    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert sweep_raw_orders() == 1

    assert Order.objects.get().external_id == "1"


def test_sweep_raw_orders_takes_in_the_news_of_a_body_whose_reader_died(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(woo())

    def die(*_units: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(intake, "place_hold", die)
        with pytest.raises(KeyboardInterrupt):
            take(woo(status="cancelled"))
    assert Hold.objects.filter(kind="cancel_requested").count() == 0

    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert [sweep_raw_orders(), sweep_raw_orders()] == [1, 0]

    assert Hold.objects.filter(kind="cancel_requested").count() == 1
    assert set(RawOrder.objects.values_list("order_id", flat=True)) == {Order.objects.get().pk}


def test_sweep_raw_orders_reads_the_others_beside_one_that_breaks_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = make_channel()
    bodies_left = [RawEntry(str(number), "webhook:woocommerce", "", woo(id=number)) for number in (1, 2, 3)]
    store_raw_orders(bodies_left, sales_channel_id=channel.pk)

    def break_on_two(incoming: list[Incoming], **more: Any) -> Any:
        if any(one.key == "2" for one in incoming):
            raise RuntimeError("a defect of ours")
        return accept_orders(incoming, **more)

    monkeypatch.setattr(intake, "accept_orders", break_on_two)
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert [sweep_raw_orders(), sweep_raw_orders()] == [3, 0]

    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["1", "3"]
    assert (
        readers_words(RawOrder.objects.get(order=None).problem)
        == "The body could not be read (RuntimeError)."
    )


def test_sweep_raw_orders_leaves_a_problem_to_a_person() -> None:
    take("{")

    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert sweep_raw_orders() == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"id": 1, "total": 1.10}', ['{"id": 1, "total": 1.10}']),
        (' [ {"a": 1.0} ,\n{"b":[1, {"c": "]"}]}] ', ['{"a": 1.0}', '{"b":[1, {"c": "]"}]}']),
        ('{"orders": [{"id": 1}], "next": null}', ['{"id": 1}']),
        ('{"scenario": "x", "order": {"id": 1.50}}', ['{"id": 1.50}']),
        ('{"id": 5, "order": {"id": 1}}', ['{"id": 5, "order": {"id": 1}}']),
        ("\ufeff[]", []),
    ],
)
def test_split_bodies_cuts_without_rewriting(text: str, found: list[str]) -> None:
    assert cutting.split_bodies(text) == found


@pytest.mark.parametrize("text", ["", "{", "[1]", "[{}", "[{}] {}", '{"a": 1} x', "3", '"x"', "[" * 100_000])
def test_split_bodies_refuses_what_is_no_list_of_objects(text: str) -> None:
    with pytest.raises(PayloadError):
        cutting.split_bodies(text)
