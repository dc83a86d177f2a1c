"""Records of the kernel that people read: events and heartbeats."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import places_of
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.filters import worded_filter
from config.kernel.admin.subjects import SubjectAdmin, named_subjects, subject_type_words, unnamed
from config.kernel.admin.timeline import actor_words, event_words, subject_name
from config.kernel.models import Event, Heartbeat
from config.kernel.templatetags.bancale import ago, code, localtime

# Acts that give, take or use authority over others' work.
PRIVILEGED = ("user", "role", "stock_adjustment", "export")


class PrivilegedFilter(admin.SimpleListFilter):
    """Narrows the events to privileged acts."""

    title = _("acts")
    parameter_name = "acts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("privileged", _("Privileged"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subject_type__in=PRIVILEGED) if self.value() == "privileged" else queryset


@admin.register(Event)
class EventAdmin(SubjectAdmin, ReadOnlyAdmin):
    list_display = ("words", "about", "when", "who")
    list_filter = (
        PrivilegedFilter,
        ("thread_type", worded_filter(subject_name)),
        ("subject_type", worded_filter(subject_type_words)),
        "actor_kind",
    )
    search_fields = ("=thread_id", "=subject_id", "=kind", "=correlation")
    search_help_text = _("Number, kind or correlation")
    subject_fields = (("thread_type", "thread_id"), ("subject_type", "subject_id"))
    linked_by = ("thread_id",)
    ordering = ("-id",)
    fields = readonly_fields = (
        "words", "about", "kind", "from_status", "to_status", "facts_said", "at", "who", "correlation",
    )  # fmt: skip
    empty_title = _("Nothing has happened yet")
    empty_text = _(
        "Each change of an order, of stock or of rights leaves a line here: what, when and by whom."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        people = get_user_model().objects.filter(pk=OuterRef("actor_id"))
        username = Subquery(people.values("username")[:1])
        rows: QuerySet[Any] = super().get_queryset(request).annotate(username=username)
        return rows

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        found = named_subjects(((row.subject_type, row.subject_id) for row in rows), request)
        is_bound = places_of(request.user) is not None
        for row in rows:
            named = found[row.subject_type, row.subject_id]
            # Who sees some locations sees what they did themselves, not always what it was done to.
            row.named = named.label if is_bound else named.link()

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        page = super().page_context(request, obj) or {}
        self.load_page(request, [obj])
        return {**page, "title": self.words(obj), "sub": [self.about(obj), localtime(obj.at)]}

    @admin.display(description=_("event"))
    def words(self, row: Event) -> str:
        title, detail, _tone = event_words(row)
        return f"{title} {detail}".strip()

    @admin.display(description=_("about"))
    def about(self, row: Any) -> Any:
        return getattr(row, "named", "") or unnamed(row.subject_type, row.subject_id).label

    @admin.display(description=_("at"), ordering="id")
    def when(self, row: Event) -> Any:
        return localtime(row.at)

    @admin.display(description=_("by"))
    def who(self, row: Any) -> str:
        names = {row.actor_id: row.username} if row.username else {}
        return actor_words(row.actor_kind, row.actor_id, row.actor_label, names)

    @admin.display(description=_("facts"))
    def facts_said(self, row: Event) -> Any:
        return code(", ".join(f"{name}: {value}" for name, value in row.facts.items()))


# By the names that they sign with.
ALIVE = {"worker": _("Worker"), "beat": _("Timetable of the periodic work")}


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("called", "seen")
    ordering = ("name",)
    fields = readonly_fields = ("called", "at")
    empty_title = _("No worker has been seen yet")
    empty_text = _("Start one, or the demo; each sign of life is noted here.")

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        return {**(super().page_context(request, obj) or {}), "title": self.called(obj)}

    @admin.display(description=_("name"), ordering="name")
    def called(self, row: Heartbeat) -> str:
        return str(ALIVE.get(row.name, row.name))

    @admin.display(description=_("alive"), ordering="at")
    def seen(self, row: Heartbeat) -> Any:
        return ago(row.at)
