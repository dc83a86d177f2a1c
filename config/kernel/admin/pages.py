"""Lists that look up what belongs to the rows of one page, in a fixed number of statements."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from config.kernel.admin.keyset import KeysetChangeList


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
