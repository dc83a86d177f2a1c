"""What a change to an order does to other rooms: the seam through which they say it before, and follow it after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from config.kernel.actors import Actor
from config.kernel.errors import BancaleError
from orders.warehouse import AskedUnits


@dataclass(frozen=True, slots=True)
class ForeseenChange:
    """A change of one order. `taken` are units, by line part, that can come only from what the warehouse was asked
    for; `names` say what those parts are called."""

    order_id: int
    number: str
    taken: Mapping[int, int] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    new_address: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One sentence for the preview; with a `refusal` the change cannot be confirmed. `called_back` is what live work
    asks for no more then."""

    text: str
    tone: str = ""
    refusal: BancaleError | None = None
    called_back: tuple[AskedUnits, ...] = ()


class PreviewContributor(Protocol):
    """An upper room's part in changes to orders. Both take many and need a fixed number of statements."""

    def foresee(self, changes: Sequence[ForeseenChange]) -> Mapping[int, Sequence[Effect]]:
        """By order what the change would do; writes nothing."""

    def follow(self, changes: Sequence[ForeseenChange], *, actor: Actor) -> None:
        """Do it: the orders are locked, no stock level is yet, and `foresee` refused none of them."""


_contributors: list[PreviewContributor] = []


def register_contributor(contributor: PreviewContributor) -> PreviewContributor:
    """Let a room contribute, from `AppConfig.ready()`; one of each class."""
    if not any(type(one) is type(contributor) for one in _contributors):
        _contributors.append(contributor)
    return contributor


def foresee_changes(changes: Sequence[ForeseenChange]) -> dict[int, list[Effect]]:
    """All rooms' effects by order."""
    found: dict[int, list[Effect]] = {change.order_id: [] for change in changes}
    for contributor in _contributors if changes else ():
        for order_id, effects in contributor.foresee(changes).items():
            found[order_id] += effects
    return found


def follow_changes(changes: Sequence[ForeseenChange], *, actor: Actor) -> None:
    """Let all rooms follow."""
    for contributor in _contributors if changes else ():
        contributor.follow(changes, actor=actor)
