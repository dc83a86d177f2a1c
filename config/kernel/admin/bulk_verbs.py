"""Verbs that people run on many rows, by name, so that a page of later and a job find them again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise

from config.kernel.admin.presses import bare
from config.kernel.results import Results

Text = str | Promise
Verb = Callable[..., Results[int]]


@dataclass(frozen=True, slots=True)
class Undo:
    """The bulk verb of the same model that takes another one back, on exactly what was done.

    `values` makes its posted form from the other's cleaned one and `since`, the moment before it ran (ISO); None
    where it would take back more than was done.
    """

    verb: Verb
    values: Callable[[Mapping[str, Any]], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class BulkVerb:
    """A verb that people run on many rows of one model; `done` is its past form: "confirmed".

    `trial` is what to ask the verb with before its form is filled in, where the form does not decide who is refused;
    None: it cannot be asked. `foresee(ids)` says what follows for those that would be done, in a fixed number of
    statements; for a selection too large to look at it is asked with None. `names` are the fields of the form that
    titles name; free text that may speak of people is none of them.
    """

    name: str
    model: str
    verb: Verb
    permission: str
    label: Text
    done: Text
    form: type[forms.Form] | None = None
    consequences: Sequence[Text] = ()
    risk: bool = False
    undo: Undo | None = None
    trial: Mapping[str, Any] | None = None
    foresee: Callable[[Sequence[int] | None], Sequence[Any]] | None = None
    names: Sequence[str] = ()


BULK_VERBS: dict[str, BulkVerb] = {}


def register_bulk(
    verb: Verb, permission: str, label: Text, *, model: str, done: Text, **more: Any
) -> BulkVerb:
    """Name a verb without offering it in a list: what takes another one back."""
    name = bulk_name(model, verb)
    if more.get("form") is None:
        more.setdefault("trial", {})
    bulk = BULK_VERBS[name] = BulkVerb(name, model, verb, permission, label, done, **more)
    return bulk


def bulk_name(model: str, verb: Verb) -> str:
    return f"bulk_{model.replace('.', '_').lower()}_{verb.__name__}"


def reverse_of(bulk: BulkVerb) -> BulkVerb | None:
    return BULK_VERBS[bulk_name(bulk.model, bulk.undo.verb)] if bulk.undo is not None else None


def cleaned(bulk: BulkVerb, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The verb's values from its form as it was posted before, when it was valid."""
    if bulk.form is None:
        return {}
    form = bulk.form(given)
    form.full_clean()
    return form.cleaned_data


def titled(bulk: BulkVerb, given: Mapping[str, Any]) -> str:
    """What is done, and with what: “Tag “spring””."""
    said = [text for name, _label, text in arguments(bulk, given) if name in bulk.names]
    return " ".join([bare(bulk.label), *(f"“{text}”" for text in said)])


def arguments(bulk: BulkVerb, given: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, label, value in words) of what the form asked for and got."""
    if bulk.form is None:
        return []
    form = bulk.form(given)
    rows = []
    for field in form.visible_fields():
        value = str(given.get(field.name, ""))
        choices = {str(key): str(word) for key, word in getattr(field.field, "choices", ())}
        if value:
            rows.append((field.name, str(field.label), choices.get(value, value)))
    return rows
