from inventory.models.adjustments import StockAdjustment
from inventory.models.alerts import AlertDigest, AlertFollower, AlertNotice, LowStockAlert
from inventory.models.counts import StockCount, StockCountLine
from inventory.models.health import StockCheck
from inventory.models.places import Bin, Location
from inventory.models.receipts import StockReceipt
from inventory.models.reservations import Reservation
from inventory.models.skus import Barcode, KitPart, Sku
from inventory.models.staff import StaffLocation
from inventory.models.stock import BinStock, MovementKey, StockLevel, StockMovement, UnsellableStock
from inventory.models.transfers import Transfer, TransferLine

__all__ = [
    "AlertDigest",
    "AlertFollower",
    "AlertNotice",
    "Barcode",
    "Bin",
    "BinStock",
    "KitPart",
    "Location",
    "LowStockAlert",
    "MovementKey",
    "Reservation",
    "Sku",
    "StaffLocation",
    "StockAdjustment",
    "StockCheck",
    "StockCount",
    "StockCountLine",
    "StockLevel",
    "StockMovement",
    "StockReceipt",
    "Transfer",
    "TransferLine",
    "UnsellableStock",
]
