from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """A list's filters, search, order and columns under a name; its owner's, or shown to all who may open the list.

    `model` is a label ("orders.order"), `query` what stands behind the list's `?`, `columns` names of its columns in
    their order; none means that everybody sees their own. Written by `saved_views`.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    model = models.CharField(max_length=80)
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(max_length=1000)
    columns = models.JSONField(default=list, db_default=[])
    is_shared = models.BooleanField(_("shared with everybody"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        default_permissions = ()
        permissions = [("share_savedview", _("May share saved views"))]
        constraints = [
            models.UniqueConstraint(fields=["owner", "model", "name"], name="saved_view_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_view_named"),
        ]
        indexes = [
            models.Index(fields=["model"], name="saved_view_shared", condition=models.Q(is_shared=True))
        ]

    def __str__(self) -> str:
        return self.name
