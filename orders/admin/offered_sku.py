"""The box for a SKU of ours where the likeliest are known: each is a button that fills it in."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel.admin.named_code import NamedCodeInput
from inventory.models import Sku


class OfferedSkuInput(NamedCodeInput):
    """`offered`: SKUs by what they are offered for, a value of the field `code`; `beside`: how that reads, where
    there are several."""

    suffix = "skus"
    offered: Mapping[str, Sequence[Sku]] = {}
    beside: Mapping[str, str] = {}

    def named(self) -> Iterable[tuple[str, str]]:
        every = {sku.code: sku.title for skus in self.offered.values() for sku in skus}
        return every.items()

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        box = super().render(name, value, attrs, renderer)
        rows = format_html_join("", "<li>{}{}</li>", self._rows((attrs or {}).get("id") or name))
        if not rows:
            return box
        return format_html('<div class="offered">{}<p>{}</p><ul>{}</ul></div>', box, _("Most alike:"), rows)

    def _rows(self, box: str) -> Iterable[tuple[SafeString, str]]:
        for choice, skus in self.offered.items():
            for sku in skus:
                fills = json.dumps({box: sku.code, "id_code": choice})
                button = format_html(
                    '<button type="button" class="btn mono" data-fills="{}">{}</button> ', fills, sku.code
                )
                shown = self.beside.get(choice, "")
                told = _("%(title)s, for %(choice)s") % {"title": sku.title, "choice": shown}
                yield button, told if shown else sku.title
