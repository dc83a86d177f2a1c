"""Plain forms that notice what others changed meanwhile: disjoint fields merge, the same field is refused.

The form carries, signed, the values it was shown with. On save the row is locked and both are compared.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.kernel.admin.base import BancaleAdmin, acting
from config.kernel.admin.history import HistoryMixin
from config.kernel.admin.timeline import timeline
from config.kernel.admin.transitions import TimelineMixin
from config.kernel.events import Entry, Thread, record_events

SALT = "kernel.versioned-form"

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class VersionedForm(_ModelForm):
    """`shown` is what the person saw; the row in memory is what is there now, locked."""

    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[str] = []
        if self.instance.pk:
            # Also on a refused save: pressing again is then a decision made with today's values in sight.
            columns = {column.name for column in self.instance._meta.fields}
            self.now = {name: self._stored(name) for name in self.fields if name in columns}
            self.initial["shown"] = signing.dumps({"version": self.instance.version, **self.now}, salt=SALT)

    def _stored(self, name: str) -> str:
        field = self.instance._meta.get_field(name)
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
        if shown["version"] != self.instance.version:
            self._merge(values, shown)
        return values

    def _merge(self, values: dict[str, Any], shown: dict[str, str]) -> None:
        """Keep what others changed where this person changed nothing; refuse where both did."""
        disputed = []
        for name, now in self.now.items():
            if name not in values or shown.get(name) == now:
                continue
            before = self.fields[name].to_python(shown.get(name)) if name in shown else None
            if self._same(name, values[name], before):
                values[name] = getattr(self.instance, name)
                self.kept.append(str(self.fields[name].label))
            elif not self._same(name, values[name], getattr(self.instance, name)):
                disputed.append(
                    _("%(field)s is now “%(value)s”") % {"field": self.fields[name].label, "value": now}
                )
        if disputed:
            data: Any = self.data.copy()  # type: ignore[attr-defined]
            data[self.add_prefix("shown")] = self.initial["shown"]
            self.data = data
            raise forms.ValidationError(
                [_("It was changed while you were editing; nothing was saved."), *disputed, *self._who(shown)]
            )

    def _same(self, name: str, one: Any, other: Any) -> bool:
        field = self.fields[name]
        return bool(str(field.prepare_value(one) or "") == str(field.prepare_value(other) or ""))

    def _who(self, shown: dict[str, Any]) -> list[str]:
        """The newest changes, as the timeline tells them."""
        thread = Thread(str(self.instance._meta.model_name), self.instance.pk)
        return [
            str(row) for row in timeline(thread, limit=max(1, self.instance.version - int(shown["version"])))
        ]


class VersionedAdmin(HistoryMixin, TimelineMixin, BancaleAdmin):
    """A plain form for a `Versioned` model: each save adds one to its version and leaves an event."""

    form = VersionedForm

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; locked while a save is on its way."""
        obj = super().get_object(request, object_id, from_field)
        if obj is None or request.method != "POST":
            return obj
        # The list's queryset may group, and PostgreSQL locks no grouped rows: lock the bare one, then read again.
        list(self.model._default_manager.select_for_update().filter(pk=obj.pk).values_list("pk"))
        return super().get_object(request, object_id, from_field)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The hidden field goes along wherever the admin lists its fields itself."""
        fieldsets: list[Any] = [
            (title, dict(options)) for title, options in super().get_fieldsets(request, obj)
        ]
        listed = any("shown" in options["fields"] for _title, options in fieldsets)
        if not listed and self.has_change_permission(request, obj):
            fieldsets[0][1]["fields"] = [*fieldsets[0][1]["fields"], "shown"]
        return fieldsets

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changed = [name for name in form.changed_data if name != "shown"]
        if change and changed:
            obj.version += 1
        if not change or changed:
            super().save_model(request, obj, form, change)
            self._note(request, obj, form, change)
        if kept := getattr(form, "kept", ()):
            said = _(
                "Somebody else changed %(fields)s meanwhile; that was kept, and your changes were added to it."
            )
            messages.info(request, said % {"fields": ", ".join(kept)})

    def _note(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        columns = {column.name: column.verbose_name for column in obj._meta.fields}
        changed = [name for name in form.changed_data if name != "shown"]
        labels = [str(columns.get(name) or form.fields[name].label) for name in changed]
        thread = self.thread_of(obj)
        entry = Entry(
            (thread.type, thread.id), thread, "edited" if change else "created", facts={"fields": labels}
        )
        record_events([entry], actor=acting(request))
