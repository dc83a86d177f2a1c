"""Invariants of low-stock alerts (`manage.py audit`): whoever is low has one, or it is on its way."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from config.kernel.audit import Violation, invariant
from config.kernel.enums import DeliveryState
from config.kernel.models import Delivery
from inventory.selectors.alerts import outlived_alerts, untold_levels
from inventory.subscribers import LOW_STOCK

SHOWN = 50
# What was given up is brought by nobody.
OWED = (DeliveryState.DUE, DeliveryState.IN_FLIGHT, DeliveryState.FAILED)


@invariant("stock.low_alerts", _("Every low level has its alert, and no other has one"))
def low_levels_are_told() -> Iterator[Violation]:
    """News of a crossing that is still owed explains what differs."""
    owed = Delivery.objects.filter(subscriber=LOW_STOCK, fact__subject_type="stock_level", state__in=OWED)
    silent = untold_levels().filter(~Exists(owed.filter(fact__subject_id=OuterRef("pk"))))
    for level in silent.order_by("pk")[:SHOWN]:
        yield Violation(f"stock_level:{level.pk}", f"{level.unpromised} units, no alert")
    false = outlived_alerts().filter(~Exists(owed.filter(fact__subject_id=OuterRef("level_id"))))
    for alert in false.order_by("pk")[:SHOWN]:
        yield Violation(f"low_stock_alert:{alert.pk}", f"{alert.status}, its level is not low")
