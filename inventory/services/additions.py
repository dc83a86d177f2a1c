"""Different numbers added to many rows in one statement."""

from config.kernel.fastpath import add_to_rows

__all__ = ["add_to_rows"]
