"""What a filtered list is called: the saved view or the work queue that it shows."""

from typing import Any

from django.contrib import admin
from django.db.models.options import Options
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise

from config.kernel.admin.open_view import views_seen
from config.kernel.admin.queues import PARAMETER
from config.kernel.saved_views import VIEW

# Nobody walks through more, and counting on would cost.
MOST_COUNTED = 1_000


def list_name(request: HttpRequest, opts: "Options[Any]", kept: str) -> str | Promise:
    """By the list's address behind its `?`; "" for one that nobody named. A statement where a view was opened."""
    given = QueryDict(kept)
    if VIEW in given:
        found = next(
            (view for view in views_seen(request, opts.label_lower) if str(view.pk) == given[VIEW]), None
        )
        if found is not None:
            return found.name
    return next((queue.label for queue in queues_of(opts.model) if queue.name == given.get(PARAMETER)), "")


def queues_of(model: Any) -> list[Any]:
    """The queues that a model's list offers."""
    model_admin = admin.site._registry.get(model)
    filters = model_admin.list_filter if model_admin is not None else ()
    return [queue for entry in filters for queue in getattr(entry, "offered", ())]
