"""Filters of a list whose choices are codes in the database and words on the page."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.utils.functional import Promise


def worded_filter(words: Callable[[str], str | Promise]) -> type[AllValuesFieldListFilter]:
    """A filter by every value that a column holds, for `list_filter = (("column", worded_filter(words)),)`."""

    class WordedFilter(AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice in super().choices(changelist):
                shown = choice["display"]
                # "All" is a promise, a value of the column is not.
                yield choice if isinstance(shown, Promise) else {**choice, "display": words(str(shown))}

    return WordedFilter
