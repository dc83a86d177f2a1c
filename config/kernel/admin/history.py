"""The History page of an object: who changed which field from what to what, newest first."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from config.kernel.actors import ActorKind
from config.kernel.admin.timeline import actor_words, user_names
from config.kernel.history import CHANGED, CREATED, DELETED
from config.kernel.templatetags.bancale import DASH, local_text

SHOWN = 200


@dataclass(frozen=True, slots=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One save; `about` names the row where it is not the object itself."""

    at: datetime
    who: str
    kind: str
    about: str
    changes: Sequence[FieldChange]

    @property
    def title(self) -> str:
        return {CREATED: _("Created"), CHANGED: _("Changed"), DELETED: _("Removed")}[self.kind]

    @property
    def is_made(self) -> bool:
        """Before it there was nothing that its values could have replaced."""
        return self.kind == CREATED

    @property
    def tone(self) -> str:
        return {CREATED: "ok", CHANGED: "info", DELETED: "stop"}[self.kind]


class HistoryMixin:
    """`history/` of an admin whose model has a `history`. `history_of` names models whose rows belong to the object,
    with the column that leads to it; `history_words` say values of a field that words have to be found for."""

    history_of: Mapping[type[Model], str] = {}
    history_words: Mapping[str, Callable[[Any], str]] = {}
    model: type[Model]

    def history_link(self, obj: Any) -> list[dict[str, Any]]:
        """The button that opens it; none for a model without history."""
        if not hasattr(self.model, "history"):
            return []
        url = reverse(
            f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_history", args=[obj.pk]
        )
        return [{"name": "history", "label": _("History"), "tone": "plain", "url": url, "reason": ""}]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The newest 200 saves of the object and of what belongs to it."""
        if not hasattr(self.model, "history"):
            return super().history_view(request, object_id, extra_context)  # type: ignore[misc,no-any-return]
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):  # type: ignore[attr-defined]
            raise PermissionDenied
        hidden = {
            name
            for name, need in self.needs.items()  # type: ignore[attr-defined]
            if not request.user.has_perm(need)
        }
        rows = self.history_rows(obj, hidden)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.model._meta,
            "object": obj,
            "title": _("History: %(name)s") % {"name": obj},
            "rows": rows[:SHOWN],
            "is_cut": len(rows) > SHOWN,
            "most": SHOWN,
            "preserved_filters": self.get_preserved_filters(request),  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "kernel/history.html", context)

    def history_rows(self, obj: Model, hidden: Iterable[str] = ()) -> list[HistoryRow]:
        """A statement for the object, one for each model that belongs to it or is named, one for people."""
        records = list(_records(self.model, {self.model._meta.pk.attname: obj.pk}, ""))
        for model, column in self.history_of.items():
            records += _records(model, {column: obj.pk}, str(model._meta.verbose_name))
        records.sort(key=lambda one: (one.row.history_date, one.row.history_id), reverse=True)
        words = _Words(records, self.history_words)
        people = user_names(one.row.history_user_id for one in records)
        return [row for one in records if (row := _row(one, words, people, frozenset(hidden))) is not None]


@dataclass(frozen=True, slots=True)
class _Record:
    """A history row, and the one before it of the same object."""

    row: Any
    before: Any
    about: str


def _records(model: Any, wanted: Mapping[str, Any], about: str) -> Iterator[_Record]:
    last: dict[Any, Any] = {}
    newest = model.history.filter(**wanted).order_by("-history_date", "-history_id")[: SHOWN + 1]
    for row in reversed(newest):
        pk = getattr(row, model._meta.pk.attname)
        yield _Record(row, last.get(pk), about)
        last[pk] = row


class _Words:
    """Values as a person reads them; rows that fields point to are looked up once a model."""

    def __init__(self, records: Sequence[_Record], given: Mapping[str, Callable[[Any], str]]) -> None:
        self.given = given
        wanted: dict[Any, set[Any]] = defaultdict(set)
        for one in records:
            for field in one.row.tracked_fields:
                if field.is_relation and (pk := getattr(one.row, field.attname)) is not None:
                    wanted[field.related_model].add(pk)
        self.names = {model: model._default_manager.in_bulk(ids) for model, ids in wanted.items()}

    def say(self, field: Any, value: Any) -> str:
        if field.name in self.given:
            return self.given[field.name](value)
        if value is None or value == "":
            return DASH
        if field.is_relation:
            return str(self.names[field.related_model].get(value, f"#{value}"))
        if field.flatchoices:
            return str(dict(field.flatchoices).get(value, value))
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, int):
            return number_format(value, use_l10n=True, force_grouping=True)
        return local_text(value) if isinstance(value, datetime) else str(value)


def _row(one: _Record, words: _Words, people: Mapping[int, str], hidden: frozenset[str]) -> HistoryRow | None:
    """None for a save that changed nothing that is shown."""
    changes = [
        change
        for field in one.row.tracked_fields
        if not field.primary_key and field.name not in hidden
        for change in _change(one, field, words)
    ]
    kind = one.row.history_type
    if kind == CHANGED and not changes:
        return None
    user_id, label = one.row.history_user_id, one.row.history_change_reason or ""
    who = actor_words(ActorKind.USER if user_id else ActorKind.SYSTEM, user_id, label, people)
    return HistoryRow(one.row.history_date, who, kind, capfirst(one.about), changes)


def _change(one: _Record, field: Any, words: _Words) -> Iterator[FieldChange]:
    """What a save changed of a field: from nothing where it was made, to nothing where it was removed."""
    value = getattr(one.row, field.attname)
    if one.row.history_type == CHANGED:
        if one.before is None and field.is_relation:
            return  # history begins with this change, and what it is about has not changed
        before = getattr(one.before, field.attname) if one.before is not None else field.get_default()
        if before != value:
            yield FieldChange(str(field.verbose_name), words.say(field, before), words.say(field, value))
        return
    said = words.say(field, value)
    if said != DASH and (one.row.history_type == CREATED or field.name != "id"):
        before, after = (DASH, said) if one.row.history_type == CREATED else (said, DASH)
        yield FieldChange(str(field.verbose_name), before, after)
