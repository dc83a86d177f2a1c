"""Work queues: saved filters over selectors, one of them open at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.addresses import admin_url
from config.kernel.admin.open_view import opened_view
from config.kernel.saved_views import COLUMNS, VIEW, kept_query

PARAMETER = "queue"


@dataclass(frozen=True, slots=True)
class Queue:
    """`rows` is a selector: it narrows a queryset to what waits in this queue.

    With a `permission`, the queue is counted on the first page only for those who may work it off. `since` is the
    column of the moment since which a row has waited; `detail` puts into words what is in the queue, and `reasons`
    cuts it into what it is made of: (words, what to add to the address so that it opens these). One that is not
    `on_front` is shown on the first page only while it holds something. `leads` is the bulk verb by which rows leave
    the queue: its button stands first while the queue is open.
    """

    name: str
    label: str | Promise
    rows: Callable[[QuerySet[Any]], QuerySet[Any]]
    tone: str = "wait"
    permission: str = ""
    since: str = ""
    detail: Callable[[QuerySet[Any]], str] | None = None
    reasons: Callable[[QuerySet[Any]], Sequence[tuple[str, str]]] | None = None
    on_front: bool = True
    leads: str = ""


def queue_filter(queues: Sequence[Queue]) -> type[SimpleListFilter]:
    """The list filter that opens these queues: `?queue=<name>`."""
    by_name = {queue.name: queue for queue in queues}

    class QueueFilter(SimpleListFilter):
        title = _("Queue")
        parameter_name = PARAMETER
        template = "kernel/_queue_tabs.html"
        offered = tuple(by_name.values())

        def __init__(self, request: HttpRequest, *given: Any) -> None:
            super().__init__(request, *given)
            self.request = request

        def choices(self, changelist: Any) -> Iterator[Any]:
            """A tab leaves the saved view that is open; while one is, that view's tab is the current one."""
            opened = opened_view(self.request, changelist.opts.label_lower)
            self.counts_url = _counts_url(self.request, changelist.opts)
            names = [None, *(name for name, _label in self.lookup_choices)]
            for name, choice in zip(names, super().choices(changelist), strict=True):
                given, left = ({PARAMETER: name}, []) if name else ({}, [PARAMETER])
                query = changelist.get_query_string(given, [*left, VIEW, COLUMNS])
                selected = choice["selected"] and opened is None
                yield {**choice, "query_string": query, "selected": selected, "name": name or ""}

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return [(queue.name, queue.label) for queue in queues]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            queue = by_name.get(self.value() or "")
            return queue.rows(queryset) if queue is not None else queryset

    return QueueFilter


def leading_action(model_admin: Any, request: HttpRequest) -> str:
    """The bulk verb by which rows leave the queue that is open; "" where none is, or none is named."""
    opened = request.GET.get(PARAMETER, "")
    offered = [queue for entry in model_admin.list_filter for queue in getattr(entry, "offered", ())]
    return next((queue.leads for queue in offered if queue.name == opened), "")


def _counts_url(request: HttpRequest, opts: Any) -> str:
    """Where the queues are counted inside the filters and the search of a list; "" where there are none."""
    given = QueryDict(kept_query(request.GET.urlencode()), mutable=True)
    for name in (PARAMETER, ORDER_VAR, IS_POPUP_VAR):
        given.pop(name, None)
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_tabs")
    except NoReverseMatch:  # a list without these pages
        return ""
    return f"{url}?{given.urlencode()}" if given else ""


def queue_url(model: Any, name: str) -> str:
    """The list that a queue's count counts."""
    return f"{admin_url(model, 'changelist')}?{PARAMETER}={name}"
