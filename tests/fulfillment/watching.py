"""Watching the database: what a refused call left behind, and how many statements a call takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

ROOMS = ("kernel", "inventory", "orders", "fulfillment", "returns")


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every room, timelines and outbox among them."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in ROOMS
    }


@contextmanager
def nothing_written() -> Iterator[None]:
    """Fails unless the block left every row as it was, and queued nothing."""
    before = everything()
    yield
    after = everything()
    assert {name for name in before if before[name] != after[name]} == set()


def statements(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)
