from orders.models.aliases import SkuAlias
from orders.models.business import LegalEntity, SalesChannel
from orders.models.customers import Address, Customer
from orders.models.decisions import AllocationDecision, Hold
from orders.models.edits import OrderEdit
from orders.models.imports import ImportMapping, ImportOrder, ImportProblem, ImportRow, ImportRun
from orders.models.lines import LinePart, OrderLine
from orders.models.logos import ChannelLogo
from orders.models.mail_deliveries import MailDelivery
from orders.models.mail_texts import MailText
from orders.models.money import Charge, DiscountShare, Payment, TaxLine
from orders.models.notes import Note, OrderTag, Tag
from orders.models.notifications import Notification
from orders.models.orders import Order
from orders.models.proposals import Proposal, ProposalAction
from orders.models.raw import RawOrder
from orders.models.reports import DailySales

__all__ = [
    "Address",
    "AllocationDecision",
    "ChannelLogo",
    "Charge",
    "Customer",
    "DailySales",
    "DiscountShare",
    "Hold",
    "ImportMapping",
    "ImportOrder",
    "ImportProblem",
    "ImportRow",
    "ImportRun",
    "LegalEntity",
    "LinePart",
    "MailDelivery",
    "MailText",
    "Note",
    "Notification",
    "Order",
    "OrderEdit",
    "OrderLine",
    "OrderTag",
    "Payment",
    "Proposal",
    "ProposalAction",
    "RawOrder",
    "SalesChannel",
    "SkuAlias",
    "Tag",
    "TaxLine",
]
