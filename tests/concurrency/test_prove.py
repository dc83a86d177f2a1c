"""The proofs of `manage.py prove` at the size of a test run, on the test's own database."""

import random
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.prove import oversell, races
from config.prove.figures import WITHOUT_WORKER, Figures, audit_figures
from config.prove.shop import open_shop
from inventory.models import StockLevel

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 50
SMALL = oversell.Size(processes=16, attempts=16, units=6, rounds=ROUNDS)


@pytest.fixture
def seed() -> int:
    """A new one each run, printed with a failure, for `manage.py prove --seed`."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    return seed


def broken(parts: Iterator[Figures]) -> list[str]:
    return [sentence for figures in parts for sentence in figures.broken]


def test_sixteen_processes_want_the_last_units_fifty_rounds(seed: int) -> None:
    assert broken(oversell.prove(open_shop(), SMALL, seed)) == []
    assert audit_figures(without=WITHOUT_WORKER).broken == []


def test_sixteen_processes_want_five_hundred_units(seed: int) -> None:
    assert broken(oversell.prove(open_shop(), oversell.Size(), seed)) == []
    assert audit_figures(without=WITHOUT_WORKER).broken == []


def test_control_without_protection_is_seen_to_oversell(unchecked_levels: None) -> None:
    size = oversell.Size(processes=8, attempts=64, units=20)

    told = broken(oversell.prove(open_shop(), size, 1, is_control=True))

    assert any("oversold" in sentence for sentence in told)
    assert any("stock.within_hand" in sentence for sentence in audit_figures(without=WITHOUT_WORKER).broken)


@pytest.fixture
def unchecked_levels() -> Iterator[None]:
    oversell.drop_check_constraint()
    yield
    StockLevel.objects.update(reserved=0)
    (check,) = [one for one in StockLevel._meta.constraints if one.name == oversell.CHECK]
    with connection.schema_editor() as editor:
        editor.add_constraint(StockLevel, check)


def test_races_each_thing_happens_once(seed: int) -> None:
    assert broken(races.prove(open_shop(), 3, seed)) == []
    assert audit_figures(without=WITHOUT_WORKER).broken == []


def test_races_without_row_locks_are_each_seen_to_fail(seed: int) -> None:
    told = broken(races.prove(open_shop(), 4, seed, is_control=True))

    assert races.unnoticed(told) == []


def test_prove_without_the_right_to_create_a_database_says_so() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE prove_nobody LOGIN")
        cursor.execute("SET SESSION AUTHORIZATION prove_nobody")
    try:
        with pytest.raises(
            CommandError, match="No database for the proof could be created: permission denied"
        ):
            call_command("prove", "races")
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE prove_nobody")
