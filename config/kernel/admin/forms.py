"""Plain forms that notice what others changed meanwhile: disjoint fields merge, the same field is refused.

The form carries, signed, the values it was shown with. On save the row is locked and both are compared.
"""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.db.models import JSONField, Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.kernel.admin.base import BancaleAdmin, acting
from config.kernel.admin.history import HistoryMixin
from config.kernel.admin.timeline import TimelineRow, last_event_id, timeline
from config.kernel.admin.transitions import TimelineMixin
from config.kernel.events import Entry, Thread, record_events

SALT = "kernel.versioned-form"
MARK = "version"

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class _Token(forms.CharField):
    """The signed values; never a change of their own."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ComparedForm(_ModelForm):
    """`shown` is what the person saw; the row in memory is what is there now, locked.

    `thread_type` names the timeline that says who changed it; the model's name where it is empty. `kept` names the
    fields in which the others' values stand.
    """

    shown = _Token(required=False)
    thread_type = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[str] = []
        if self.instance.pk:
            # Also on a refused save: pressing again is then a decision made with today's values in sight.
            stored = {
                field.name for field in (*self.instance._meta.fields, *self.instance._meta.many_to_many)
            }
            # A field that takes no answer is not compared: of a password even the hash would stand in the page.
            self.now = {
                name: self._stored(name)
                for name, field in self.fields.items()
                if name in stored and not field.disabled
            }
            self.initial["shown"] = signing.dumps({MARK: self.mark(), **self.now}, salt=SALT)

    @property
    def changed_by_hand(self) -> list[str]:
        """The fields that this save changes."""
        return [name for name in self.changed_data if name not in self.kept]

    def mark(self) -> int:
        """Where the timeline stands."""
        return last_event_id(self._thread())

    def changes_since(self, mark: int) -> list[TimelineRow]:
        return timeline(self._thread(), after=mark)

    def _thread(self) -> Thread:
        return Thread(self.thread_type or str(self.instance._meta.model_name), self.instance.pk)

    def _stored(self, name: str) -> str:
        field = self.instance._meta.get_field(name)
        if field.many_to_many:
            return ",".join(sorted(str(row.pk) for row in getattr(self.instance, name).all()))
        if isinstance(field, JSONField):
            return json.dumps(getattr(self.instance, name), sort_keys=True)
        return str(field.value_to_string(self.instance))

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        token = values.pop("shown", "")
        if not self.instance.pk:
            return values
        try:
            shown = signing.loads(token, salt=SALT)
        except signing.BadSignature:
            raise forms.ValidationError(_("The form is not complete; open it again.")) from None
        self._merge(values, shown)
        return values

    def _merge(self, values: dict[str, Any], shown: dict[str, Any]) -> None:
        """Keep what others changed where this person changed nothing; refuse where both did."""
        disputed = []
        for name, now in self.now.items():
            if name not in values or shown.get(name) == now:
                continue
            if name in shown and self._same(name, values[name], self._read(name, shown[name])):
                many = isinstance(self.fields[name], forms.ModelMultipleChoiceField)
                values[name] = self._read(name, now) if many else getattr(self.instance, name)
                self.kept.append(name)
            elif not self._same(name, values[name], self._read(name, now)):
                disputed.append(self._said(name, shown.get(name, "")))
        if disputed:
            data: Any = self.data.copy()  # type: ignore[attr-defined]
            data[self.add_prefix("shown")] = self.initial["shown"]
            self.data = data
            who = [str(row) for row in self.changes_since(int(shown[MARK]))]
            raise forms.ValidationError(
                [_("It was changed while you were editing; nothing was saved."), *disputed, *who]
            )

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
        return bool(str(field.prepare_value(one) or "") == str(field.prepare_value(other) or ""))

    def _said(self, name: str, before: str) -> str:
        """What became of a disputed field."""
        field = self.fields[name]
        if not isinstance(field, forms.ModelMultipleChoiceField):
            return _("%(field)s is now “%(value)s”") % {"field": field.label, "value": self._words(name)}
        was, there = (set(self._read(name, text)) for text in (before, self.now[name]))
        marks = [(row, "+") for row in there - was] + [(row, "−") for row in was - there]
        named = sorted(f"{mark} {field.label_from_instance(row)}" for row, mark in marks)
        return _("%(field)s changed: %(names)s") % {"field": field.label, "names": ", ".join(named)}

    def _words(self, name: str) -> str:
        """What a field holds now, as it is read."""
        column: Any = self.instance._meta.get_field(name)
        value = getattr(self.instance, name)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        if column.choices:
            return str(getattr(self.instance, f"get_{name}_display")())
        return str(value) if column.is_relation and value is not None else self.now[name]


class VersionedForm(ComparedForm):
    """Of a row that counts its changes itself."""

    def mark(self) -> int:
        return int(self.instance.version)

    def changes_since(self, mark: int) -> list[TimelineRow]:
        """The newest changes, as the timeline tells them."""
        return timeline(self._thread(), limit=max(1, self.instance.version - mark))


class ComparedMixin:
    """An admin whose `form` is a `ComparedForm`: locks the row for a save, and says what was kept."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; locked while a save is on its way."""
        obj = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if obj is None or request.method != "POST":
            return obj
        # The list's queryset may group, and PostgreSQL locks no grouped rows: lock the bare one, then read again.
        rows = self.model._default_manager.select_for_update()  # type: ignore[attr-defined]
        list(rows.filter(pk=obj.pk).values_list("pk"))
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The hidden field goes along wherever the admin lists its fields itself."""
        fieldsets: list[Any] = [
            (title, dict(options))
            for title, options in super().get_fieldsets(request, obj)  # type: ignore[misc]
        ]
        listed = any("shown" in options["fields"] for _title, options in fieldsets)
        if obj is not None and not listed and self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            fieldsets[0][1]["fields"] = [*fieldsets[0][1]["fields"], "shown"]
        return fieldsets

    def say_kept(self, request: HttpRequest, form: Any) -> None:
        if kept := getattr(form, "kept", ()):
            said = _(
                "Somebody else changed %(fields)s meanwhile; that was kept, and your changes were added to it."
            )
            names = ", ".join(str(form.fields[name].label) for name in kept)
            messages.info(request, said % {"fields": names})


class VersionedAdmin(ComparedMixin, HistoryMixin, TimelineMixin, BancaleAdmin):
    """A plain form for a `Versioned` model: each save adds one to its version and leaves an event."""

    form = VersionedForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changed = form.changed_by_hand
        if change and changed:
            obj.version += 1
        if not change or changed:
            super().save_model(request, obj, form, change)
            self._note(request, obj, form, change)
        self.say_kept(request, form)

    def _note(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        columns = {column.name: column.verbose_name for column in obj._meta.fields}
        labels = [str(columns.get(name) or form.fields[name].label) for name in form.changed_by_hand]
        thread = self.thread_of(obj)
        entry = Entry(
            (thread.type, thread.id), thread, "edited" if change else "created", facts={"fields": labels}
        )
        record_events([entry], actor=acting(request))
