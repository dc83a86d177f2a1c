from returns.models.rmas import ReturnUnit, Rma

__all__ = ["ReturnUnit", "Rma"]
