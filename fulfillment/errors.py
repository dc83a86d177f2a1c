"""What the warehouse refuses, and the facts that say why."""

from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError


class NotReleasable(BancaleError):
    code = "not_releasable"
    message = _("Order %(number)s is %(status)s; only a confirmed order is released.")


class NothingToRelease(BancaleError):
    code = "nothing_to_release"
    message = _("Order %(number)s has no reserved units that wait to be released.")


class NoAddress(BancaleError):
    code = "no_address"
    message = _("Order %(number)s has no address to ship to.")


class OrderHeld(BancaleError):
    """`holds` are the open holds' kinds, `names` their words."""

    code = "order_held"
    message = _("Order %(number)s is on hold: %(names)s.")


class LineStopped(BancaleError):
    """The order is not to be shipped any more."""

    code = "line_stopped"
    message = _("Stop: order %(number)s is %(status)s. Put the goods back, nothing may leave.")


class AddressChanged(BancaleError):
    """`released_to` and `ship_to` are address ids."""

    code = "address_changed"
    message = _(
        "Stop: the address of order %(number)s changed after %(fulfillment_order)s was released. "
        "Cancel %(fulfillment_order)s and release the order again."
    )


class NotReleased(BancaleError):
    code = "not_released"
    message = _("%(fulfillment_order)s is %(status)s; only released work can be shipped by hand.")


class AlreadyShipped(BancaleError):
    code = "already_shipped"
    message = _("%(fulfillment_order)s has already left with %(parcel)s.")


class TrackingNumberRefused(BancaleError):
    code = "tracking_number_refused"
    message = _(
        "“%(value)s” is not a tracking number: 4 to 60 letters, digits, hyphens and spaces are accepted."
    )


class CarrierMissing(BancaleError):
    code = "carrier_missing"
    message = _("Say which carrier takes the parcel, in at most 60 characters.")


class ParcelNotShipped(BancaleError):
    """A label alone takes no goods out of stock; shipping does, and hands the parcel over."""

    code = "parcel_not_shipped"
    message = _("%(parcel)s has not been shipped. Ship its work; that hands it over.")


class TrackingNumberTaken(BancaleError):
    """`parcel_id` and `order_id` name the other parcel; both are None when it stands in the same batch."""

    code = "tracking_number_taken"
    message = _("%(carrier)s %(tracking_number)s is already the number of a parcel of %(owner)s.")


class UnitsNotReserved(BancaleError):
    """`missing` maps line part ids to the units that are no longer reserved at the location."""

    code = "units_not_reserved"
    message = _("%(fulfillment_order)s asks for units that are no longer reserved at %(location)s.")
