"""The product's processes, as production starts them: web, worker and beat, to be killed and started again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.setup.ports import spare_port

ROOT = Path(__file__).resolve().parents[3]
LOOK_EVERY = 0.05


def children_of(pid: int) -> list[int]:
    """The pids whose parent this one is, oldest first."""
    processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return sorted(int(entry.name) for entry in processes if _parent(entry) == pid)


def tree_of(pid: int) -> list[int]:
    """A process and all that descend from it, the root first."""
    tree = [pid]
    for one in tree:
        tree += children_of(one)
    return tree


def kill_tree(pid: int) -> None:
    """SIGKILL for a process and all that descend from it."""
    tree = tree_of(pid)
    for one in tree:
        kill(one)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


class Service:
    """One kind of process with its log; it is the root of a tree of its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.command, self.environment, self.log = [sys.executable, "-m", *command], environment, log
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self.log.open("a") as log:
            process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)

    def kill_one(self, dice: random.Random) -> None:
        """SIGKILL for one of its children; there is none for a moment after one was killed."""
        while not (children := children_of(self.processes[-1].pid)):
            time.sleep(LOOK_EVERY)
        kill(dice.choice(children))

    def kill_whole(self) -> None:
        """SIGKILL for the whole tree, if there is one."""
        for process in self.processes[-1:]:
            kill_tree(process.pid)
            process.wait()


class Services:
    """Web, worker and beat on one database and one broker; `app` is the module of the workers' Celery app."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, app: str) -> None:
        self.port = spare_port()
        bind = ["--bind", f"127.0.0.1:{self.port}", "--workers", "2", "--threads", "4", "--preload"]
        web = ["gunicorn", "config.wsgi", "--worker-class", "gthread", *bind]
        celery = ["celery", "-A", app]
        worker = [*celery, "worker", "-Q", "work,mail,jobs", "--concurrency", "2", "-l", "WARNING"]
        self.web = Service(web, environment, folder / "web.log")
        self.worker = Service(worker, environment, folder / "worker.log")
        self.beat = Service([*celery, "beat", "-l", "WARNING"], environment, folder / "beat.log")

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def end(self) -> None:
        for service in (self.beat, self.worker, self.web):
            service.kill_whole()
