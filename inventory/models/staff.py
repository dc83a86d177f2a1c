from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.places import Location


class StaffLocation(models.Model):
    """A location that a person is bound to; written on the person's page. Whoever has none sees the whole business."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="staff_locations",
        verbose_name=_("person"),
    )
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="staff", verbose_name=_("location")
    )

    class Meta:
        verbose_name = _("location of a person")
        verbose_name_plural = _("locations of a person")
        ordering = ["location__preference", "location__code"]
        constraints = [models.UniqueConstraint(fields=["user", "location"], name="staff_location_once")]

    def __str__(self) -> str:
        return str(self.location)
