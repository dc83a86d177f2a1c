"""A language in a form: chosen by name among those that mails are written in, and the one that stands there."""

from typing import Any

from django import forms
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import gettext_lazy as _

from config.kernel.languages import language_name


def _named(code: str = "") -> list[tuple[str, str]]:
    """The languages of mails and this one, by their names in the reader's language."""
    codes = {*dict(settings.LANGUAGES), code} - {""}
    return sorted(((one, language_name(one)) for one in codes), key=lambda one: one[1])


class LanguageField(forms.ChoiceField):
    """Its value is a code. A form calls `offer` with the row's own, which an import or the API may have brought in."""

    def __init__(self, **given: Any) -> None:
        given.setdefault("label", _("Language"))
        super().__init__(**{"choices": _named, **given})

    def offer(self, code: str) -> None:
        """Let this one stay; where none need be chosen, none too."""
        self.choices = _named(code) if self.required else [("", "–"), *_named(code)]

    def valid_value(self, value: str) -> bool:
        """Also what was offered until somebody else chose another: the form then says who did."""
        return value in LANG_INFO or super().valid_value(value)
