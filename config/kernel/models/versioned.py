from django.db import models
from django.utils.translation import gettext_lazy as _


class Versioned(models.Model):
    """A row whose `version` grows by one with each accepted change; presses and saves name the one they saw."""

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True
