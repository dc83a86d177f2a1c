"""What is common to forms that notice what others changed meanwhile: the fields' values now, and whose stand."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import EMPTY_VALUES
from django.db.models import JSONField, Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.templatetags.bancale import DASH

NOTHING_SAVED = gettext_lazy("It was changed while you were editing; nothing was saved.")
INCOMPLETE = gettext_lazy("The form is not complete; open it again.")

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class Compared(_ModelForm):
    """`now` is what the row in memory holds, locked where a save is on its way; `kept` names the fields in which the
    others' values stand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[str] = []
        self.now: dict[str, str] = {}
        self.shape()
        if self.instance.pk:
            self.now = self.stored()

    def shape(self) -> None:
        """Set fields, choices and initial values from the row, before anything is compared."""

    @property
    def changed_by_hand(self) -> list[str]:
        """The fields that this save changes."""
        return [name for name in self.changed_data if name not in self.kept]

    def stored(self) -> dict[str, str]:
        """What the fields hold now, as text. A field that takes no answer is not compared: of a password even the hash
        would stand in the page."""
        columns = {field.name for field in (*self.instance._meta.fields, *self.instance._meta.many_to_many)}
        return {
            name: self._stored(name)
            for name, field in self.fields.items()
            if name in columns and not field.disabled
        }

    def _stored(self, name: str) -> str:
        field = self.instance._meta.get_field(name)
        if field.many_to_many:
            return ",".join(sorted(str(row.pk) for row in getattr(self.instance, name).all()))
        if isinstance(field, JSONField):
            return json.dumps(getattr(self.instance, name), sort_keys=True)
        if field.value_from_object(self.instance) is None:
            return ""
        return str(field.value_to_string(self.instance))

    def disputes(self, values: dict[str, Any], shown: Mapping[str, str]) -> dict[str, str]:
        """Keep what others changed where this person changed nothing; what to say of each field where both did."""
        disputed = {}
        for name, now in self.now.items():
            if name in values and shown[name] != now:
                own = values[name]
                if not self.settle(name, values, shown[name]):
                    disputed[name] = self._said(name, own, shown[name])
        return disputed

    def seen_by_now(self, values: Mapping[str, Any], shown: Mapping[str, str]) -> dict[str, str]:
        """What a refused form shows: today's values, but of a field that is wrong in itself, which was not compared,
        still what was shown before."""
        return {name: now if name in values else shown[name] for name, now in self.now.items()}

    def show_kept(self, data: Any) -> None:
        """Put the others' values into a refused form's own text, where they stand."""
        for name in self.kept:
            field = self.fields[name]
            value = field.prepare_value(self.get_initial_for_field(field, name))
            if isinstance(value, list | tuple):
                data.setlist(self.add_prefix(name), [str(one) for one in value])
            else:
                data[self.add_prefix(name)] = "" if value is None else str(value)

    def settle(self, name: str, values: dict[str, Any], shown: str) -> bool:
        """Put in `values` what is to stand, and in `kept` what only others changed; False where both did."""
        own, now = values[name], self.now[name]
        if not self._same(name, own, self._read(name, shown)):
            return self._same(name, own, self._read(name, now))
        many = isinstance(self.fields[name], forms.ModelMultipleChoiceField)
        values[name] = self._read(name, now) if many else getattr(self.instance, name)
        self.kept.append(name)
        return True

    def _read(self, name: str, stored: str) -> Any:
        """The value of a field from its text."""
        column: Any = self.instance._meta.get_field(name)
        if isinstance(column, JSONField):
            return json.loads(stored)
        if not column.many_to_many:
            return self.fields[name].to_python(stored)
        related = column.related_model
        return related._default_manager.filter(pk__in=[pk for pk in stored.split(",") if pk])

    def _same(self, name: str, one: Any, other: Any) -> bool:
        field = self.fields[name]
        if isinstance(field, forms.ModelMultipleChoiceField):
            return {row.pk for row in one} == {row.pk for row in other}
        prepared = map(field.prepare_value, (one, other))
        texts = ["" if value in EMPTY_VALUES else str(value) for value in prepared]
        return texts[0] == texts[1]

    def _said(self, name: str, own: Any, before: str) -> str:
        """What became of a disputed field."""
        field = self.fields[name]
        if not isinstance(field, forms.ModelMultipleChoiceField):
            said = _(
                "Somebody else made it “%(value)s”; you wrote “%(own)s”. Saving again puts yours in its place."
            )
            now = getattr(self.instance, name)
            return said % {"value": self.words(name, now), "own": self.words(name, own)}
        was, there = (set(self._read(name, text)) for text in (before, self.now[name]))
        marks = [(row, "+") for row in there - was] + [(row, "−") for row in was - there]
        named = sorted(f"{mark} {field.label_from_instance(row)}" for row, mark in marks)
        return _("Somebody else changed it: %(names)s. Saving again puts yours in its place.") % {
            "names": ", ".join(named)
        }

    def words(self, name: str, value: Any) -> str:
        """A value as the form's reader calls it."""
        field: Any = self.fields[name]
        if isinstance(value, Model):
            return str(field.label_from_instance(value))
        value = field.prepare_value(value)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        labels = {str(key): str(label) for key, label in getattr(field, "choices", ())}
        texts = [
            str(one) for one in (value if isinstance(value, list | tuple) else [value]) if one is not None
        ]
        return ", ".join(labels.get(text, text) for text in texts) or DASH


def kept_words(what: str, people: str) -> str:
    """What others changed while this person was editing, and who where that is known; "" when nothing was."""
    if not what or not people:
        return what and _("Also changed meanwhile: %(fields)s. That was kept.") % {"fields": what}
    said = _("Also changed meanwhile: %(fields)s, by %(people)s. That was kept.")
    return said % {"fields": what, "people": people}
