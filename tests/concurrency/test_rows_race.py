"""Two people save one row of a table inside a form at the same moment: one after the other, each on what stands by
then."""

import threading
from functools import partial
from typing import Any

import pytest

from config.kernel.admin import ComparedMixin, admin_url
from inventory.admin.places import LocationAdmin
from inventory.enums import BinKind
from inventory.models import Bin
from tests.concurrency.rivals import together
from tests.factories.inventory import make_location
from tests.inventory.test_rows_two_at_once import fields, opened
from tests.kernel.visitor import visitor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 3


def shelf() -> Bin:
    return Bin.objects.create(location=make_location(), code="S1", kind=BinKind.SHELF)


def save_at_once(row: Bin, *changes: dict[str, str]) -> list[int]:
    """Each change by its own person, all opened before any is saved; the answers' statuses."""
    people = [visitor("Manager") for _change in changes]
    shown = [opened(person, row.location) for person in people]
    url = admin_url(row.location, "change", row.location_id)
    posts = [
        partial(person.post, url, {**form, **fields("bins", 0, **change)})
        for person, form, change in zip(people, shown, changes, strict=True)
    ]
    return sorted(answer.status_code for answer in together(posts))


def test_saves_of_different_fields_of_a_row_at_once_both_stand() -> None:
    for _round in range(ROUNDS):
        row = shelf()

        answers = save_at_once(row, {"code": "S7"}, {"kind": "tote"})

        row.refresh_from_db()
        assert answers == [302, 302]
        assert (row.code, row.kind) == ("S7", "tote")


def test_of_two_saves_of_one_row_at_once_one_stands_and_the_other_is_refused() -> None:
    for _round in range(ROUNDS):
        row = shelf()

        answers = save_at_once(row, {"code": "S7"}, {"code": "S8"})

        assert answers == [200, 302]
        assert Bin.history.filter(id=row.pk, history_type="~").count() == 1


def test_without_the_lock_the_second_would_overwrite_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both are judged on the row as it was before either."""
    judged, save = threading.Barrier(2), LocationAdmin.save_formset

    def save_once_both_are_judged(*arguments: Any, **more: Any) -> Any:
        judged.wait(timeout=30)
        return save(*arguments, **more)

    def unlocked(self: Any, request: Any, object_id: str, from_field: str | None = None) -> Any:
        return super(ComparedMixin, self).get_object(request, object_id, from_field)

    monkeypatch.setattr(ComparedMixin, "get_object", unlocked)
    monkeypatch.setattr(LocationAdmin, "save_formset", save_once_both_are_judged)
    row = shelf()

    answers = save_at_once(row, {"code": "S7"}, {"code": "S8"})

    assert answers == [302, 302]
    assert Bin.history.filter(id=row.pk, history_type="~").count() == 2
