"""One line a step on standard error, with its seconds, and commands that are quiet until they fail."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

SECONDS_PER_DOT = 2.0
LINES_SHOWN, WIDTH_SHOWN = 12, 160


class Owner(NamedTuple):
    """Whom to run a command as; None is the present user."""

    user: int | None = None
    group: int | None = None


MYSELF = Owner()


class SetupError(Exception):
    """Setting up cannot go on; the message is one sentence that says what to do."""


class CommandFailed(Exception):
    """A command that was run quietly ended with an error; `output` is all that it printed."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(f"{command[0]} failed")
        self.output = output

    def tail(self) -> str:
        """The last lines, indented, for a person to read."""
        lines = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        return "\n".join(f"    {line[:WIDTH_SHOWN]}" for line in lines[-LINES_SHOWN:])


def say(text: str, *, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()


@contextmanager
def step(label: str) -> Iterator[None]:
    """Print the label now and the seconds it took afterwards, on one line."""
    started = time.monotonic()
    say(f"  {label} ", end="")
    try:
        yield
    except BaseException:
        say(" stopped")
        raise
    say(f" {time.monotonic() - started:.1f} s")


def run_quietly(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    owner: Owner = MYSELF,
    keep_open: Sequence[int] = (),
) -> str:
    """Run a command, print a dot every two seconds, and return what it printed.

    `owner` is whom to run it as. `keep_open` are file descriptors that it inherits, so that a lock is
    held until the last of its children is gone, even when this process was killed.

    Refuses: `CommandFailed` with the whole output when the exit code is not 0.
    """
    lines: list[str] = []
    with subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
        user=owner.user,
        group=owner.group,
        pass_fds=keep_open,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            _wait_with_dots(process)
        except BaseException:
            # The whole group: pip works in a child of the process that was started.
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            reader.join()
    output = "".join(lines)
    if process.returncode:
        raise CommandFailed(command, output)
    return output


def _wait_with_dots(process: "subprocess.Popen[str]") -> None:
    while True:
        try:
            process.wait(SECONDS_PER_DOT)
        except subprocess.TimeoutExpired:
            say(".", end="")
        else:
            return
