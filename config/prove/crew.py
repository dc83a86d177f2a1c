"""Rival processes: forked once, let loose together as often as wanted."""

import multiprocessing
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from django.db import connections

SECONDS_TO_MEET = 120


class RivalFailed(Exception):
    """A process broke in a way that no refusal explains; carries its traceback."""


def _serve(pipe: Connection, start: Any) -> None:
    """A rival's life: wait for a task, meet the others, act, answer."""
    while True:
        try:
            act, share = pipe.recv()
        except EOFError:
            return
        try:
            connections["default"].ensure_connection()
            start.wait(SECONDS_TO_MEET)
            answer = (True, act(share))
        except BaseException:
            answer = (False, traceback.format_exc())
        pipe.send(answer)


class Crew:
    """So many processes on this process's database; use it as a context. A control's go without protection."""

    def __init__(self, count: int, *, is_control: bool = False) -> None:
        self.count = count
        self.is_control = is_control

    def __enter__(self) -> "Crew":
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        start = fork.Barrier(self.count)
        self.pipes: list[Connection] = []
        self.processes = []
        for _number in range(self.count):
            ours, theirs = fork.Pipe()
            process = fork.Process(target=_serve, args=(theirs, start), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def run(self, act: Callable[[Any], Any], shares: Sequence[Any]) -> list[Any]:
        """Let each process call `act` (a module's function) with its share; what each answered, in order.

        Raises `RivalFailed` with the first traceback.
        """
        for pipe, share in zip(self.pipes, shares, strict=True):
            pipe.send((act, share))
        answers = [pipe.recv() for pipe in self.pipes]
        for is_good, answer in answers:
            if not is_good:
                raise RivalFailed(answer)
        return [answer for _good, answer in answers]
