"""Filters of a list: codes of the database in words, and what rows point at without a look at all rows."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter, RelatedFieldListFilter
from django.http import HttpRequest
from django.utils.functional import Promise

from config.kernel.visibility import visible_to


class SeenFilter(RelatedFieldListFilter):
    """By what a row points at, for `list_filter = (("location", SeenFilter),)`: offers what the person sees of it.

    Django's own offers only what some row points at, and reads all rows to know.
    """

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        seen = visible_to(request.user, field.remote_field.model._default_manager.all())
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(
            include_blank=False, limit_choices_to={"pk__in": seen.values("pk")}, ordering=ordering
        )


def worded_filter(words: Callable[[str], str | Promise]) -> type[AllValuesFieldListFilter]:
    """A filter by every value that a column holds, for `list_filter = (("column", worded_filter(words)),)`."""

    class WordedFilter(AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice in super().choices(changelist):
                shown = choice["display"]
                # "All" is a promise, a value of the column is not.
                yield choice if isinstance(shown, Promise) else {**choice, "display": words(str(shown))}

    return WordedFilter
