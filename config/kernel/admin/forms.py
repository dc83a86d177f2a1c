"""Plain forms that notice what others changed meanwhile: disjoint fields merge, the same field is refused.

The form carries, signed, the values it was shown with. On save the row is locked and both are compared.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import override

from config.kernel.admin.base import BancaleAdmin, acting
from config.kernel.admin.compared import INCOMPLETE, NOTHING_SAVED, Compared, kept_words
from config.kernel.admin.history import HistoryMixin
from config.kernel.admin.rows import ComparedRows
from config.kernel.admin.timeline import TimelineRow, last_event_id, timeline
from config.kernel.admin.transitions import TimelineMixin
from config.kernel.events import Entry, Thread, record_events

SALT = "kernel.versioned-form"
MARK = "mark"


class _Token(forms.CharField):
    """The signed values; never a change of their own."""

    widget = forms.HiddenInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ComparedForm(Compared):
    """`shown` is what the person saw.

    `thread_type` names the timeline that says who changed it; the model's name where it is empty. `told_by` are the
    kinds of events that tell of changes to the fields.
    """

    shown = _Token(required=False)
    thread_type = ""
    told_by: Sequence[str] = ("edited",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.news: list[TimelineRow] = []
        if self.instance.pk:
            self.initial["shown"] = self._token(self.now)

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
            raise forms.ValidationError(INCOMPLETE) from None

    def _merge(self, values: dict[str, Any], shown: dict[str, str], mark: int) -> None:
        """Keep what others changed where this person changed nothing; refuse where both did."""
        disputed = self.disputes(values, shown)
        if self.kept or disputed:
            self.news = self.changes_since(mark, {*self.kept, *disputed})
        if disputed:
            self.initial["shown"] = self._token(self.seen_by_now(values, shown))
            self.show_again(values)
            said = [NOTHING_SAVED, *map(str, self.news)]
            raise forms.ValidationError({NON_FIELD_ERRORS: said, **disputed})

    def show_again(self, values: dict[str, Any]) -> None:
        """Let the refused form hold today's values beside the person's own: pressing again is then a decision made with
        them in sight, and overwrites nothing else."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("shown")] = self.initial["shown"]
        self.show_kept(data)
        self.data = data

    def kept_words(self) -> str:
        """What others changed while this person was editing, and who; "" when nothing was."""
        fields = ", ".join(str(self.fields[name].label) for name in self.kept)
        people = ", ".join(dict.fromkeys(row.actor for row in self.news))
        return kept_words(fields, people)


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
        """The row; locked while a save is on its way. A button of the page begins a transaction of its own later, and
        locks the row there."""
        obj = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if obj is None or request.method != "POST" or not connection.in_atomic_block:
            return obj
        self.lock(request, obj)
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def lock(self, request: HttpRequest, obj: Any) -> None:
        """Lock the row for a save. Overridden where what the save calls locks further rows of the same table."""
        # The list's queryset may group, and PostgreSQL locks no grouped rows: lock the bare one. Who holds its stock
        # and writes a row that names it goes on: a stronger lock would make them wait here, and the save for them.
        rows = self.model._default_manager.select_for_update(no_key=True)  # type: ignore[attr-defined]
        list(rows.filter(pk=obj.pk).values_list("pk"))

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

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)  # type: ignore[misc]
        if isinstance(formset, ComparedRows):
            self.say_kept(request, formset)

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
        # Kept in English, for each reader to read in their language.
        with override("en"):
            labels = [str(columns.get(name) or form.fields[name].label) for name in form.changed_by_hand]
        thread = self.thread_of(obj)
        entry = Entry(
            (thread.type, thread.id), thread, "edited" if change else "created", facts={"fields": labels}
        )
        record_events([entry], actor=acting(request))
