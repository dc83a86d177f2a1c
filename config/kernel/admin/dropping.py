"""A field for a file that can be dropped on it; without the script it is the browser's own field."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

TABLES = ".csv,.txt,.tsv,.xlsx"


class DropInput(forms.FileInput):
    """`data-drop` is what the script writes into the zone that it puts around the field."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-drop": _("Drop the file here, or choose it"), **(attrs or {})})
