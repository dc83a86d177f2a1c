"""Every queue of every list as a tile: what the tile counts is what its list shows, by the same selector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import DateTimeField, F, Model, QuerySet
from django.utils.translation import gettext

from config.dashboard import MOST, Tile
from config.kernel import clock
from config.kernel.admin.queues import Queue, queue_url
from config.kernel.templatetags.bancale import span_text
from config.kernel.visibility import visible_to
from config.navigation import place_of, section_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows a queue holds, up to `MOST`, and since when the oldest of them waits."""

    count: int = 0
    oldest: datetime | None = None


def queue_tiles(user: "AbstractUser | AnonymousUser") -> Iterable[Tile]:
    """A tile for each queue of each list this user may open and work off, in the order of the navigation.

    One statement counts them all; queues that say what is in them ask one more each while they are not empty.
    """
    found = sorted(_queues(user), key=lambda row: place_of(row[1]._meta.label_lower))
    seen = [visible_to(user, model._default_manager.all()) for _section, model, _queue in found]
    asked = [
        (queue.rows(rows), queue.since) for (_section, _model, queue), rows in zip(found, seen, strict=True)
    ]
    for (section, model, queue), rows, waiting in zip(found, seen, count_queues(asked), strict=True):
        url = queue_url(model, queue.name)
        parts = _parts(queue, rows, url) if waiting.count else []
        detail = " · ".join(words for words, _url in parts) or _detail(queue, rows, waiting)
        yield Tile(queue.label, waiting.count, url, queue.tone, detail, section, queue.on_front, parts)


def count_queues(asked: Sequence[tuple[QuerySet[Any], str]]) -> list[Waiting]:
    """Count queues by one statement: of each its rows, and the name of its column of waiting time or ""."""
    parts: list[str] = []
    params: list[Any] = []
    # Of two that are NULL alone PostgreSQL would make a column of text, which no moment goes with.
    never = f"CAST(NULL AS {DateTimeField().db_type(connection)})"
    for place, (rows, since) in enumerate(asked):
        try:
            sql, given = _limited(rows, since).query.sql_with_params()
        except EmptyResultSet:
            continue
        oldest = "MIN(waiting.waits_since)" if since else never
        parts.append(f"SELECT {place}, COUNT(*), {oldest} FROM ({sql}) waiting")  # noqa: S608  (the ORM's own SQL)
        params += given
    counted: dict[int, Waiting] = {}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), params)
            counted = {place: Waiting(count, _moment(oldest)) for place, count, oldest in cursor.fetchall()}
    return [counted.get(place, Waiting()) for place in range(len(asked))]


def _limited(rows: QuerySet[Any], since: str) -> QuerySet[Any, Any]:
    columns = {"waits_since": F(since)} if since else {}
    return rows.order_by().annotate(**columns).values("pk", *columns)[:MOST]


def _moment(value: Any) -> datetime | None:
    """SQLite answers an aggregate of moments as text, in UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _parts(queue: Queue, rows: QuerySet[Any], url: str) -> list[tuple[str, str]]:
    if queue.reasons is None:
        return []
    return [(words, f"{url}&{asked}") for words, asked in queue.reasons(queue.rows(rows))]


def _detail(queue: Queue, rows: QuerySet[Any], waiting: Waiting) -> str:
    """What is in the queue, or how long the oldest has waited; of those that were not counted it is not known."""
    if queue.detail is not None:
        return queue.detail(queue.rows(rows)) if waiting.count else ""
    if waiting.oldest is None or waiting.count >= MOST:
        return ""
    seconds = max(0, round((clock.now() - waiting.oldest).total_seconds()))
    return gettext("oldest %(span)s") % {"span": span_text(seconds)}


def _queues(user: "AbstractUser | AnonymousUser") -> Iterable[tuple[str, type[Model], Queue]]:
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}"
        if user.has_perm(name.format("view")) or user.has_perm(name.format("change")):
            for entry in model_admin.list_filter:
                for queue in getattr(entry, "offered", ()):
                    if not queue.permission or user.has_perm(queue.permission):
                        yield section_of(model._meta.label_lower), model, queue
