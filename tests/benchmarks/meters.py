"""Stop watches: wall time, this process's CPU, and the CPU of a database session on this machine."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Meter:
    """Sums over its `running` blocks; `server_pid` is a local database session's process, or 0."""

    server_pid: int = 0
    wall: float = 0.0
    client: float = 0.0
    server: float = 0.0
    laps: list[float] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, client, server = time.perf_counter(), time.process_time(), self._server_seconds()
        try:
            yield
        finally:
            lap = time.perf_counter() - wall
            self.wall += lap
            self.laps.append(lap)
            self.client += time.process_time() - client
            self.server += self._server_seconds() - server

    def _server_seconds(self) -> float:
        try:
            return int(Path(f"/proc/{self.server_pid}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            return 0.0


def quantile(laps: Sequence[float], share: float) -> float:
    """The lap below which `share` of all lie, in milliseconds."""
    ordered = sorted(laps)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def load_now() -> str:
    """The machine's load as it stands, so that a busy run can be told from a quiet one."""
    return " ".join(f"{figure:.1f}" for figure in os.getloadavg())
