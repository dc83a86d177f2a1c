"""Who may do what: the five roles, kept in step with each migration. A group's name is the role's code; pages show
its words.

Rights a person gave a group by hand stay; what stands here is added when it is missing.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

SEEN_BY_ALL = (
    "orders.view_order",
    "inventory.view_sku",
    "inventory.view_stocklevel",
    "inventory.view_reservation",
    "inventory.view_stockmovement",
    "inventory.view_location",
    "inventory.view_bin",
    "fulfillment.view_fulfillmentorder",
    "fulfillment.view_shipment",
    "fulfillment.view_parcel",
    "returns.view_rma",
    # An action on many rows ends on its job's page.
    "kernel.view_job",
)
PICKER = (
    *SEEN_BY_ALL,
    "fulfillment.work_fulfillmentorder",
    "fulfillment.ship_fulfillmentorder",
    "fulfillment.track_parcel",
    "inventory.receive_stock",
    "inventory.view_stockreceipt",
    "inventory.undo_stockreceipt",
    "inventory.return_stock",
    "inventory.set_aside_stock",
    "inventory.move_stock",
    "inventory.view_stockadjustment",
    "inventory.undo_stockadjustment",
    "inventory.send_transfer",
    "inventory.undo_transfer",
    "inventory.receive_transfer",
    "inventory.view_transfer",
    "inventory.count_stock",
    "inventory.view_stockcount",
    "returns.receive_rma",
    "returns.inspect_rma",
)
SUPPORT = (
    *SEEN_BY_ALL,
    "orders.view_customer",
    "orders.view_personal",
    "orders.view_money",
    "orders.add_order",
    "orders.place_order",
    "orders.confirm_order",
    "orders.allocate_order",
    "orders.hold_order",
    "orders.cancel_order",
    "orders.complete_order",
    "orders.reopen_order",
    "orders.propose_change",
    "orders.view_proposal",
    "orders.edit_order",
    "orders.note_order",
    "orders.tag_order",
    "orders.map_sku",
    "orders.view_skualias",
    "orders.view_dailysales",
    "orders.add_customer",
    "orders.change_customer",
    "orders.merge_customer",
    "orders.view_tag",
    "orders.view_note",
    "orders.view_raworder",
    "orders.view_notification",
    "orders.view_maildelivery",
    "orders.resend_notification",
    "orders.suppress_notification",
    "orders.view_hold",
    "orders.view_allocationdecision",
    "orders.view_payment",
    "orders.view_saleschannel",
    "orders.export_order",
    "orders.export_orderline",
    "kernel.view_export",
    "fulfillment.release_fulfillmentorder",
    "fulfillment.cancel_fulfillmentorder",
    "fulfillment.track_parcel",
    "returns.request_rma",
    "returns.approve_rma",
)
# Reads the figures of the business, of buyers nothing.
READER = (
    *SEEN_BY_ALL,
    "orders.view_money",
    "orders.view_payment",
    "orders.view_hold",
    "orders.view_allocationdecision",
    "orders.view_saleschannel",
    "orders.view_legalentity",
    "orders.view_skualias",
    "inventory.view_stockreceipt",
    "inventory.view_stockadjustment",
    "inventory.view_transfer",
    "inventory.view_stockcount",
    "inventory.view_lowstockalert",
    "orders.export_order",
    "orders.export_orderline",
    "inventory.export_stocklevel",
    "inventory.export_stockmovement",
    "kernel.view_export",
)
# A program with a login of its own: hands orders over, and reads where they and the stock stand.
INTEGRATION = (
    "orders.place_order",
    "orders.view_order",
    "orders.view_personal",
    "orders.view_money",
    "inventory.view_sku",
    "inventory.view_stocklevel",
    "inventory.view_location",
    "fulfillment.view_fulfillmentorder",
    "fulfillment.view_shipment",
    "fulfillment.view_parcel",
    "fulfillment.track_parcel",
    "returns.view_rma",
)
# A manager may do everything in the rooms, watch and repair the system, and say who works here in which role; what
# a role may is the superuser's.
MANAGER_APPS = ("orders", "inventory", "fulfillment", "returns", "channels", "kernel")
MANAGER_ALSO = ("auth.view_user", "auth.add_user", "auth.change_user", "auth.view_group")
NEVER_BY_HAND = ("add_event", "change_event", "delete_event")

ROLES: dict[str, tuple[str, ...]] = {
    "Picker": PICKER,
    "Support": SUPPORT,
    "Reader": READER,
    "Integration": INTEGRATION,
}
MANAGER = "Manager"
ROLE_WORDS = {
    "Picker": pgettext_lazy("role", "Warehouse"),
    "Support": pgettext_lazy("role", "Customer service"),
    MANAGER: pgettext_lazy("role", "Manager"),
    "Reader": pgettext_lazy("role", "Read only"),
    "Integration": pgettext_lazy("role", "Integration"),
}


def ensure_roles(sender: AppConfig, **_kwargs: Any) -> None:
    """Make the groups and give them their permissions; a second call changes nothing."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    create_permissions(sender, verbosity=0)
    every = list(Permission.objects.select_related("content_type"))
    by_name = {f"{row.content_type.app_label}.{row.codename}": row for row in every}
    wanted: dict[str, Iterable[Any]] = {
        name: [by_name[code] for code in codes if code in by_name] for name, codes in ROLES.items()
    }
    wanted[MANAGER] = [
        row
        for row in every
        if row.content_type.app_label in MANAGER_APPS and row.codename not in NEVER_BY_HAND
    ] + [by_name[code] for code in MANAGER_ALSO]
    for name, permissions in wanted.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions)
