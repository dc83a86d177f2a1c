"""Who can read a stored raw body again: readers by the raw order's source, registered in `ready()`."""

from collections.abc import Callable

from orders.neutral import NeutralOrder
from orders.phone import SOURCE, read_phone_order

Reader = Callable[[str], NeutralOrder]
_readers: dict[str, Reader] = {}


def register_reader(source: str, reader: Reader) -> Reader:
    """Say how bodies of a source are read; the reader refuses with a `BancaleError`."""
    _readers[source] = reader
    return reader


def reader_of(source: str) -> Reader | None:
    return _readers.get(source)


register_reader(SOURCE, read_phone_order)
