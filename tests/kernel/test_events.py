from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction

from config.kernel import triggers
from config.kernel.actors import Actor
from config.kernel.admin import describe, timeline
from config.kernel.events import Entry, Thread, record_events
from config.kernel.models import Event

pytestmark = pytest.mark.django_db
THREAD = Thread("order", 42)


def record(kind: str = "confirm", actor: Actor | None = None, **more: Any) -> Event:
    record_events([Entry(("order", 42), THREAD, kind, **more)], actor=actor or Actor.system("tests"))
    return Event.objects.latest("pk")


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_events_are_neither_changed_nor_deleted(verb: str) -> None:
    event = record()
    rows = Event.objects.filter(pk=event.pk)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(kind="other") if verb == "update" else rows._raw_delete(rows.db)

    assert Event.objects.get(pk=event.pk).kind == "confirm"


def test_every_append_only_table_has_its_triggers() -> None:
    wanted = {model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)}
    assert {"kernel_event", "inventory_stockmovement"} <= wanted
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY 1")
        else:
            cursor.execute(
                "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE NOT t.tgisinternal GROUP BY 1"
            )
        found = {table for table, count in cursor.fetchall() if count >= 2}

    assert wanted <= found


def test_suspended_triggers_come_back() -> None:
    event = record()

    with triggers.suspended():
        Event.objects.filter(pk=event.pk).update(kind="other")

    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(kind="third")
    assert Event.objects.get(pk=event.pk).kind == "other"


def test_many_events_take_one_statement(django_assert_num_queries: Any) -> None:
    entries = [Entry(("order", pk), Thread("order", pk), "confirm") for pk in range(20)]

    with django_assert_num_queries(1):
        record_events(entries, actor=Actor.system("tests"))


def test_a_persons_name_is_not_stored_but_looked_up() -> None:
    user = get_user_model().objects.create_user("anna", first_name="Anna", last_name="Rossi")

    event = record(actor=Actor.for_user(user))

    assert (event.actor_kind, event.actor_id, event.actor_label) == ("user", user.pk, "")
    assert timeline(THREAD)[0].actor == "Anna Rossi"


def test_timeline_is_newest_first_in_words_with_two_statements(django_assert_num_queries: Any) -> None:
    user = get_user_model().objects.create_user("anna")
    describe("order", "tested", "Tested %(count)s times, %(missing)s", detail=lambda f: f["why"], tone="ok")
    record("created", to_status="placed", actor=Actor.channel(1, "Web shop"))
    record("tested", facts={"count": 3, "why": "for this"}, actor=Actor.for_user(user))
    record("never_described", facts={"reason": "because"}, actor=Actor.rule("totals"))

    with django_assert_num_queries(2):
        rows = timeline(THREAD)

    assert [(row.title, row.detail, row.tone, row.actor) for row in rows] == [
        ("Never described", "because", "idle", "rule “totals”"),
        ("Tested 3 times, –", "for this", "ok", "anna"),
        ("Order received", "raw body kept", "info", "Web shop"),
    ]


def test_timeline_after_an_event_shows_what_came_later() -> None:
    seen = record().pk
    record("cancel", from_status="confirmed", to_status="cancelled", facts={"reason": "twice"})

    (row,) = timeline(THREAD, after=seen)

    assert str(row).startswith("Cancelled twice · ")
