from django.db import models
from django.utils.translation import gettext_lazy as _


class Leased(models.Model):
    """A row that one worker at a time is at; `sessions` writes and reads who has it, and whether it lives."""

    lease_until = models.DateTimeField(_("lease until"), null=True)
    # The worker's database session, by which its death is noticed before the lease runs out.
    held_by = models.IntegerField(null=True)
    session_began_at = models.DateTimeField(null=True)
    # The lease that the session was written with. An older release writes a lease alone; then they differ.
    held_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True
