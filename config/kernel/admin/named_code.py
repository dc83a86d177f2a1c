"""A form's box for a code that people know by a name: it shows the name, offers all names, and takes either."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class NamedCodeInput(forms.TextInput):
    """Offers `named()` while one types, without a script; `suffix` tells its list from another box's."""

    suffix = "names"

    def named(self) -> Iterable[tuple[str, str]]:
        """Pairs of what is typed and what stands beside it.

        Each box has its own: a widget's metaclass rules out an abstract method, so that this one raises instead.
        """
        raise NotImplementedError(f"{type(self).__name__} names no codes")

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        offered = f"{(attrs or {}).get('id') or name}_{self.suffix}"
        given = {"class": "vTextField", **(attrs or {}), "list": offered, "autocomplete": "off"}
        options = format_html_join(
            "", '<option value="{}"{}></option>', ((value, _beside(text)) for value, text in self.named())
        )
        box = super().render(name, value, given, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', box, offered, options)


def _beside(text: str) -> str:
    """An empty label is none: a browser would show nothing at all."""
    return format_html(' label="{}"', text) if text else ""
