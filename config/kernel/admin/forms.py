"""Plain forms that notice what others changed meanwhile: disjoint fields merge, the same field is refused.

The form carries, signed, the values it was shown with. On save the row is locked and both are compared.
"""

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.validators import EMPTY_VALUES
from django.db.models import JSONField, Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.kernel.admin.base import BancaleAdmin, acting
from config.kernel.admin.history import HistoryMixin
from config.kernel.admin.timeline import TimelineRow, last_event_id, timeline
from config.kernel.admin.transitions import TimelineMixin
from config.kernel.events import Entry, Thread, record_events
from config.kernel.templatetags.bancale import DASH

SALT = "kernel.versioned-form"
MARK = "mark"

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

    `thread_type` names the timeline that says who changed it; the model's name where it is empty. `told_by` are the
    kinds of events that tell of changes to the fields. `kept` names the fields in which the others' values stand.
    """

    shown = _Token(required=False)
    thread_type = ""
    told_by: Sequence[str] = ("edited",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[str] = []
        self.news: list[TimelineRow] = []
        self.shape()
        if self.instance.pk:
            self.now = self.stored()
            self.initial["shown"] = self._token(self.now)

    def shape(self) -> None:
        """Set fields, choices and initial values from the row, before anything is compared."""

    @property
    def changed_by_hand(self) -> list[str]:
        """The fields that this save changes."""
        return [name for name in self.changed_data if name not in self.kept]

    def mark(self) -> int:
        """Where the timeline stands."""
        return last_event_id(self._thread())

    def changes_since(self, mark: int, names: Collection[str]) -> list[TimelineRow]:
        """How the timeline tells what others did to these fields."""
        return timeline(self._thread(), after=mark, kinds=self.told_by)

    def _thread(self) -> Thread:
        return Thread(self.thread_type or str(self.instance._meta.model_name), self.instance.pk)

    def _token(self, fields: dict[str, str]) -> str:
        return signing.dumps({MARK: self.mark(), "fields": fields}, salt=SALT)

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
        return str(field.value_to_string(self.instance))

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        token = values.pop("shown", "")
        if self.instance.pk:
            self._merge(values, *self._seen(token))
        return values

    def _seen(self, token: str) -> tuple[dict[str, str], int]:
        """What the fields held when the form was shown, and where the timeline stood."""
        try:
            seen = signing.loads(token, salt=SALT)
            return {name: seen["fields"][name] for name in self.now}, int(seen[MARK])
        except (signing.BadSignature, KeyError):
            raise forms.ValidationError(_("The form is not complete; open it again.")) from None

    def _merge(self, values: dict[str, Any], shown: dict[str, str], mark: int) -> None:
        """Keep what others changed where this person changed nothing; refuse where both did."""
        disputed = {}
        for name, now in self.now.items():
            if name in values and shown[name] != now:
                own = values[name]
                if not self.settle(name, values, shown[name]):
                    disputed[name] = self._said(name, own, shown[name])
        if self.kept or disputed:
            self.news = self.changes_since(mark, {*self.kept, *disputed})
        if disputed:
            # A field that is wrong in itself was not compared: what was shown of it still counts.
            seen = {name: now if name in values else shown[name] for name, now in self.now.items()}
            self.initial["shown"] = self._token(seen)
            self.show_again(values)
            said = [_("It was changed while you were editing; nothing was saved."), *map(str, self.news)]
            raise forms.ValidationError({NON_FIELD_ERRORS: said, **disputed})

    def settle(self, name: str, values: dict[str, Any], shown: str) -> bool:
        """Put in `values` what is to stand, and in `kept` what only others changed; False where both did."""
        own, now = values[name], self.now[name]
        if not self._same(name, own, self._read(name, shown)):
            return self._same(name, own, self._read(name, now))
        many = isinstance(self.fields[name], forms.ModelMultipleChoiceField)
        values[name] = self._read(name, now) if many else getattr(self.instance, name)
        self.kept.append(name)
        return True

    def show_again(self, values: dict[str, Any]) -> None:
        """Let the refused form hold today's values beside the person's own: pressing again is then a decision made with
        them in sight, and overwrites nothing else."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("shown")] = self.initial["shown"]
        for name in self.kept:
            field = self.fields[name]
            value = field.prepare_value(self.get_initial_for_field(field, name))
            if isinstance(value, list | tuple):
                data.setlist(self.add_prefix(name), [str(one) for one in value])
            else:
                data[self.add_prefix(name)] = "" if value is None else str(value)
        self.data = data

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
        field = self.fields[name]
        value = field.prepare_value(value)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        labels = {str(key): str(label) for key, label in getattr(field, "choices", ())}
        texts = [
            str(one) for one in (value if isinstance(value, list | tuple) else [value]) if one is not None
        ]
        return ", ".join(labels.get(text, text) for text in texts) or DASH

    def kept_words(self) -> str:
        """What others changed while this person was editing, and who; "" when nothing was."""
        fields = ", ".join(str(self.fields[name].label) for name in self.kept)
        people = ", ".join(dict.fromkeys(row.actor for row in self.news))
        if not fields or not people:
            return fields and _("Also changed meanwhile: %(fields)s. That was kept.") % {"fields": fields}
        said = _("Also changed meanwhile: %(fields)s, by %(people)s. That was kept.")
        return said % {"fields": fields, "people": people}


class VersionedForm(ComparedForm):
    """Of a row that counts its changes itself."""

    def mark(self) -> int:
        return int(self.instance.version)

    def changes_since(self, mark: int, names: Collection[str]) -> list[TimelineRow]:
        """The newest changes."""
        newest = max(1, self.instance.version - mark)
        return timeline(self._thread(), limit=newest, kinds=self.told_by)


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
        if said := form.kept_words():
            messages.info(request, said)


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
