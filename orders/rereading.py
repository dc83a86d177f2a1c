"""Who takes a stored raw body once more: verbs by the format of its source, registered in `ready()`."""

from collections.abc import Callable, Iterable
from typing import Any

from config.kernel.results import Results

# (raw order ids, *, actor) → the order's pk by raw order id
Rereader = Callable[..., Results[Any]]
_rereaders: dict[str, Rereader] = {}


def register_rereader(formats: Iterable[str], verb: Rereader) -> None:
    """Say which verb reads bodies of these formats again and accepts them ("shopify" of "webhook:shopify")."""
    _rereaders.update(dict.fromkeys(formats, verb))


def rereader_of(source: str) -> Rereader | None:
    return _rereaders.get(source.rpartition(":")[2])
