"""Text that both databases keep."""

import pytest

from config.kernel.models import Heartbeat
from config.kernel.texts import is_storable, shown_whole, storable


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "stored", "seen"),
    [
        ("Via Po 3", "Via Po 3", "Via Po 3"),
        ("Šárka 😀", "Šárka 😀", "Šárka 😀"),
        ("a\x00b", "ab", "a\\0b"),
        ("half \ud83d pair", "half ? pair", "half ? pair"),
        ("è\udc00\x00", "è?", "è?\\0"),
        ("\x00", "", "\\0"),
    ],
)
def test_storable_text_is_kept_as_it_is_by_the_database(text: str, stored: str, seen: str) -> None:
    assert (storable(text), shown_whole(text)) == (stored, seen)
    assert is_storable(text) is (text == stored)
    Heartbeat.objects.create(name=stored, at="2026-01-01T00:00:00Z")
    assert Heartbeat.objects.get().name == stored
