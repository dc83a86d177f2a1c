"""Who may claim units, and from which place in line: the seam through which an upper room names its sales channels.

This room only knows priorities; `config` registers who has which.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claimant:
    """One that orders units; higher `priority` stands earlier in every queue. `url` is its page, "" without one."""

    code: str
    name: str
    priority: int
    url: str = ""


Claimants = Callable[[], Sequence[Claimant]]
_readers: list[Claimants] = []


def register_claimants(reader: Claimants) -> Claimants:
    """Let a room name its claimants, from `AppConfig.ready()`; a function registers once."""
    if reader not in _readers:
        _readers.append(reader)
    return reader


def all_claimants() -> list[Claimant]:
    """Everybody who may claim units, first in line first."""
    found = [claimant for reader in _readers for claimant in reader()]
    return sorted(found, key=lambda one: (-one.priority, one.name))
