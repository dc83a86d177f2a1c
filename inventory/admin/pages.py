"""Lists that look up what belongs to the rows of one page, in a fixed number of statements."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from config.kernel.actors import ActorKind
from config.kernel.admin.keyset import KeysetChangeList
from config.kernel.admin.timeline import actor_words, user_names
from inventory.references import ResolvedReference, resolve


class PageList(KeysetChangeList):
    """Hands the rows of the page to the admin's `load_page` before they are drawn."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        self.model_admin.load_page(request, rows)  # type: ignore[attr-defined]
        self.result_list = rows


class PageAdmin:
    """Mixin of an admin whose columns need `load_page`."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return getattr(request, "list_class", PageList)

    def load_page(self, request: HttpRequest, rows: list[Any]) -> None:
        """Set attributes on the rows."""


def set_references(rows: list[Any]) -> None:
    """Put what each row's reference is called on it, as `resolved`."""
    found = resolve((row.reference_kind, row.reference_id) for row in rows)
    for row in rows:
        row.resolved = found[row.reference_kind, row.reference_id]


def reference_of(row: Any) -> ResolvedReference:
    """What `set_references` put there; looked up for a row that stands alone."""
    if not hasattr(row, "resolved"):
        set_references([row])
    resolved: ResolvedReference = row.resolved
    return resolved


def set_actors(rows: list[Any]) -> None:
    """Put who did it on each row, as `actor_said`."""
    names = user_names(row.actor_id for row in rows if row.actor_kind == ActorKind.USER)
    for row in rows:
        row.actor_said = actor_words(row.actor_kind, row.actor_id, row.actor_label, names)


def actor_of(row: Any) -> str:
    if not hasattr(row, "actor_said"):
        set_actors([row])
    return str(row.actor_said)
