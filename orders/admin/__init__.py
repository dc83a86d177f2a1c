"""The admin pages of the orders room, and where upper rooms add cards and buttons to the order page."""

from orders.admin import (
    business,
    cancel_lines,
    customers,
    imports,
    mail_log,
    mail_texts,
    mapping,
    marks,
    moving,
    orders,
    outbox_words,
    proposals,
    records,
    references,
    words,
)
from orders.admin.orders import add_order_action, add_order_column, add_order_filter, add_order_queue
from orders.admin.panels import PanelContext, register_order_button, register_order_panel

__all__ = [
    "PanelContext",
    "add_order_action",
    "add_order_column",
    "add_order_filter",
    "add_order_queue",
    "business",
    "cancel_lines",
    "customers",
    "imports",
    "mail_log",
    "mail_texts",
    "mapping",
    "marks",
    "moving",
    "orders",
    "outbox_words",
    "proposals",
    "records",
    "references",
    "register_order_button",
    "register_order_panel",
    "words",
]
