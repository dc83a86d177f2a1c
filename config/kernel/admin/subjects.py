"""What facts tell and are about, who is owed them and what jobs do, as people call it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html

from config.kernel.admin.addresses import admin_url
from config.kernel.admin.base import KeysetAdmin
from config.kernel.admin.pages import PageAdmin
from config.kernel.admin.timeline import subject_name
from config.kernel.states import MACHINES

Subject = tuple[str, int]
_CALLED: dict[str, str | Promise] = {}
_FACTS: dict[str, str | Promise] = {}
_JOBS: dict[str, str | Promise] = {}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Named(NamedTuple):
    """A subject for people; without an address where it has no page or is no more."""

    label: str
    url: str = ""

    def link(self) -> Any:
        return format_html('<a href="{}">{}</a>', self.url, self.label) if self.url else self.label


def call_subscribers(names: Mapping[str, str | Promise]) -> None:
    """Say what subscribers do with a fact: “Mail that the goods left”."""
    _CALLED.update(names)


def subscriber_words(name: str) -> str:
    """What is owed; the code of a subscriber that nobody described."""
    return str(_CALLED.get(name, name))


def call_facts(names: Mapping[str, str | Promise]) -> None:
    """Say what kinds of facts tell: “Order confirmed”."""
    _FACTS.update(names)


def fact_words(kind: str) -> str:
    """What a fact tells; the code of a kind that nobody described."""
    return str(_FACTS.get(kind, kind))


def call_jobs(names: Mapping[str, str | Promise]) -> None:
    """Say what kinds of jobs do: “Apply an import”."""
    _JOBS.update(names)


def job_words(kind: str) -> str:
    """What a job does; the code of a kind that nobody described."""
    return str(_JOBS.get(kind, kind))


def subject_type_words(subject_type: str) -> str:
    """What a subject of this type is called, told from others of the same model by what its machine moves."""
    machine = MACHINES.get(subject_type)
    said = subject_name(subject_type)
    if machine is None or sum(other.model == machine.model for other in MACHINES.values()) == 1:
        return said
    moved: Any = apps.get_model(machine.model)._meta.get_field(machine.field)
    return f"{said}: {moved.verbose_name}"


def called_so(number: str) -> list[Subject]:
    """The subjects whose own number this is, such as the order 10042; an indexed statement a kind of numbered ones,
    none for no number."""
    found: list[Subject] = []
    if not number:
        return found
    for kind, model in sorted(_models().items()):
        if any(field.name == "number" and field.unique for field in model._meta.concrete_fields):
            rows = model._default_manager.filter(number__in={number, number.upper()}).order_by()
            found += [(kind, pk) for pk in rows.values_list("pk", flat=True)]
    return found


class SubjectAdmin(PageAdmin, KeysetAdmin):
    """A list of what objects are named in. `subject_fields` are the columns with an object's type and its key."""

    subject_fields: tuple[tuple[str, str], ...] = (("subject_type", "subject_id"),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By number, an object's own one first: what the page calls 10042 is found as that."""
        about = Q()
        for found in called_so(search_term.strip()[:24]):
            for fields in self.subject_fields:
                about |= Q(**dict(zip(fields, found, strict=True)))
        if about:
            return queryset.filter(about), False
        return super().get_search_results(request, queryset, search_term)


def _models() -> dict[str, Any]:
    return {_HUMP.sub("_", model.__name__).lower(): model for model in admin.site._registry}


def _rows(model: Any) -> Any:
    """All of them, with what the list of their own joins: that is what they are called by."""
    joined = admin.site._registry[model].list_select_related
    rows = model._default_manager.all()
    return rows.select_related(*joined) if isinstance(joined, list | tuple) else rows


def named_subjects(subjects: Iterable[Subject], request: HttpRequest) -> dict[Subject, Named]:
    """Each subject by its kind and its own number, with its page; a statement a kind.

    What this person has no right to open, or to read the names of, is its kind and its key, without its page.
    """
    models = _models()
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, pk in subjects:
        wanted[kind].add(pk)
    found: dict[Subject, Named] = {}
    for kind, ids in wanted.items():
        model = models.get(kind)
        rows = _rows(model).in_bulk(ids) if model is not None and _may_name(model, request) else {}
        for pk in ids:
            row = rows.get(pk)
            label = f"{_kind_words(kind, model)} {pk if row is None else row}"
            found[kind, pk] = Named(label, "" if row is None else admin_url(row, "change", pk))
    return found


def unnamed(kind: str, pk: int) -> Named:
    """A subject for whom nobody knows what they may read."""
    return Named(f"{_kind_words(kind, _models().get(kind))} {pk}")


def _kind_words(kind: str, model: Any) -> str:
    return subject_name(kind) if model is None else str(model._meta.verbose_name)


def _may_name(model: Any, request: HttpRequest) -> bool:
    page = admin.site._registry[model]
    need = getattr(page, "name_needs", "")
    return page.has_view_permission(request) and (not need or request.user.has_perm(need))
