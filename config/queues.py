"""Every queue of every list as a tile: what the tile counts is what its list shows, by the same selector."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model

from config.dashboard import Tile
from config.kernel.admin.base import COUNT_LIMIT
from config.kernel.admin.queues import Queue, queue_url
from config.kernel.visibility import visible_to
from config.navigation import place_of, section_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser


def queue_tiles(user: "AbstractUser | AnonymousUser") -> Iterable[Tile]:
    """A tile for each queue of each list this user may open and work off, in the order of the navigation."""
    found = sorted(_queues(user), key=lambda row: place_of(row[1]._meta.label_lower))
    for section, model, queue in found:
        rows = visible_to(user, model._default_manager.all())
        waiting = queue.rows(rows).order_by()[:COUNT_LIMIT].count()
        yield Tile(queue.label, waiting, queue_url(model, queue.name), queue.tone, section=section)


def _queues(user: "AbstractUser | AnonymousUser") -> Iterable[tuple[str, type[Model], Queue]]:
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}"
        if user.has_perm(name.format("view")) or user.has_perm(name.format("change")):
            for entry in model_admin.list_filter:
                for queue in getattr(entry, "offered", ()):
                    if not queue.permission or user.has_perm(queue.permission):
                        yield section_of(model._meta.label_lower), model, queue
