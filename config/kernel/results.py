"""One result an id: done, unchanged, or refused with the reason."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from config.kernel.errors import BancaleError

K = TypeVar("K")


class Results(Generic[K]):
    """What a verb did, by key, in the order asked; a key asked twice stands once.

    `values` holds what a done or unchanged key produced (an id, a number), where the verb says so.
    """

    def __init__(self, keys: Iterable[K] = ()) -> None:
        self.keys: list[K] = list(dict.fromkeys(keys))
        self.values: dict[K, Any] = {}
        self._done: set[K] = set()
        self._unchanged: set[K] = set()
        self.refusals: dict[K, BancaleError] = {}

    def done(self, key: K, value: Any = None) -> None:
        self._done.add(key)
        self._keep(key, value)

    def unchanged(self, key: K, value: Any = None) -> None:
        self._unchanged.add(key)
        self._keep(key, value)

    def refuse(self, key: K, error: BancaleError) -> None:
        self.refusals[key] = error

    def _keep(self, key: K, value: Any) -> None:
        if value is not None:
            self.values[key] = value

    @property
    def done_ids(self) -> list[K]:
        return [key for key in self.keys if key in self._done]

    @property
    def unchanged_ids(self) -> list[K]:
        return [key for key in self.keys if key in self._unchanged]

    @property
    def open_ids(self) -> list[K]:
        """Keys without an answer yet."""
        return [k for k in self.keys if k not in self._done | self._unchanged and k not in self.refusals]

    def is_done(self, key: K) -> bool:
        return key in self._done

    def absorb(self, other: "Results[K]") -> None:
        """Take over another result's keys and answers."""
        self.keys = list(dict.fromkeys([*self.keys, *other.keys]))
        self._done |= other._done
        self._unchanged |= other._unchanged
        self.values |= other.values
        self.refusals |= other.refusals

    def only(self) -> Any:
        """The value of a single key; raises its refusal. For doors that act on one object."""
        (key,) = self.keys
        if key in self.refusals:
            raise self.refusals[key]
        return self.values.get(key)

    def raise_refusals(self) -> None:
        """Raise the first refusal, for callers that must not go on after one."""
        for error in self.refusals.values():
            raise error

    def counts(self) -> Mapping[str, int]:
        return {"done": len(self._done), "unchanged": len(self._unchanged), "refused": len(self.refusals)}

    def __repr__(self) -> str:
        return f"Results({dict(self.counts())}, refusals={self.refusals!r})"
