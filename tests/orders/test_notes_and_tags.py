"""`add_note` and `set_tags`: what staff write on orders, who may, and what a second call does."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from config.kernel.actors import Actor, ActorKind
from config.kernel.admin.timeline import timeline
from config.kernel.errors import InvalidInput, NotAllowed
from config.kernel.events import Thread
from config.kernel.models import Event
from orders.models import Note, OrderTag, Tag
from orders.selectors.notes import tag_names
from orders.services.noting import add_note, set_tags
from tests.factories.orders import make_order
from tests.fulfillment.watching import nothing_written, statements

pytestmark = pytest.mark.django_db

STAFF = Actor(ActorKind.USER, 1, "rosa", frozenset({"orders.note_order", "orders.tag_order"}))
GUEST = Actor(ActorKind.USER, 2, "guest", frozenset())


def test_note_stands_on_the_timeline_with_its_author_and_can_be_erased(frozen_clock) -> None:
    order = make_order()

    pk = add_note([order.pk], text=" Called: wants it on Friday. ", actor=STAFF).values[order.pk]

    note = Note.objects.get(pk=pk)
    assert (note.text, note.written_at, note.actor_id) == ("Called: wants it on Friday.", frozen_clock, 1)
    assert Event.objects.get(kind="note_added").facts == {"note": pk}
    row = timeline(Thread("order", order.pk))[0]
    assert (row.title, row.detail) == ("Note", "Called: wants it on Friday.")
    note.delete()
    assert timeline(Thread("order", order.pk))[0].detail == "(erased)"


def test_note_on_many_and_on_closed_orders_and_again() -> None:
    first, history = make_order(), make_order(is_history=True)

    results = add_note([first.pk, history.pk, 404], text="look", actor=STAFF)

    assert (results.done_ids, results.refusals[404].code) == ([first.pk, history.pk], "not_found")
    add_note([first.pk], text="look", actor=STAFF).raise_refusals()
    assert Note.objects.filter(order=first).count() == 2


@pytest.mark.parametrize("text", ["", " \x00 ", "x" * 2001])
def test_note_without_a_fit_text_is_refused(text: str) -> None:
    order = make_order()

    with nothing_written(), pytest.raises(InvalidInput):
        add_note([order.pk], text=text, actor=STAFF)


def test_tags_are_put_on_and_taken_off_whatever_their_capitals() -> None:
    one, other = make_order(), make_order(is_history=True)

    assert set_tags([one.pk, other.pk], add=["VIP", "gift wrap"], actor=STAFF).done_ids == [one.pk, other.pk]
    with nothing_written():
        assert set_tags([one.pk], add=["vip"], remove=["never seen"], actor=STAFF).unchanged_ids == [one.pk]
    assert set_tags([one.pk, other.pk], add=["Late"], remove=["Vip"], actor=STAFF).done_ids

    assert tag_names(one) == ["Late", "gift wrap"] or tag_names(one) == ["gift wrap", "Late"]
    assert Tag.objects.count() == 3
    told = Event.objects.filter(subject_id=one.pk, kind__in=["tagged", "untagged"]).order_by("pk")
    assert [(event.kind, event.facts["tags"]) for event in told] == [
        ("tagged", ["VIP", "gift wrap"]),
        ("tagged", ["Late"]),
        ("untagged", ["VIP"]),
    ]


@pytest.mark.parametrize(
    ("tag", "again"), [("Über", "über"), ("ÉTÉ", "été"), ("Straße", "STRASSE"), ("ИЮЛЬ", "июль")]
)
def test_tags_are_the_same_whatever_their_capitals_in_every_alphabet(tag: str, again: str) -> None:
    order = make_order()

    assert set_tags([order.pk], add=[tag], actor=STAFF).done_ids == [order.pk]

    assert tag_names(order) == [tag]
    with nothing_written():
        assert set_tags([order.pk], add=[again, tag], actor=STAFF).unchanged_ids == [order.pk]
    assert set_tags([order.pk], remove=[again.upper()], actor=STAFF).done_ids == [order.pk]
    assert (tag_names(order), Tag.objects.get().name) == ([], tag)


def test_database_refuses_a_second_tag_of_one_key() -> None:
    Tag.objects.create(name="Über", key="über")
    Tag.objects.create(name="Uber", key="uber")

    with pytest.raises(IntegrityError), transaction.atomic():
        Tag.objects.create(name="über", key="über")


def test_fill_makes_one_of_tags_that_the_database_took_for_two() -> None:
    both, other = make_order(), make_order()
    tags = Tag.objects.bulk_create(Tag(name=name) for name in ("Über", "VIP", "über"))
    pairs = [(both, tags[0]), (both, tags[2]), (other, tags[2]), (other, tags[1])]
    OrderTag.objects.bulk_create(OrderTag(order=order, tag=tag) for order, tag in pairs)

    for _again in range(2):
        import_module("orders.migrations.0042_fill_tag_keys").fill(apps, None)

        assert dict(Tag.objects.values_list("name", "key")) == {"VIP": "vip", "Über": "über"}
        assert [set(tag_names(order)) for order in (both, other)] == [{"Über"}, {"VIP", "Über"}]


@pytest.mark.parametrize("tag", ["", "a,b", "x" * 41])
def test_wrong_tag_is_refused(tag: str) -> None:
    order = make_order()

    with nothing_written(), pytest.raises(InvalidInput):
        set_tags([order.pk], add=[tag], actor=STAFF)


def test_without_right_nothing_is_written() -> None:
    order = make_order()

    with nothing_written():
        with pytest.raises(NotAllowed):
            add_note([order.pk], text="x", actor=GUEST)
        with pytest.raises(NotAllowed):
            set_tags([order.pk], add=["x"], actor=GUEST)
    assert set_tags([404], add=["x"], actor=STAFF).refusals[404].code == "not_found"
    assert not OrderTag.objects.exists()


@pytest.mark.postgres
def test_both_take_as_many_statements_for_thirty_as_for_three() -> None:
    pks = [make_order().pk for _number in range(33)]

    few = statements(lambda: add_note(pks[:3], text="x", actor=STAFF))
    assert statements(lambda: add_note(pks[3:], text="x", actor=STAFF)) == few
    few = statements(lambda: set_tags(pks[:3], add=["a"], actor=STAFF))
    assert statements(lambda: set_tags(pks[3:], add=["b"], actor=STAFF)) == few
