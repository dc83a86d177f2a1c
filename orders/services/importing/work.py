"""How long work tells where it stands. A kernel job is one; a command brings its own."""

from collections.abc import Mapping
from typing import Any, Protocol


class Work(Protocol):
    def progress(self, done: int, total: int) -> None:
        """Show progress; may raise to stop here."""

    def keep(self, result: Mapping[str, Any]) -> None:
        """Say that the work can go on from here."""


class Alone:
    """Work that nobody watches."""

    def progress(self, done: int, total: int) -> None:
        return

    def keep(self, result: Mapping[str, Any]) -> None:
        return
