"""The bases of every admin page: bounded lists, and records that nobody edits."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from config.kernel.actors import Actor

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
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return int(rows.order_by()[:COUNT_LIMIT].count())
        return len(rows)


def acting(request: HttpRequest) -> Actor:
    """The person behind a request, with the rights they hold now."""
    return Actor.for_user(request.user)  # type: ignore[arg-type]


class BancaleAdmin(_ModelAdmin):
    """Any model's pages. Lists are bounded; nothing is deleted by ticking boxes.

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

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
        """What the head, the notices, the steps and the timeline show; keys as in the template."""
        return None

    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        wanted = {name: getattr(entry[0], "needs_permission", "") for name, entry in actions.items()}
        return {
            name: actions[name] for name, need in wanted.items() if not need or request.user.has_perm(need)
        }

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if change and obj is not None and (page := self.page_context(request, obj)) is not None:
            context["page"] = page
        return super().render_change_form(request, context, add, change, form_url, obj)


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


class StackedInline(_StackedInline):
    extra = 0


class ReadOnlyTabularInline(_Inline, _TabularInline):
    """Rows of a record that only verbs write."""


class ReadOnlyStackedInline(_Inline, _StackedInline):
    """Rows of a record that only verbs write."""


def admin_url(model: type[Model] | Model, page: str, *args: Any) -> str:
    """The address of a model's admin page: `admin_url(Order, "change", 42)`, or of one of its verbs."""
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)
