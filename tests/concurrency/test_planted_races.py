"""Planted bugs that only rivals can show, on real PostgreSQL; without them the same races are clean."""

import pytest

from tests.planted.bugs import RACES, Bug
from tests.planted.deeds import Deed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("bug", RACES, ids=lambda bug: f"{bug.family}: {bug.name}")
def test_planted_race_is_caught(bug: Bug) -> None:
    with bug.patch():
        found = bug.deed()

    assert [line for line in found if line.startswith(bug.caught_by)], found


@pytest.mark.parametrize("deed", sorted({bug.deed for bug in RACES}, key=lambda deed: deed.__name__))
def test_race_without_bug_finds_nothing(deed: Deed) -> None:
    assert deed() == []
