"""Lists that are paged by key: the next page starts after the last row shown, however deep and whatever came in.

`?after=` and `?before=` carry the sort values of a row, `?last=1` reads from the end. A list whose order is no
plain column (a function, an annotation) falls back to numbered pages.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, connection
from django.db.models import Field, Q, QuerySet
from django.http import HttpRequest, QueryDict

from config.kernel.saved_views import COLUMNS, VIEW
from config.kernel.texts import is_storable

AFTER, BEFORE, LAST = "after", "before", "last"
# The place of a column that is not shown: past the end of every list.
HIDDEN = 999

if TYPE_CHECKING:
    _Field = Field[Any, Any]
else:
    _Field = Field


@dataclass(frozen=True, slots=True)
class Key:
    """One column that a list is sorted by."""

    path: str
    field: _Field
    is_descending: bool
    is_nullable: bool

    def value_of(self, row: Any) -> Any:
        for name in self.path.split("__"):
            row = None if row is None else getattr(row, row._meta.pk.name if name == "pk" else name)
        return row

    def beyond(self, value: Any) -> Q:
        """Rows that come after a value in this sequence; NULLs stand where the database puts them."""
        are_nulls_after = connection.vendor == "postgresql"
        if self.is_descending:
            are_nulls_after = not are_nulls_after
        missing = Q(**{f"{self.path}__isnull": True})
        if value is None:
            return Q(pk__in=[]) if are_nulls_after else ~missing
        further = Q(**{f"{self.path}__{'lt' if self.is_descending else 'gt'}": value})
        return further | missing if self.is_nullable and are_nulls_after else further

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})

    def reversed(self) -> "Key":
        return Key(self.path, self.field, not self.is_descending, self.is_nullable)


def keys_of(model: Any, ordering: Sequence[Any]) -> list[Key] | None:
    """The columns of an ordering up to one that is unique; None where one is no plain column."""
    keys = []
    for entry in ordering:
        if not isinstance(entry, str):
            return None
        path = entry.removeprefix("-")
        name = model._meta.pk.name if path == "pk" else path
        try:
            fields = get_fields_from_path(model, name)
        except (FieldDoesNotExist, AttributeError):
            return None
        if not isinstance(fields[-1], Field) or fields[-1].is_relation:
            return None
        keys.append(Key(path, fields[-1], entry.startswith("-"), any(field.null for field in fields)))
        if len(fields) == 1 and fields[0].unique and not fields[0].null:
            return keys
    return None


def beyond(keys: Sequence[Key], values: Sequence[Any]) -> Q:
    """Rows after the one with these values: further in the first key, or level with it and further in the rest."""
    (key, *rest), (value, *others) = keys, values
    if not rest:
        return key.beyond(value)
    tied = key.same(value) & beyond(rest, others)
    if value is None or key.is_nullable:
        return key.beyond(value) | tied
    # Said twice, so that the database enters the index at this value instead of reading up to it.
    bound = Q(**{f"{key.path}__{'lte' if key.is_descending else 'gte'}": value})
    return bound & (key.beyond(value) | tied)


def written(keys: Sequence[Key], row: Any) -> str:
    """A row's place in the list, for an address."""
    values = [key.value_of(row) for key in keys]
    return json.dumps(values, cls=PlaceEncoder, separators=(",", ":"))


class PlaceEncoder(DjangoJSONEncoder):
    """Times to the microsecond: a place between two rows of the same millisecond is a place."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def read(keys: Sequence[Key], text: str) -> list[Any]:
    """The values of a place. Raises `IncorrectLookupParameters` for one that is not of this list."""
    try:
        values = json.loads(text)
        if not isinstance(values, list) or len(values) != len(keys):
            raise ValueError(text)
        return [
            None if value is None else _storable(key.field.to_python(value))
            for key, value in zip(keys, values, strict=True)
        ]
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError) as error:
        raise IncorrectLookupParameters(type(error).__name__) from error


def _storable(value: Any) -> Any:
    """A value that a database may be asked for. Raises `ValueError` or `OverflowError`."""
    if isinstance(value, str) and not is_storable(value):
        raise ValueError("no database keeps it")
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return value


def page_of(rows: QuerySet[Any], keys: Sequence[Key], size: int) -> QuerySet[Any]:
    """The first rows in this order. By a column of another table, the keys are sorted before anything else is read."""
    ordered = in_order(rows, keys)
    if any("__" in key.path for key in keys):
        first = in_order(rows.order_by(), keys).values("pk")[:size]
        return ordered.filter(pk__in=first)
    return ordered[:size]


def in_order(rows: QuerySet[Any], keys: Sequence[Key]) -> QuerySet[Any]:
    return rows.order_by(*(f"{'-' if key.is_descending else ''}{key.path}" for key in keys))


def _moved(order: str, moves: Mapping[int, int]) -> str:
    """An order of columns by their places ("-2.3"), each place taken to another; what is no place stays as it is."""
    terms = []
    for term in order.split("."):
        sign, place = ("-", term[1:]) if term.startswith("-") else ("", term)
        known = place.isascii() and place.isdigit() and len(place) < 4
        terms.append(f"{sign}{moves.get(int(place), HIDDEN)}" if known else term)
    return ".".join(terms)


def _outside_views(query: Any) -> str:
    """A list's address that no view opens."""
    given = QueryDict(str(query or "").removeprefix("?"), mutable=True)
    for name in (VIEW, COLUMNS):
        given.pop(name, None)
    return f"?{given.urlencode()}"


class KeysetChangeList(ChangeList):
    """Django's list, read by key. `steps` has the addresses of the pages around this one."""

    # Filled in by `get_queryset`; links made before then carry the address's own order.
    moves: Mapping[int, int] = {}
    is_rearranged = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # Put to the links of rows here: Django looks each link up among all addresses first, a quarter of a filtered
        # page's time.
        self.row_filters, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: Any) -> str:
        url = super().url_for_result(result)
        return f"{url}?{self.row_filters}" if self.row_filters else url

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.place = {name: request.GET[name] for name in (AFTER, BEFORE, LAST) if name in request.GET}
        for name in self.place:
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        if not self.moves:
            self.moves = self._moves(request)
            self.is_rearranged = any(place != to for place, to in self.moves.items())
            if self.is_rearranged and ORDER_VAR in self.params:
                self._place_order(_moved(str(self.params.pop(ORDER_VAR)), self.moves))
        rows = super().get_queryset(request, exclude_parameters)
        self.clear_all_filters_qs: Any = _outside_views(self.clear_all_filters_qs)
        return rows

    def get_filters_params(self, params: Any = None) -> Any:
        """Not the view and the columns that an address names: they stay in its links and filter nothing."""
        found = super().get_filters_params(params)
        return {name: values for name, values in found.items() if name not in (VIEW, COLUMNS)}

    def _moves(self, request: HttpRequest) -> dict[int, int]:
        """Where each column that the admin declares stands in this person's list: addresses say the declared place, so
        that a shared one sorts the same for everybody."""
        shown = list(self.list_display)
        extra = 1 if shown[:1] == ["action_checkbox"] else 0
        declared = getattr(self.model_admin, "all_columns", lambda _request: shown[extra:])
        every: list[Any] = [*shown[:extra], *declared(request)]
        return {place: shown.index(name) if name in shown else HIDDEN for place, name in enumerate(every)}

    def _place_order(self, order: str) -> None:
        """Sort by what is shown of an order's columns; by none where the person hid them all."""
        if terms := [term for term in order.split(".") if term.removeprefix("-") != str(HIDDEN)]:
            self.params[ORDER_VAR] = ".".join(terms)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """A link that sorts anew names the place shown; in any other the address's own order stands, as declared."""
        if self.is_rearranged and new_params and new_params.get(ORDER_VAR):
            declared = {to: place for place, to in self.moves.items()}
            new_params = {**new_params, ORDER_VAR: _moved(str(new_params[ORDER_VAR]), declared)}
        return str(super().get_query_string(new_params, remove))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """A column that somebody sorts by, then the key in the same direction: an index on both reads both ways."""
        if not self.params.get(ORDER_VAR):
            return list(super().get_ordering(request, queryset))
        ordering = list(super().get_ordering(request, queryset.order_by()))
        if len(ordering) == 2 and ordering[-1] == "-pk" and not str(ordering[0]).startswith("-"):
            ordering[-1] = "pk"
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        """A filter's value that no database counts with, such as a day before the first, is no filter of this list."""
        try:
            self._read_results(request)
        except (OverflowError, DataError) as error:
            raise IncorrectLookupParameters(type(error).__name__) from error

    def _read_results(self, request: HttpRequest) -> None:
        self.keys = keys_of(self.model, self.queryset.query.order_by)
        self.steps: dict[str, str] = {}
        self.first_row = 1
        page, self.page_num = self.page_num, self.page_num if self.keys is None else 1
        super().get_results(request)
        if self.keys is None or self.show_all:
            self._number_pages()
        elif self.multi_page or self.place:
            self.page_num = page
            self._read_page(self.keys)
        if read_columns := getattr(self.model_admin, "read_columns", None):
            read_columns(self.result_list, self.list_display)

    def _read_page(self, keys: Sequence[Key]) -> None:
        """One page and a row more, which says whether there is another page beyond."""
        size, rows = self.list_per_page, self.queryset
        is_backward = BEFORE in self.place or LAST in self.place
        way = [key.reversed() for key in keys] if is_backward else list(keys)
        if start := self.place.get(BEFORE, self.place.get(AFTER)):
            rows = rows.filter(beyond(way, read(keys, start)))
        wanted = self._size_of_last() if LAST in self.place else size
        found = list(page_of(rows, way, wanted + 1))
        has_more, shown = len(found) > wanted, found[:wanted]
        if self.place and (not shown or (BEFORE in self.place and len(found) < size)):
            # Nothing is there any more, or the way back ended early: the first page, whole.
            self.place = {}
            self._read_page(keys)
            return
        self.result_list: Any = shown[::-1] if is_backward else shown
        if is_backward:
            self._place_page(keys, has_before=has_more, has_after=BEFORE in self.place)
        else:
            self._place_page(keys, has_before=AFTER in self.place, has_after=has_more)

    def _size_of_last(self) -> int:
        """As many rows as the last of the counted pages has, so that going on from either end meets."""
        return (
            (self.result_count % self.list_per_page or self.list_per_page)
            if self.is_counted
            else self.list_per_page
        )

    @property
    def is_counted(self) -> bool:
        return bool(getattr(self.paginator, "is_exact", True))

    def _place_page(self, keys: Sequence[Key], *, has_before: bool, has_after: bool) -> None:
        """The steps from here, and where here is as far as it was counted; 0 is “somewhere beyond”."""
        rows, page = self.result_list, max(self.page_num, 0)
        if LAST in self.place:
            page = self.paginator.num_pages if self.is_counted else 0
        self.page_num = page if has_before else 1
        self.first_row = (self.page_num - 1) * self.list_per_page + 1 if self.page_num else 0
        if has_before:
            before = {BEFORE: written(keys, rows[0]), PAGE_VAR: max(self.page_num - 1, 0)}
            self.steps |= {"first": self.get_query_string(), "previous": self.get_query_string(before)}
        if has_after:
            after = {AFTER: written(keys, rows[-1]), PAGE_VAR: self.page_num and self.page_num + 1}
            last = self.get_query_string({LAST: 1})
            self.steps |= {"next": self.get_query_string(after), "last": last}

    def _number_pages(self) -> None:
        number, last = self.page_num, self.paginator.num_pages
        self.first_row = (number - 1) * self.list_per_page + 1
        if self.show_all or not self.multi_page:
            return
        if number > 1:
            self.steps["first"] = self.get_query_string({PAGE_VAR: 1})
            self.steps["previous"] = self.get_query_string({PAGE_VAR: number - 1})
        if number < last:
            self.steps["next"] = self.get_query_string({PAGE_VAR: number + 1})
            if self.is_counted:
                self.steps["last"] = self.get_query_string({PAGE_VAR: last})


def neighbour(listed: KeysetChangeList, pk: int, *, is_ahead: bool) -> int | None:
    """The row beside this one in a filtered list, also where this one has left the list since; None at its end."""
    row = listed.root_queryset.filter(pk=pk).first()
    keys = keys_of(listed.model, listed.queryset.query.order_by)
    if row is None or keys is None:
        return None
    way = keys if is_ahead else [key.reversed() for key in keys]
    rows = listed.queryset.filter(beyond(way, [key.value_of(row) for key in way]))
    found = in_order(rows, way).values_list("pk", flat=True).first()
    return None if found is None else int(found)


def rows_before(listed: KeysetChangeList, pk: int) -> QuerySet[Any] | None:
    """The rows that stand before this one in a filtered list; None for one that is not in it."""
    row = listed.queryset.filter(pk=pk).first()
    keys = keys_of(listed.model, listed.queryset.query.order_by)
    if row is None or keys is None:
        return None
    way = [key.reversed() for key in keys]
    rows: QuerySet[Any] = listed.queryset.filter(beyond(way, [key.value_of(row) for key in way]))
    return rows


class WalkList(KeysetChangeList):
    """A list that is walked from one object to the next: its rows are neither counted nor read."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list: Any = ()
