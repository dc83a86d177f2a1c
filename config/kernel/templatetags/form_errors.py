"""What keeps a form from being saved, told above the page: each error with a link to its field."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import forms, template

register = template.Library()


@dataclass(frozen=True, slots=True)
class Fault:
    """`field_id` is the id of the field in the page; without one the fault is the whole form's."""

    text: str
    label: str = ""
    field_id: str = ""


@register.inclusion_tag("kernel/_error_note.html")
def error_note(form: forms.BaseForm, inlines: Iterable[Any] = ()) -> dict[str, Any]:
    """The faults of an admin's form and of the rows below it."""
    faults = list(_faults(form))
    for inline in inlines or ():
        faults += [Fault(str(text)) for text in inline.formset.non_form_errors()]
        for row in inline.formset.forms:
            faults += _faults(row)
    return {"faults": faults}


def _faults(form: forms.BaseForm) -> Iterator[Fault]:
    yield from (Fault(str(text)) for text in form.non_field_errors())
    for field in form:
        field_id = "" if field.is_hidden else field.id_for_label
        yield from (Fault(str(text), str(field.label), field_id) for text in field.errors)
