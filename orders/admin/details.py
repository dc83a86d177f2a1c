"""The form for an order's own details and its tags: what two people change at once is merged, or said and refused."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.admin import ComparedForm, LanguageField, acting, admin_url, describe
from config.kernel.admin.presses import acted
from config.kernel.admin.timeline import Lookup, TimelineRow, detail_by, timeline
from config.kernel.errors import BancaleError, NotFound
from config.kernel.languages import language_name
from config.kernel.templatetags.bancale import DASH
from orders.admin.marks import TagsField
from orders.models import Order, Tag
from orders.privacy import SEE_PERSONAL
from orders.selectors.edits import edited_texts
from orders.selectors.notes import tag_names
from orders.services.editing import EDIT, EDITED, Details, Edit, edit_orders
from orders.services.noting import TAG, set_tags

TAGS = "tags"
DETAILS = ("email", "language", "note", "required_on")
PERSONAL = ("email", "language", "note")
TOLD_BY = (EDITED, "details_filled", "revised", "restored")
MOST_TAGS_SHOWN = 30
TITLES = {
    "email": gettext_lazy("E-mail address changed"),
    "language": gettext_lazy("Language of mails changed"),
    "note": gettext_lazy("Buyer’s note changed"),
    "required_on": gettext_lazy("Wanted day changed"),
}


class TextField(forms.CharField):
    """A text of several lines, the same whatever ends them."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.to_python(initial), data)


class DetailsForm(ComparedForm):
    """The details and tags that this person may change. Tags merge one by one: nobody takes another's off unseen."""

    language = LanguageField(help_text=gettext_lazy("Of mails that have not left."))
    required_on = forms.DateField(
        label=capfirst(Order._meta.get_field("required_on").verbose_name),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The day the buyer asks for; what was promised stays."),
    )
    tags = TagsField(label=gettext_lazy("Tags"), max_length=4000, required=False)

    class Meta:
        model = Order
        fields = DETAILS
        field_classes: ClassVar = {"note": TextField}
        widgets: ClassVar = {"note": forms.Textarea({"rows": 3})}
        help_texts: ClassVar = {
            "email": gettext_lazy(
                "Mails of this order that have not left go there; without it none is sent."
            ),
            "note": gettext_lazy("What the buyer asks for; what colleagues should know is a note."),
        }

    def __init__(self, *args: Any, may: Collection[str], **kwargs: Any) -> None:
        self.may = may
        self.tags_now: list[str] = []
        super().__init__(*args, **kwargs)

    def shape(self) -> None:
        for name in {*DETAILS, TAGS} - set(self.may):
            del self.fields[name]
        if "language" in self.fields:
            language: Any = self.fields["language"]
            language.offer(self.instance.language)
        if TAGS in self.fields:
            self.tags_now = tag_names(self.instance)
            self.initial[TAGS] = ", ".join(self.tags_now)
            self.fields[TAGS].help_text = tags_help()

    def stored(self) -> dict[str, str]:
        tags = {TAGS: self.initial[TAGS]} if TAGS in self.fields else {}
        return {**super().stored(), **tags}

    def changes_since(self, mark: int, names: Collection[str]) -> list[TimelineRow]:
        kinds: Sequence[str] = TOLD_BY if set(names) - {TAGS} else ()
        tagged = ("tagged", "untagged") if TAGS in names else ()
        return timeline(self._thread(), after=mark, kinds=(*kinds, *tagged))

    def settle(self, name: str, values: dict[str, Any], shown: str) -> bool:
        if name != TAGS:
            return super().settle(name, values, shown)
        own = values[TAGS]
        values[TAGS] = _together(own, before=self.fields[TAGS].clean(shown), now=self.tags_now)
        if _lower(values[TAGS]) != _lower(own):
            self.kept.append(TAGS)
        return True

    def show_again(self, values: dict[str, Any]) -> None:
        super().show_again(values)
        if TAGS in self.kept:
            self.data[self.add_prefix(TAGS)] = ", ".join(values[TAGS])  # type: ignore[index]

    def words(self, name: str, value: Any) -> str:
        return say(name, "" if value is None else str(value))

    def edit(self) -> Edit:
        """What this person changed of the details."""
        details = {name: self.cleaned_data[name] for name in self.changed_by_hand if name != TAGS}
        return Edit(self.instance.pk, cast(Details, details))

    def retag(self) -> dict[str, list[str]]:
        """The tags to put on and to take off."""
        wanted, has = self.cleaned_data.get(TAGS, self.tags_now), self.tags_now
        return {
            "add": [tag for tag in wanted if tag.lower() not in _lower(has)],
            "remove": [tag for tag in has if tag.lower() not in _lower(wanted)],
        }


def _lower(tags: Sequence[str]) -> set[str]:
    return {tag.lower() for tag in tags}


def _together(own: Sequence[str], *, before: Sequence[str], now: Sequence[str]) -> list[str]:
    """What stands now, with what this person put on and without what they took off."""
    stay = [tag for tag in now if tag.lower() in _lower(own) or tag.lower() not in _lower(before)]
    return [*stay, *(tag for tag in own if tag.lower() not in _lower([*before, *now]))]


def tags_help() -> str:
    """How tags are written, and some that are in use."""
    said = _("With commas between them; what is not there is taken off.")
    known = ", ".join(Tag.objects.order_by("name").values_list("name", flat=True)[:MOST_TAGS_SHOWN])
    used = _("In use: %(tags)s.") % {"tags": known}
    return f"{said} {used}" if known else said


def may_edit(request: HttpRequest) -> set[str]:
    """The fields of the form that this person may change."""
    may = {TAGS} if request.user.has_perm(TAG) else set()
    return may | set(DETAILS) if request.user.has_perms((EDIT, SEE_PERSONAL)) else may


def details_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows the form; POST saves what this person changed, on what stands by then."""
    may = may_edit(request)
    if not may or not model_admin.has_view_permission(request):
        raise PermissionDenied
    order = model_admin.get_object(request, str(pk))
    if order is None:
        raise Http404
    if request.method != "POST":
        return _page(model_admin, request, order, DetailsForm(instance=order, may=may))
    try:
        form, is_changed = acted(partial(_save, model_admin, request, pk, may))
    except BancaleError as refusal:
        form = DetailsForm(request.POST, instance=order, may=may)
        form.add_error(None, str(refusal))
    if form.errors:
        return _page(model_admin, request, order, form)
    if is_changed:
        messages.success(request, _("Saved."))
    if said := form.kept_words():
        messages.info(request, said)
    elif not is_changed:
        messages.info(request, _("Nothing differs from what stands here already."))
    return HttpResponseRedirect(model_admin.keeping(request, admin_url(Order, "change", pk)))


def _save(model_admin: Any, request: HttpRequest, pk: int, may: Collection[str]) -> tuple[DetailsForm, bool]:
    """Judge the form on the locked order, and save where it is right; whether anything changed."""
    with transaction.atomic():
        order = model_admin.locked(pk)
        if order is None:
            raise NotFound
        form = DetailsForm(request.POST, instance=order, may=may)
        if not form.is_valid():
            return form, False
        actor, edit, tags = acting(request), form.edit(), form.retag()
        answers = [edit_orders([edit], actor=actor)] if edit.details else []
        if tags["add"] or tags["remove"]:
            answers.append(set_tags([pk], **tags, actor=actor))
        for results in answers:
            results.raise_refusals()
        return form, any(results.done_ids for results in answers)


def _page(model_admin: Any, request: HttpRequest, order: Order, form: DetailsForm) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "object": order,
        "title": _("Order %(number)s: details") % {"number": order.number},
        "form": form,
        "preserved_filters": model_admin.get_preserved_filters(request),
        "cancel_url": model_admin.keeping(request, admin_url(Order, "change", order.pk)),
    }
    return TemplateResponse(request, "orders/details.html", context)


def say(name: str, text: str) -> str:
    """What a detail holds, as one says it."""
    if name == "language":
        return language_name(text)
    if name == "required_on" and text:
        return date_format(date.fromisoformat(text), _("j M Y"))
    return text or DASH


def _from_to(facts: Mapping[str, Any], texts: Sequence[str]) -> str:
    return " → ".join(say(facts["field"], text) for text in texts) or _("(erased)")


describe(
    "order",
    EDITED,
    lambda facts: str(TITLES[facts["field"]]),
    tone="info",
    need=lambda facts: SEE_PERSONAL if facts["field"] in PERSONAL else "",
)
detail_by("order", [EDITED], Lookup("edit", edited_texts, _from_to))
