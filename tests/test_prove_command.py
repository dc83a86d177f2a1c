"""`manage.py prove` where it cannot prove anything."""

import pytest
from django.core.management import CommandError, call_command

from tests import environment


@pytest.mark.skipif(environment.is_postgresql(), reason="says what it needs on SQLite")
def test_prove_on_sqlite_asks_for_postgresql() -> None:
    with pytest.raises(CommandError, match="A proof needs PostgreSQL: set DATABASE_URL"):
        call_command("prove", "oversell")
