"""Two customers who are one: the button on their page, those who look alike, and a search for any other."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm
from config.kernel.results import Results
from config.kernel.visibility import visible_to
from orders.models import Customer
from orders.selectors.customers import Likely, find_customers, likely_duplicates
from orders.services.merging import MERGE, merge_customers

LOOK = "look"


class SearchBox(forms.TextInput):
    """With a button of its own, which is also what the enter key presses."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<div class="beside-box">{}<button type="submit" class="btn" name="{}" value="1">{}</button></div>',
            super().render(name, value, attrs, renderer), LOOK, gettext("Search"),
        )  # fmt: skip


class MergeForm(ObjectForm):
    """Who is the same buyer: of those who look alike, and of those who are looked for.

    A press of “Search”, or with words for which nobody was shown yet, merges nothing: it shows who is found.
    """

    find = forms.CharField(
        label=_("Look for another customer"),
        max_length=200,
        required=False,
        widget=SearchBox,
        help_text=_("E-mail, name or phone, or a part of it. Who is found is shown first, to be ticked."),
    )
    others = forms.TypedMultipleChoiceField(
        label=_("These are the same buyer"), coerce=int, widget=forms.CheckboxSelectMultiple, required=False
    )
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def shape(self) -> None:
        sought = self["find"].value() or ""
        self.was_shown = self["shown"].value() if self.is_bound else sought
        if self.is_bound:
            sent: Any = self.data.copy()  # type: ignore[attr-defined]
            sent["shown"] = sought
            self.data = sent
        self.initial["shown"] = sought
        self.found = dict(self._found(str(sought)[:200]))
        field: Any = self.fields["others"]
        field.choices = [*self._alike(), *self.found.items()]
        if not field.choices:
            field.widget = forms.MultipleHiddenInput()

    def _alike(self) -> Iterator[tuple[int, str]]:
        for one in alike(self.obj, self.user):
            yield one.customer.pk, f"{one.customer} · {one.customer.email or '–'} · {why_alike(one)}"

    def _found(self, sought: str) -> Iterator[tuple[int, str]]:
        known = {self.obj.pk, *(one.customer.pk for one in alike(self.obj, self.user))}
        for one in find_customers(sought, visible_to(self.user, Customer.objects.all())):
            if one.pk not in known:
                yield one.pk, " · ".join([str(one), one.email or "–", *([one.phone] if one.phone else [])])

    def is_valid(self) -> bool:
        """Looking is no fault, and not yet the merge either."""
        return super().is_valid() and LOOK not in self.data

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if LOOK in self.data:
            if given.get("find") and not self.found:
                self.add_error("find", _("Nobody else is found by this."))
        elif given.get("find") and given["find"] != (self.was_shown or "").strip():
            said = _("Nothing was done yet: tick who is the same buyer.")
            self.add_error("find", said if self.found else _("Nobody else is found by this."))
        elif not given.get("others") and not self.errors:
            said = _("Tick who is the same buyer, or look for them.")
            self.add_error("others" if self.fields["others"].choices else "find", said)  # type: ignore[attr-defined]
        return {"others": given.get("others", [])}


def alike(customer: Customer, user: Any) -> list[Likely]:
    """Customers who are likely the same, of those that the person sees; asked once an instance."""
    if not hasattr(customer, "_alike"):
        seen = visible_to(user, Customer.objects.all())
        found = [] if customer.merged_into_id else likely_duplicates(customer, seen)
        customer._alike = found  # type: ignore[attr-defined]
    return list(customer._alike)  # type: ignore[attr-defined]


def why_alike(likely: Likely) -> str:
    words = {"phone": gettext("same phone"), "address": gettext("same name and post code")}
    return ", ".join(words[reason] for reason in likely.same)


def merge_typed(ids: Sequence[int], *, others: Sequence[int], actor: Actor) -> Results[int]:
    """`merge_customers` into the one customer of a confirm page; all of them or none."""
    results: Results[int] = Results(ids)
    for pk in ids:
        merge_customers(others, keep_id=pk, actor=actor).raise_refusals()
        results.done(pk)
    return results


MERGE_BUTTON = ExtraVerb(
    name="merge",
    label=_("Merge…"),
    permission=MERGE,
    verb=merge_typed,
    form=MergeForm,
    success=_("Merged; their orders and addresses stand here."),
    consequences=lambda customer: [
        gettext("Their orders and addresses become this customer's."),
        gettext("An order that comes in later under one of their e-mails finds this customer."),
    ],
    undo=_("It cannot be taken back."),
    applies=lambda customer: customer.merged_into_id is None,
)
