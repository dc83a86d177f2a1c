"""The first code that runs: brings a bare machine to a working environment, then hands over.

Standard library only, and parseable by a Python that is too old, so that such a Python can be told so.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
DEV_COMMANDS = frozenset({"test"})
REEXEC_MARKER = "BANCALE_BOOTSTRAPPED"
SWITCH = "BANCALE_BOOTSTRAP"


def main(argv: list) -> int:
    """Run `manage.py` with these arguments (program name first) and return its exit code.

    Makes `.venv` and installs the hashed lock that the command needs, unless this interpreter already has
    those packages; a second call finds a marker and installs nothing. `BANCALE_BOOTSTRAP=off` uses this
    interpreter as it is.

    Refuses, with one sentence on standard error and exit 2: Python too old, no pip and no uv, no network,
    a package that is not the locked one, a folder that cannot be written.
    """
    too_old = refuse_old_python(sys.version_info[:3])
    if too_old:
        sys.stderr.write(too_old + "\n")
        return 2
    try:
        return _run(argv)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130


def refuse_old_python(version: tuple) -> str:
    """Say in one sentence why this Python is refused and which one to use; empty when it will do."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ""
    found = [f"python3.{minor}" for minor in range(20, 10, -1) if shutil.which(f"python3.{minor}")]
    advice = "install a newer one and try again"
    if found:
        advice = f"use {found[0]}, which is on this machine"
    needed, given = ".".join(map(str, OLDEST_PYTHON)), ".".join(map(str, version))
    return f"Bancale needs Python {needed} or newer and this is {given}: {advice}."


def _run(argv: list) -> int:
    from config.setup.console import SetupError

    command = argv[1] if len(argv) > 1 else "help"
    try:
        if os.environ.get(SWITCH, "").lower() not in {"off", "0", "no"}:
            _enter_environment(command, argv)
        return _dispatch(command, argv)
    except SetupError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2


def _enter_environment(command: str, argv: list) -> None:
    """Return when this interpreter can run the command, or replace this process by one that can."""
    from config.setup.console import SetupError
    from config.setup.environment import Environment

    environment = Environment(ROOT)
    if os.environ.pop(REEXEC_MARKER, None) == str(environment.venv):
        if not environment.is_current():
            raise SetupError(
                f"{environment.python} does not start inside {environment.venv}: delete that folder."
            )
        return
    python = environment.ensure("dev" if command in DEV_COMMANDS else "runtime")
    if python is None:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    command_line = [str(python), str(ROOT / "manage.py"), *argv[1:]]
    os.execve(python, command_line, {**os.environ, REEXEC_MARKER: str(environment.venv)})  # noqa: S606


def _dispatch(command: str, argv: list) -> int:
    if command == "test":
        from config.setup.testrun import main as run_tests

        return run_tests(ROOT, argv[2:])
    if command == "doctor":
        from config.doctor import main as run_doctor

        return run_doctor(argv[2:])
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)
    return 0
