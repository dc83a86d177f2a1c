"""Units on their way between two locations: planned, sent, received, called back."""

from inventory.services.transfers.arriving import TransferReceipt, cancel_transfers, receive_transfers
from inventory.services.transfers.booking import TransferUnits, book_transfer
from inventory.services.transfers.sending import send_transfers

__all__ = [
    "TransferReceipt",
    "TransferUnits",
    "book_transfer",
    "cancel_transfers",
    "receive_transfers",
    "send_transfers",
]
