from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind


class Event(models.Model):
    """One past fact on a timeline, written by `record_events`, never changed or deleted (trigger).

    Subject is what it happened to, thread whose timeline shows it. No foreign keys, so that the table can be
    partitioned and outlives what it tells of.
    """

    append_only = True

    subject_type = models.CharField(_("subject"), max_length=32)
    subject_id = models.BigIntegerField()
    thread_type = models.CharField(_("timeline of"), max_length=32)
    thread_id = models.BigIntegerField()
    kind = models.CharField(_("kind"), max_length=40)
    from_status = models.CharField(_("from"), max_length=24, blank=True)
    to_status = models.CharField(_("to"), max_length=24, blank=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("actor"), max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=80, blank=True)
    correlation = models.CharField(_("correlation"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["thread_type", "thread_id", "id"], name="event_thread"),
            models.Index(fields=["subject_type", "subject_id", "id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type}:{self.subject_id} {self.kind}"
