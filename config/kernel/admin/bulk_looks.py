"""What the confirm page of an action on many rows knows beforehand: which objects, and what becomes of them.

A selection that fits one batch is rehearsed: the verb itself answers for each object, and what it wrote is taken back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.kernel.actors import Actor
from config.kernel.admin.base import admin_url
from config.kernel.admin.bulk_verbs import BulkVerb
from config.kernel.batches import MAX_BATCH
from config.kernel.errors import BancaleError
from config.kernel.rehearsing import rehearse
from config.kernel.results import Results
from config.kernel.templatetags.bancale import badge, number

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Look:
    """Sentences as in `consequences`, and the table of the objects."""

    said: list[Any] = field(default_factory=list)
    lines: Mapping[str, Any] = field(default_factory=dict)


def look_at(bulk: BulkVerb, ids: Sequence[int], values: Mapping[str, Any] | None, actor: Actor) -> Look:
    """What a press would do to these objects now; `values` are the cleaned form, None before it is filled in.

    Two statements, those of the verb and those of `bulk.foresee`, however many objects there are.
    """
    if len(ids) > MAX_BATCH:
        said = list(bulk.foresee(None)) if bulk.foresee else []
        return Look(said, _table(bulk, ids, None))
    results = _rehearsed(bulk, ids, values, actor)
    reached = ids if results is None else results.done_ids
    said = list(bulk.foresee(reached)) if bulk.foresee and reached else []
    return Look([*_counts(bulk, results), *said], _table(bulk, ids, results))


def _rehearsed(
    bulk: BulkVerb, ids: Sequence[int], values: Mapping[str, Any] | None, actor: Actor
) -> Results[int] | None:
    """None where the verb cannot answer yet: its form decides who is refused, or its locks did not come free."""
    given = values if values is not None else bulk.trial
    if given is None:
        return None
    try:
        return rehearse(lambda: bulk.verb(ids, actor=actor, **given))
    except BancaleError:
        return None


def _counts(bulk: BulkVerb, results: Results[int] | None) -> list[Any]:
    """How many are refused now, by reason; the same reason of another object counts as the same."""
    if results is None:
        return []
    said: list[Any] = []
    names = _names(bulk, list(results.refusals))
    groups: dict[str, list[int]] = {}
    for pk, error in results.refusals.items():
        groups.setdefault(str(error).replace(names.get(pk, f"#{pk}"), "#"), []).append(pk)
    for some in groups.values():
        first = {"label": names.get(some[0], f"#{some[0]}"), "why": str(results.refusals[some[0]])}
        text = ngettext(
            "%(n)s would be refused now: %(label)s. %(why)s",
            "%(n)s would be refused now, the first is %(label)s. %(why)s",
            len(some),
        )
        said.append({"text": text % {"n": number(len(some)), **first}, "tone": "stop"})
    if same := len(results.unchanged_ids) if bulk.form is None else 0:
        text = ngettext("%(n)s is already so.", "%(n)s are already so.", same)
        said.append({"text": text % {"n": number(same)}, "tone": "idle"})
    return said


def _table(bulk: BulkVerb, ids: Sequence[int], results: Results[int] | None) -> Mapping[str, Any]:
    """The first objects, those that would be refused before the others."""
    refused = results.refusals if results is not None else {}
    first = sorted(ids, key=lambda pk: pk not in refused)[:SHOWN]
    names, model = _names(bulk, first), apps.get_model(bulk.model)
    columns = [str(model._meta.verbose_name).capitalize()]
    rows = [[_link(model, pk, names)] for pk in first]
    if refused:
        columns.append(_("Now"))
        for row, pk in zip(rows, first, strict=True):
            row.append(str(refused[pk]) if pk in refused else badge(_("possible"), "ok"))
    return {"columns": columns, "rows": rows, "more": and_more(len(ids) - len(first))}


def and_more(count: int) -> str:
    """What stands below a list that is cut; empty where nothing is left out."""
    return ngettext("and %(n)s more", "and %(n)s more", count) % {"n": number(count)} if count > 0 else ""


def _link(model: Any, pk: int, names: Mapping[int, str]) -> Any:
    return format_html('<a href="{}">{}</a>', admin_url(model, "change", pk), names.get(pk, f"#{pk}"))


def _names(bulk: BulkVerb, ids: Sequence[int]) -> dict[int, str]:
    """What objects are called; one statement, none for none."""
    rows = apps.get_model(bulk.model)._default_manager.filter(pk__in=ids) if ids else ()
    return {row.pk: str(row) for row in rows}
