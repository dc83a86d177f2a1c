"""The bases of every admin page: bounded lists, and records that nobody edits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.actors import Actor
from config.kernel.admin.addresses import admin_url as admin_url
from config.kernel.admin.columns import ColumnsMixin
from config.kernel.admin.exports import ExportsMixin
from config.kernel.admin.keeping import kept_by
from config.kernel.admin.keyset import KeysetChangeList
from config.kernel.admin.queues import leading_action
from config.kernel.admin.views import SavedViewsMixin
from config.kernel.admin.walking import WalkMixin
from config.kernel.visibility import is_declared, visible_to

COUNT_LIMIT = 10_000

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _StackedInline = admin.StackedInline[Any, Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator
    _TabularInline, _StackedInline = admin.TabularInline, admin.StackedInline


class BoundedPaginator(_Paginator):
    """Counts no further than `COUNT_LIMIT` rows: nobody pages past that, and counting a million is slow."""

    @cached_property
    def counted(self) -> int:
        """One more than the limit where there are more."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by().values("pk")[: COUNT_LIMIT + 1].count())
        return len(rows)

    @property
    def count(self) -> int:
        return min(self.counted, COUNT_LIMIT)

    @property
    def is_exact(self) -> bool:
        """Whether `count` is all there are."""
        return self.counted <= COUNT_LIMIT


def acting(request: HttpRequest) -> Actor:
    """The person behind a request, with the rights they hold now."""
    return Actor.for_user(request.user)  # type: ignore[arg-type]


class SeenAdmin(_ModelAdmin):
    """Shows a person only the rows they see (`config.kernel.visibility`), and offers only these in its choices."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return visible_to(request.user, rows)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **_seen(db_field, request, kwargs))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_seen(db_field, request, kwargs))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """A refused save is shown around the row as it is stored: the one in memory holds what was refused."""
        if change and obj is not None:
            if context.get("errors"):
                obj = context["original"] = self.get_queryset(request).get(pk=obj.pk)
            self.put_page(request, context, obj)
            if self.has_delete_permission(request, obj) and (names := kept_by(obj)):
                context |= {"show_delete": False, "kept_by": names}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def put_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add what stands around the form to the context."""


class KeysetAdmin(SeenAdmin):
    """Pages its list by key."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList


def _seen(db_field: Any, request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    related = db_field.remote_field.model
    if "queryset" not in given and is_declared(related):
        given["queryset"] = visible_to(request.user, related._default_manager.all())
    return given


F = TypeVar("F", bound=forms.Form)


def seen_choices(form: F, request: HttpRequest, *names: str) -> F:
    """A form whose fields of these names offer, and accept, only rows that the person sees."""
    for name in names:
        field: Any = form.fields[name]
        field.queryset = visible_to(request.user, field.queryset)
    return form


def name_of(entry: Any) -> str:
    """What a column, field or filter is called: itself, or the first of a pair."""
    return str(entry[0] if isinstance(entry, tuple) else entry)


class BancaleAdmin(ColumnsMixin, ExportsMixin, SavedViewsMixin, WalkMixin, KeysetAdmin):
    """Any model's pages. Lists are bounded; nothing is deleted by ticking boxes.

    `needs` names the permission that a column, field or filter needs; whoever lacks it neither sees it nor
    filters by it. `name_needs` is the permission to read what an object is called, where that tells of a person;
    lists of other models that name it ask for it. `linked_by` names columns that links of ours filter by besides
    the filters.

    `page_context` fills the object page (`templates/admin/object_page.html`); an admin that returns None
    keeps Django's plain form.
    """

    show_full_result_count = False
    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 200
    change_form_template = "admin/object_page.html"
    empty_title: Any = ""
    empty_text: Any = ""
    needs: Mapping[str, str] = {}
    name_needs = ""
    linked_by: tuple[str, ...] = ()

    def permitted(self, request: HttpRequest, entries: Iterable[Any]) -> list[Any]:
        """Columns, fields or filters without those that this person may not see."""
        lacking = {name for name, need in self.needs.items() if not request.user.has_perm(need)}
        return [entry for entry in entries if name_of(entry) not in lacking]

    def search_hint(self, request: HttpRequest) -> Any:
        """What this person may search by, for the empty search box."""
        return self.search_help_text

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page: Any = super().get_changelist_instance(request)
        page.search_help_text = self.search_hint(request)
        return page  # type: ignore[no-any-return]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self.permitted(request, super().get_list_filter(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.permitted(request, super().get_fields(request, obj))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What a filter, a relation or a link of ours asks: guesses at another column would tell what it holds."""
        name = lookup.split("__")[0]
        filters = {name_of(entry).split("__")[0] for entry in self.get_list_filter(request)}
        columns = {column.name for column in self.opts.concrete_fields if not column.is_relation}
        if name in columns - {"id", *filters, *self.linked_by}:
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    def action_checkbox(self, obj: Any) -> SafeString:
        """As Django's, without a template a row: with a hundred rows that was a fifth of the page."""
        label = _("Select %(name)s") % {"name": obj}
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME, str(obj.pk), label,
        )  # fmt: skip

    def history_link(self, obj: Any) -> list[dict[str, Any]]:
        """The button to the object's History, where it has one."""
        return []

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        """What the head, the notices, the steps and the timeline show; keys as in the template."""
        return None

    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        wanted = {name: getattr(entry[0], "needs_permission", "") for name, entry in actions.items()}
        allowed = [name for name, need in wanted.items() if not need or request.user.has_perm(need)]
        first = leading_action(self, request)
        return {name: actions[name] for name in sorted(allowed, key=lambda name: name != first)}

    def put_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        if (page := self.page_context(request, obj)) is not None:
            page["actions"] = [*self.history_link(obj), *page.get("actions", ())]
            context["page"] = page


class ReadOnlyAdmin(BancaleAdmin):
    """Records that only verbs write: seen, never added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        options = self.opts
        return any(
            request.user.has_perm(f"{options.app_label}.{action}_{options.model_name}")
            for action in ("view", "change")
        )


class _Inline:
    """An inline that shows and changes nothing."""

    extra = 0
    max_num: int | None = 0
    can_delete = False
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see the parent may see its rows."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TabularInline(_TabularInline):
    extra = 0


class ReadOnlyTabularInline(_Inline, _TabularInline):
    """Rows of a record that only verbs write. Their columns say which they are."""

    classes: Sequence[str] = ("no-original",)


class ReadOnlyStackedInline(_Inline, _StackedInline):
    """Rows of a record that only verbs write."""
