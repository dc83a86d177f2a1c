from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.enums import ExportFormat
from config.kernel.states import legal_values


class Export(models.Model):
    """One file that somebody had made of a list: what it holds, who asked for it, until when it is kept.

    Written by `config.kernel.exports`. `kind` names an `ExportKind`, `query` is the list's address as it was, until
    the file expires. The file stands in private storage under `stored_name`, which only we choose.
    """

    kind = models.CharField(_("what"), max_length=40)
    format = models.CharField(_("format"), max_length=12, choices=ExportFormat)
    query = models.TextField(_("filters"), blank=True)
    has_personal = models.BooleanField(_("with personal data"), default=False)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    file_size = models.BigIntegerField(_("size"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    stored_name = models.CharField(max_length=60, unique=True)
    job_id = models.BigIntegerField(null=True)
    requested_at = models.DateTimeField(_("asked for at"))
    ready_at = models.DateTimeField(_("ready at"), null=True)
    expires_at = models.DateTimeField(_("kept until"))
    expired_at = models.DateTimeField(_("removed at"), null=True)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(_("by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]
        constraints = [
            legal_values("format", ExportFormat, "export_format_legal"),
            models.CheckConstraint(
                condition=Q(ready_at=None) | ~Q(sha256=""), name="export_ready_has_its_digest"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="export_due", condition=Q(expired_at=None))]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_downloadable(self) -> bool:
        return self.ready_at is not None and self.expired_at is None
