"""Labels of form fields as the design writes them: the name alone, without Django's colon behind it."""

from typing import Any

from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString


class PlainlyLabelled(BoundField):
    def label_tag(
        self, contents: Any = None, attrs: Any = None, label_suffix: str | None = "", tag: str | None = None
    ) -> SafeString:
        """Django's admin passes None for “as the form does”, which is the colon."""
        return super().label_tag(contents, attrs, label_suffix or "", tag)


class FormRenderer(DjangoTemplates):
    """Every form's, by `FORM_RENDERER`."""

    bound_field_class = PlainlyLabelled
