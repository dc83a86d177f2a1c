"""The demo keeps to a database of its own."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from config.demo.logins import PEOPLE, ensure_logins, is_the_demos

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_ensure_logins_twice_keeps_the_passwords(folder: Path) -> None:
    first = ensure_logins(folder)

    assert ensure_logins(folder) == first
    assert set(first) == set(PEOPLE)
    assert is_the_demos(folder)


def test_database_without_people_may_become_the_demos(folder: Path) -> None:
    assert is_the_demos(folder)


@pytest.mark.parametrize("reset", [False, True])
def test_demo_leaves_a_real_business_alone(folder: Path, reset: bool) -> None:
    # A demo ran in this folder before, on a database of its own.
    ensure_logins(folder)
    get_user_model().objects.all().delete()
    admin = get_user_model().objects.create_superuser("admin", "owner@example.com", "forbice-pallet-9")

    with pytest.raises(CommandError, match="left alone"):
        call_command("demo", reset=reset, load_only=True)

    assert list(get_user_model().objects.all()) == [admin]
    assert get_user_model().objects.get().check_password("forbice-pallet-9")
