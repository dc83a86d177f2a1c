"""Rows of a table inside a form, compared as forms are: what others did to a row meanwhile is kept or disputed.

The table carries, signed, the values that its rows were shown with. On save the row that it belongs to is locked, so
that the rows in memory are what is there now.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import UniqueConstraint
from django.forms.formsets import DELETION_FIELD_NAME, INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.forms.models import BaseInlineFormSet
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from config.kernel.actors import ActorKind
from config.kernel.admin.base import TabularInline
from config.kernel.admin.compared import INCOMPLETE, NOTHING_SAVED, Compared, kept_words
from config.kernel.admin.timeline import actor_words, user_names

SALT = "kernel.compared-rows"
SHOWN = "shown"
Seen = Mapping[str, Mapping[str, str]]

if TYPE_CHECKING:
    _InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    _InlineFormSet = BaseInlineFormSet


class RowForm(Compared):
    """One row. `seen` is what the person saw of it, from its table; None for a row that was not shown. `named` is what
    it is called now, where it differs from what was seen."""

    seen: Mapping[str, str] | None = None
    named = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.disputed: dict[str, str] = {}
        self.seen_next: Mapping[str, str] = {}

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or self.cleaned_data
        if self.seen is None:
            return values
        self.seen_next = self.seen_by_now(values, self.seen)
        if self.now != self.seen:
            self.named = str(self.instance)
            self.disputed = self.disputes(values, self.seen)
            if self.disputed:
                raise ValidationError(dict(self.disputed))
        return values

    def _post_clean(self) -> None:
        """Django leaves out what is to be unique among the rows of one parent; the database would answer instead."""
        super()._post_clean()  # type: ignore[misc]
        try:
            if not self.errors:
                self._ask_unique()
        except ValidationError as refusal:
            self.add_error(None, refusal)

    def _ask_unique(self) -> None:
        left_out = self._get_validation_exclusions()  # type: ignore[attr-defined]
        for constraint in self.instance._meta.constraints:
            if isinstance(constraint, UniqueConstraint):
                constraint.validate(type(self.instance), self.instance, exclude=left_out)

    @property
    def kept_fields(self) -> str:
        return ", ".join(capfirst(str(self.fields[name].label)) for name in self.kept)

    def has_changed(self) -> bool:
        """What only others changed is not saved once more."""
        return bool(self.changed_by_hand)


class ComparedRows(_InlineFormSet):
    """The table; its `form` is a `RowForm`. `kept` says what others did to rows, by the row's key, and `people` who
    they were."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[str, str] = {}
        self.people: list[str] = []
        # Rows that others removed and this person changed: the name by the place of the form that they are now.
        self.lost: dict[int, tuple[str, str]] = {}
        if self.is_bound and self.management_form.is_valid():
            self._leave_out_removed()

    @cached_property
    def management_form(self) -> Any:
        form: Any = super().management_form
        form.fields[SHOWN] = forms.CharField(required=False, widget=forms.HiddenInput)
        if not self.is_bound:
            form.initial[SHOWN] = self._token({str(row.instance.pk): row.now for row in self.initial_forms})
        return form

    @cached_property
    def seen(self) -> Seen:
        """What each row held when the form was shown, by its key."""
        try:
            rows: Seen = signing.loads(self.data.get(f"{self.prefix}-{SHOWN}", ""), salt=self._salt())
        except signing.BadSignature:
            return {}
        return rows

    @property
    def added_by_others(self) -> list[Any]:
        """Rows that are there now and were not shown; no form stands for them."""
        return [row for row in self.get_queryset() if str(row.pk) not in self.seen]

    def kept_words(self) -> str:
        """What others changed meanwhile, and who; "" when nothing was."""
        return kept_words("; ".join(self.kept.values()), ", ".join(self.people))

    def clean(self) -> None:
        shown = [row for row in self.initial_forms if row.instance.pk]
        if any(row.seen is None for row in shown):
            raise ValidationError(INCOMPLETE)
        changed = [row for row in shown if row.now != row.seen]
        going = [row for row in changed if self.can_delete and self._should_delete_form(row)]  # type: ignore[attr-defined]
        for row in going:
            said = _("Somebody else changed it to “%(name)s”. Saving again removes it.")
            row.add_error(None, said % {"name": row.named})
        for place in self.lost:
            self.forms[place].add_error(None, _("Somebody else removed it. Saving again adds it once more."))
        disputed = [row for row in changed if row.disputed or row in going]
        if disputed or self.lost:
            self._show_again(shown)
            raise ValidationError([NOTHING_SAVED, *self._news(disputed)])
        self.kept |= {str(row.instance.pk): f"{row.named}: {row.kept_fields}" for row in changed if row.kept}
        self.people = list(dict.fromkeys(self._who(self.kept).values()))
        super().clean()

    def _salt(self) -> str:
        return f"{SALT}:{_label(self.model)}:{self.instance.pk}"

    def _token(self, rows: Seen) -> str:
        return signing.dumps(rows, salt=self._salt(), compress=True)

    def _existing_object(self, pk: Any) -> Any:
        """A copy, so that what stands around a refused table is the stored row."""
        return copy(super()._existing_object(pk))  # type: ignore[misc]

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form: Any = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        if self.is_bound and form.instance.pk:
            seen = self.seen.get(str(form.instance.pk), {})
            form.seen = seen if set(seen) == set(form.now) else None
        return form

    def _show_again(self, shown: Sequence[Any]) -> None:
        """Let the refused table hold today's values beside the person's own: pressing again is then a decision made
        with them in sight, and overwrites nothing else."""
        rows = {str(row.instance.pk): row.seen_next or row.seen for row in shown}
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[f"{self.prefix}-{SHOWN}"] = self._token(rows)
        for row in shown:
            row.show_kept(data)
        self._take(data)
        # The admin pairs forms with rows by their places, and others may have put rows in between.
        stored = {row.pk: row for row in self.get_queryset()}
        self._queryset = [stored[row.instance.pk] for row in shown]

    def _take(self, data: Any) -> None:
        self.data = data
        del self.management_form
        for form in self.__dict__.get("forms", ()):
            form.data = data

    def _news(self, disputed: Sequence[Any]) -> list[str]:
        """Who did what to the rows that are disputed, as far as it is known."""
        names = {str(row.instance.pk): row.named for row in disputed}
        who = self._who([*names, *(pk for pk, _name in self.lost.values())])
        changed, removed = _("%(who)s changed “%(name)s”."), _("%(who)s removed “%(name)s”.")
        return [
            *(changed % {"who": who[pk], "name": name} for pk, name in names.items() if pk in who),
            *(removed % {"who": who[pk], "name": name} for pk, name in self.lost.values() if pk in who),
        ]

    def _who(self, pks: Iterable[str]) -> dict[str, str]:
        """Who saved or removed each row last; nobody of a model without history. At most two statements."""
        history, wanted = getattr(self.model, "history", None), list(pks)
        if history is None or not wanted:
            return {}
        rows = history.filter(**{f"{_key(self.model)}__in": wanted}).order_by("history_id")
        found = {
            str(pk): (user, label or "")
            for pk, user, label in rows.values_list(
                _key(self.model), "history_user_id", "history_change_reason"
            )
        }
        names = user_names(user for user, _label in found.values())
        return {
            pk: actor_words(ActorKind.USER if user else ActorKind.SYSTEM, user, label, names)
            for pk, (user, label) in found.items()
        }

    def _leave_out_removed(self) -> None:
        """Drop what was posted of rows that are gone, where this person changed nothing of them; what they changed
        becomes a new row, refused once."""
        count, stored = self.initial_form_count(), {str(row.pk) for row in self.get_queryset()}
        posted = [self.data.get(self._name_at(place, _key(self.model)), "") for place in range(count)]
        gone = {place: pk for place, pk in enumerate(posted) if pk not in stored and pk in self.seen}
        if not gone:
            return
        names = {place: self._name_of(self.seen[pk]) for place, pk in gone.items()}
        own = [place for place, pk in gone.items() if self._is_edited(place, self.seen[pk])]
        stay = [place for place in range(count) if place not in gone]
        self.lost = {len(stay) + at: (gone[place], names[place]) for at, place in enumerate(own)}
        self.kept = {
            pk: _("%(name)s, removed") % {"name": names[place]}
            for place, pk in gone.items()
            if place not in own and not self._is_going(place)
        }
        self._renumber([*stay, *own, *range(count, self.total_form_count())], initial=len(stay))

    def _name_at(self, place: int, name: str) -> str:
        return f"{self.add_prefix(place)}-{name}"

    def _is_going(self, place: int) -> bool:
        return self.can_delete and self._name_at(place, DELETION_FIELD_NAME) in self.data

    def _is_edited(self, place: int, seen: Mapping[str, str]) -> bool:
        """Whether this person changed what was shown of a row that is gone, and did not remove it too."""
        fields = self.empty_form.fields
        return not self._is_going(place) and any(
            self._differs(fields[name], self._name_at(place, name), text)
            for name, text in seen.items()
            if name in fields
        )

    def _differs(self, field: Any, name: str, text: str) -> bool:
        if field.widget.value_omitted_from_data(self.data, self.files, name):
            return False
        given = field.widget.value_from_datadict(self.data, self.files, name)
        return bool(
            field.has_changed(
                text if isinstance(field, forms.ModelChoiceField) else field.to_python(text), given
            )
        )

    def _name_of(self, seen: Mapping[str, str]) -> str:
        """What a row that is gone was called: its first field, as the reader calls it."""
        form: Any = self.empty_form
        name, text = next(iter(seen.items()))
        try:
            return str(form.words(name, form.fields[name].to_python(text)))
        except (ValidationError, KeyError):
            return text

    def _renumber(self, places: Sequence[int], *, initial: int) -> None:
        """Post only the rows at these places, in this sequence, the first `initial` of them as rows that exist."""
        parts = {place: f"{self.add_prefix(place)}-" for place in range(self.total_form_count())}
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        for name in [name for name in data if name.startswith(tuple(parts.values()))]:
            del data[name]
        for at, place in enumerate(places):
            for name, values in self.data.lists():  # type: ignore[attr-defined]
                if name.startswith(parts[place]):
                    data.setlist(f"{self.add_prefix(at)}-{name.removeprefix(parts[place])}", values)
            if at in self.lost:
                data[self._name_at(at, _key(self.model))] = ""
        data[f"{self.prefix}-{TOTAL_FORM_COUNT}"] = str(len(places))
        data[f"{self.prefix}-{INITIAL_FORM_COUNT}"] = str(initial)
        self._take(data)


def _label(model: Any) -> str:
    return str(model._meta.label)


def _key(model: Any) -> str:
    return str(model._meta.pk.attname)


class ComparedTabularInline(TabularInline):
    """Rows that people edit inside the form of what they belong to."""

    form = RowForm
    formset = ComparedRows
