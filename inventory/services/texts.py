"""Texts that a column does not hold."""

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import InvalidInput


def refuse_long(model: type[Model], field: str, *texts: str) -> InvalidInput | None:
    """Why the first of these texts that is longer than the column cannot be stored, or None; no query."""
    column = model._meta.get_field(field)
    most = getattr(column, "max_length", None) or 0
    for text in texts:
        if len(text) > most:
            accepted = _("1 to %(most)s characters") % {"most": most}
            name = str(getattr(column, "verbose_name", field))
            return InvalidInput(field=name, value=text[:80], accepted=accepted)
    return None
