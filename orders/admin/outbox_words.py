"""What the facts and the jobs of this room are called."""

from django.utils.translation import gettext_lazy as _

from config.kernel.admin.subjects import call_facts, call_jobs

call_facts(
    {
        "customer.merged": _("Customers merged"),
        "customer.renamed": _("Customer called otherwise"),
        "order.accepted": _("Order received"),
        "order.backordered": _("Order waits for stock"),
        "order.called_off": _("Order cancelled before anything left"),
        "order.cancelled": _("Order cancelled"),
        "order.changed": _("Order changed"),
        "order.confirmable": _("Order may be confirmed"),
        "order.confirmed": _("Order confirmed"),
        "order.delayed": _("Order is later than promised"),
        "order.hold_needs_buyer": _("A hold needs an answer of the buyer"),
        "order.lines_known": _("Lines of an order found their SKU"),
        "order.mail_again": _("A mail is wanted again"),
        "order.rest_cancelled": _("Rest of an order cancelled"),
        "order.stock_due": _("Order may have stock"),
        "order.units_called_off": _("Units of an order cancelled"),
        "order.voided": _("Order taken away with its import"),
        "sku.mapped": _("SKU of a channel mapped"),
    }
)
call_jobs(
    {
        "orders.read_import": _("Read an import"),
        "orders.check_import": _("Check an import"),
        "orders.apply_import": _("Apply an import"),
        "orders.finish_import": _("Finish an import"),
        "orders.roll_back_import": _("Roll an import back"),
    }
)
