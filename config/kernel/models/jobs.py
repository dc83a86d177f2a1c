from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import ActorKind
from config.kernel.enums import JobState
from config.kernel.models.leased import Leased
from config.kernel.states import legal_values


class Job(Leased):
    """Long work that a person can watch, cancel and read the result of; the row is the truth, not the broker."""

    kind = models.CharField(_("kind"), max_length=60)
    title = models.CharField(_("title"), max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=12, choices=JobState, default=JobState.QUEUED)
    done_count = models.PositiveIntegerField(_("done"), default=0)
    total_count = models.PositiveIntegerField(_("of"), default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(_("error"), blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    attempt_count = models.PositiveSmallIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("queued at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(_("by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            legal_values("state", JobState, "job_state_legal"),
            models.CheckConstraint(
                condition=models.Q(done_count__lte=models.F("total_count")), name="job_done_within_total"
            ),
        ]
        indexes = [models.Index(fields=["state", "id"], name="job_state")]

    def __str__(self) -> str:
        return self.title


class JobLine(models.Model):
    """One line of a job's log; `text` as `kept_words`."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        verbose_name = _("job log line")
        verbose_name_plural = _("job log lines")

    def __str__(self) -> str:
        return self.text


class Heartbeat(models.Model):
    """When a worker or the beat was last alive; one row a name."""

    name = models.CharField(_("name"), max_length=40, unique=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
