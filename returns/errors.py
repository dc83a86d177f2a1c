"""What the returns room refuses, and the facts that say why."""

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError


class NothingReturned(BancaleError):
    code = "nothing_returned"
    message = _("Say which units come back.")


class NotReturnable(BancaleError):
    """`asked` and `returnable` map line part ids to units."""

    code = "not_returnable"
    message = _(
        "Order %(number)s: %(asked_units)s units asked, %(returnable_units)s can come back. Only units that were "
        "shipped and are not in another return can."
    )


class TooManyUnits(BancaleError):
    code = "too_many_units"
    message = _("One return takes at most %(limit)s units, got %(count)s.")


class LocationUnknown(BancaleError):
    code = "location_unknown"
    message = _("Choose an active location that takes the goods back.")


class WithoutSku(BancaleError):
    """`lines` are the titles of goods that were sold without a SKU of ours: the ledger has no row for them."""

    code = "without_sku"
    message = _("What has no SKU cannot be counted back into stock: %(lines)s.")


class UnitsUnknown(BancaleError):
    """`unit_ids` do not belong to the return."""

    code = "units_unknown"
    message = _("Return %(number)s has no such units: %(unit_ids)s.")


class UnitsContradict(BancaleError):
    """`unit_ids` were named twice, or stand where this cannot be said of them any more."""

    code = "units_contradict"
    message = _("Return %(number)s: this cannot be said of units %(unit_ids)s, look at the page again.")


class NothingArrived(BancaleError):
    code = "nothing_arrived"
    message = _("Return %(number)s: nothing arrived. Cancel the return if nothing will.")


class NoVerdict(BancaleError):
    code = "no_verdict"
    message = _("Return %(number)s: give at least one unit a condition and a destination.")


class DamagedGoodsForSale(BancaleError):
    code = "damaged_for_sale"
    message = _("Return %(number)s: damaged or defective units %(unit_ids)s cannot go back for sale.")


class SkuExpectedBack(BancaleError):
    code = "sku_expected_back"
    message = _("%(sku)s is on its way back from customers (%(units)s), so it cannot become a kit.")
