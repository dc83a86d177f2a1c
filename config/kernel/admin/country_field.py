"""A country in a form: typed by name or by its two letters, chosen from a list or not."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.named_code import NamedCodeInput
from config.kernel.countries import COUNTRIES, country_code, country_name


class CountryInput(NamedCodeInput):
    suffix = "countries"

    def named(self) -> Iterable[tuple[str, str]]:
        return sorted((country_name(code), code) for code in COUNTRIES)


class CountryField(forms.CharField):
    """Its value is a code of two letters; a whole name is taken, whatever its capitals and accents."""

    widget = CountryInput

    def __init__(self, **given: Any) -> None:
        given.setdefault("label", _("Country"))
        given.setdefault("help_text", _("Its name or its two letters, such as IT."))
        super().__init__(**given)

    def prepare_value(self, value: Any) -> Any:
        """A code as the country's name; what else somebody typed stays as typed."""
        return country_name(value) if value in COUNTRIES else value

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        code = country_code(text)
        if text and not code:
            said = _("“%(text)s” is no country; its name or two letters such as IT are.")
            raise forms.ValidationError(said, params={"text": text})
        return code
