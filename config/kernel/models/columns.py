from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ChosenColumns(models.Model):
    """Which columns of a list a person sees, in their order; without a row the list shows its own.

    `model` is a label ("orders.order"), `names` are those of the list's columns. Written by `config.kernel.columns`.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chosen_columns"
    )
    model = models.CharField(max_length=80)
    names = models.JSONField(default=list)

    class Meta:
        verbose_name = _("chosen columns")
        verbose_name_plural = _("chosen columns")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "model"], name="chosen_columns_once")]

    def __str__(self) -> str:
        return self.model
