"""SKUs of channels: what they were mapped to, and the page that maps the unknown line of an order."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.actors import Actor
from config.kernel.admin import ExtraVerb, ObjectForm, ReadOnlyAdmin
from config.kernel.errors import InvalidInput
from config.kernel.results import Results
from config.kernel.templatetags.bancale import ago
from inventory.models import Sku
from inventory.selectors.closest import Unknown, closest_skus
from orders.admin.offered_sku import OfferedSkuInput
from orders.admin.panels import register_order_button
from orders.intake_rules import too_many_parts
from orders.models import Order, OrderLine, SkuAlias
from orders.parts import KitShare, KnownSku
from orders.selectors.order_goods import goods_of
from orders.selectors.unknown import waiting_order_ids
from orders.services.mapping import MAP_SKU, SkuMapping, map_skus
from orders.services.mapping_titles import map_title

SHOWN = 200
# Unknown SKUs of an order that get suggestions.
MOST_OFFERED = 5
# What stands before a title among the choices, so that it is told from a code.
TITLE = "title:"


def unknown_choices(order: Order) -> dict[str, str]:
    """What can be mapped of an order: codes, and the titles of lines without one, by the value of their choice."""
    goods = goods_of(order)
    titles = [(TITLE + title, f"“{title}”") for title in goods.unknown_titles]
    return dict([*((code, code) for code in goods.unknown_codes), *titles])


def titled_choices(order: Order) -> list[tuple[str, str]]:
    """The same, a code beside the title of its first line."""
    titles = dict(reversed(goods_of(order).unknown))
    return [
        (value, f"{shown} – {titles[value]}" if titles.get(value) else shown)
        for value, shown in unknown_choices(order).items()
    ]


def offered_skus(order: Order) -> dict[str, list[Sku]]:
    """The SKUs of ours that the first unknown ones most likely are, by the value of their choice."""
    goods = goods_of(order)
    by_choice: dict[str, Unknown] = {}
    for code, title in goods.unknown:
        by_choice.setdefault(code or TITLE + title, Unknown(code, title))
    first = dict(list(by_choice.items())[:MOST_OFFERED])
    return dict(zip(first, closest_skus(list(first.values())), strict=True))


class MapForm(ObjectForm):
    """Which of the order's unknown SKUs, and which of ours it means."""

    code = forms.ChoiceField(
        label=gettext_lazy("SKU as sent"),
        help_text=gettext_lazy("A line that came without one is named by its title, in quotation marks."),
    )
    sku = forms.CharField(
        label=gettext_lazy("SKU of ours"),
        max_length=64,
        help_text=gettext_lazy("Its code, as in the catalogue."),
        widget=OfferedSkuInput,
    )

    def shape(self) -> None:
        field: Any = self.fields["code"]
        field.choices = titled_choices(self.obj)
        box: Any = self.fields["sku"].widget
        box.offered = offered_skus(self.obj)
        box.beside = unknown_choices(self.obj) if len(field.choices) > 1 else {}

    def clean_sku(self) -> Sku:
        typed = self.cleaned_data["sku"].strip()
        found = Sku.objects.filter(code__in={typed, typed.upper()}).first()
        if found is None:
            raise forms.ValidationError(_("No SKU is called “%(code)s”.") % {"code": typed})
        return found


def map_typed(ids: Sequence[int], *, code: str, sku: Sku, actor: Actor) -> Results[int]:
    """`map_skus` for the channel of the one order of a confirm page, answered by order id; `map_title` for a title."""
    if code.startswith(TITLE) and not OrderLine.objects.filter(order__in=ids, sku_code=code).exists():
        return map_title(ids, title=code.removeprefix(TITLE), sku_id=sku.pk, actor=actor)
    results: Results[int] = Results(ids)
    for order in Order.objects.filter(pk__in=ids):
        if (problem := _too_many(order, code, sku)) is not None:
            results.refuse(order.pk, problem)
            continue
        answer = map_skus([SkuMapping(order.sales_channel_id, code, sku.pk)], actor=actor)
        for error in answer.refusals.values():
            results.refuse(order.pk, error)
        for alias_id in answer.values.values():
            results.done(order.pk, alias_id)
    return results


def _too_many(order: Order, code: str, sku: Sku) -> InvalidInput | None:
    """Whether the order's own lines of this code would be more units than can be counted."""
    parts = [KitShare(one.part_id, one.per_unit, one.value_weight) for one in sku.kit_parts.all()]
    quantities = order.lines.filter(sku=None, sku_code=code).values_list("quantity", flat=True)
    return too_many_parts(code, max(quantities, default=0), KnownSku(sku.pk, tuple(parts)))


def _consequences(order: Order) -> list[str]:
    goods = goods_of(order)
    said = _of_codes(order, goods.unknown_codes) if goods.unknown_codes else []
    if goods.unknown_titles:
        said.append(_("A line that was sent without a SKU becomes a line of our SKU in this order only."))
    return [*said, _("Kits get their parts as they are today. Stock is allocated at once.")]


def _of_codes(order: Order, codes: Sequence[str]) -> list[str]:
    named = [(order.sales_channel_id, code) for code in codes]
    others = len(waiting_order_ids(named, SHOWN)) - 1
    said = [
        _("Lines of %(channel)s that carry this code become lines of our SKU, now and from now on.")
        % {"channel": order.sales_channel.name},
    ]
    if others > 0:
        more = ngettext(
            "%(n)s more order waits for one of these codes and comes alive with it.",
            "%(n)s more orders wait for one of these codes and come alive with it.",
            others,
        )
        said.append(more % {"n": others})
    return said


register_order_button(
    ExtraVerb(
        name="map_sku",
        label=gettext_lazy("Map SKU…"),
        permission=MAP_SKU,
        tone="primary",
        verb=map_typed,
        form=MapForm,
        initial=lambda order: {"code": next(iter(unknown_choices(order)), "")},
        effect=gettext_lazy("Map it"),
        success=gettext_lazy("Mapped; the lines are alive."),
        consequences=_consequences,
        undo=gettext_lazy("A code can be mapped elsewhere later; lines that found their SKU keep it."),
        applies=lambda order: not order.is_closed and not order.is_history and bool(unknown_choices(order)),
    )
)


@admin.register(SkuAlias)
class SkuAliasAdmin(ReadOnlyAdmin):
    """What channels call our SKUs."""

    list_display = ("code", "sku", "sales_channel", "since")
    list_filter = ("sales_channel",)
    list_select_related = ("sku", "sales_channel")
    search_fields = ("code__istartswith", "sku__code__istartswith")
    search_help_text = gettext_lazy("Beginning of the SKU as sent, or of ours")
    ordering = ("code",)
    fields = readonly_fields = ("sales_channel", "code", "sku", "mapped_at")
    empty_title = gettext_lazy("Nothing has been mapped")
    empty_text = gettext_lazy(
        "When a channel sends a SKU that we do not know, its order is held; map it from the order's page."
    )

    @admin.display(description=gettext_lazy("mapped"), ordering="mapped_at")
    def since(self, row: SkuAlias) -> Any:
        return ago(row.mapped_at)
