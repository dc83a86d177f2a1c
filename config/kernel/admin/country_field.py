"""A country in a form: typed by name or by its two letters, chosen from a list or not."""

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.kernel.countries import COUNTRIES, country_code, country_name


class CountryInput(forms.TextInput):
    """Offers all countries by their names while one is typed, without a script."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        offered = f"{(attrs or {}).get('id') or name}_countries"
        given = {**(attrs or {}), "list": offered, "autocomplete": "off"}
        named = sorted((country_name(code), code) for code in COUNTRIES)
        options = format_html_join("", '<option value="{1}" label="{0}"></option>', named)
        box = super().render(name, value, given, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', box, offered, options)


class CountryField(forms.CharField):
    """Its value is a code of two letters; a whole name is taken, whatever its capitals and accents."""

    widget = CountryInput

    def __init__(self, **given: Any) -> None:
        given.setdefault("label", _("Country"))
        given.setdefault("help_text", _("Its name or its two letters, such as IT."))
        super().__init__(**given)

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        code = country_code(text)
        if text and not code:
            said = _("“%(text)s” is no country; its name or two letters such as IT are.")
            raise forms.ValidationError(said, params={"text": text})
        return code
