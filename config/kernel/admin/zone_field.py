"""A time zone in a form: typed or chosen from those that there are, and refused where there is none of that name."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.named_code import NamedCodeInput


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class ZoneInput(NamedCodeInput):
    suffix = "zones"

    def named(self) -> Iterable[tuple[str, str]]:
        """Those of places; the database's own shorthands (“CET”, “Etc/GMT+5”) are taken and not offered."""
        return [(zone, "") for zone in sorted(_zones()) if "/" in zone and not zone.startswith("Etc/")]


class ZoneField(forms.CharField):
    """Its value is a name that every reader of the column can open: days are counted in it."""

    widget = ZoneInput

    def __init__(self, **given: Any) -> None:
        given.setdefault("label", _("Time zone"))
        super().__init__(**given)

    def clean(self, value: Any) -> str:
        zone = str(super().clean(value))
        if zone and zone not in _zones():
            said = _("“%(zone)s” is no time zone; “Europe/Rome” is one.")
            raise forms.ValidationError(said, params={"zone": zone})
        return zone
