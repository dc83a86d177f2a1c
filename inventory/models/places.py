from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.history import History
from config.kernel.models import Versioned
from inventory.enums import BinKind


class Location(Versioned):
    """A place that holds stock and can ship. Lower `preference` is asked first."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=80)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Europe/Rome")
    preference = models.PositiveSmallIntegerField(_("preference"), default=100)
    can_ship = models.BooleanField(_("ships orders"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    count_tolerance = models.PositiveIntegerField(
        _("count tolerance"),
        default=3,
        help_text=_("Units a counted SKU may differ by before another person must approve the count."),
    )
    line1 = models.CharField(_("address"), max_length=120, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    postal_code = models.CharField(_("post code"), max_length=20, blank=True)
    country_code = models.CharField(_("country"), max_length=2, blank=True)

    history = History()

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["preference", "code"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_selling(self) -> bool:
        """Whether its free units count as available to sell."""
        return self.is_active and self.can_ship


class Bin(models.Model):
    """A spot inside a location. Each location has exactly one default and one quarantine bin; totes are bins too."""

    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, related_name="bins", verbose_name=_("location")
    )
    code = models.CharField(_("code"), max_length=32)
    kind = models.CharField(_("kind"), max_length=12, choices=BinKind, default=BinKind.SHELF)

    history = History()

    class Meta:
        verbose_name = _("bin")
        verbose_name_plural = _("bins")
        ordering = ["location", "code"]
        constraints = [
            models.UniqueConstraint(fields=["location", "code"], name="bin_code_once"),
            models.UniqueConstraint(
                fields=["location"], condition=Q(kind=BinKind.DEFAULT), name="bin_one_default_each"
            ),
            models.UniqueConstraint(
                fields=["location"], condition=Q(kind=BinKind.QUARANTINE), name="bin_one_quarantine_each"
            ),
        ]

    def __str__(self) -> str:
        return self.code
