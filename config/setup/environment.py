"""Making `.venv` and installing a lock into it, once, whoever calls and however often."""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.setup.console import CommandFailed, SetupError, run_quietly, say, step
from config.setup.locks import fingerprint, has_all, read_pins

# Settings of a user's pip that would install somewhere else than into the environment.
MISLEADING_PIP_SETTINGS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")

CANNOT_REACH = (
    "the package registry cannot be reached; check the network, the proxy and pip's settings, "
    "then run the same command again"
)
WRONG_PACKAGE = (
    "a package is not the one that the lock file names; it was not kept, so try again later or report it"
)
# What the installers print, in lower case, and what it means; the first that fits is told.
REASONS = (
    ("do not match the hashes", WRONG_PACKAGE),
    ("hash mismatch", WRONG_PACKAGE),
    ("no space left on device", "the disk is full"),
    ("permission denied", "a folder cannot be written"),
    ("read-only file system", "a folder cannot be written"),
    ("name resolution", CANNOT_REACH),
    ("name or service not known", CANNOT_REACH),
    ("new connection", CANNOT_REACH),
    ("dns error", CANNOT_REACH),
    ("error sending request", CANNOT_REACH),
    ("connection refused", CANNOT_REACH),
    ("network", CANNOT_REACH),
    ("timed out", CANNOT_REACH),
    ("proxyerror", CANNOT_REACH),
    ("certificate", CANNOT_REACH),
    ("tunnel", CANNOT_REACH),
    ("no matching distribution", CANNOT_REACH),
)


class Environment:
    """The virtual environment of one clone, at `.venv`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self._unfinished = self.venv / ".bancale-unfinished"

    def lock(self, name: str) -> Path:
        return self.root / "config" / "requirements" / f"{name}.lock"

    def is_current(self) -> bool:
        """Whether the running interpreter is this environment's own."""
        return self.venv.is_dir() and Path(sys.prefix).resolve() == self.venv.resolve()

    def ensure(self, name: str) -> Path | None:
        """Make sure that the packages of one lock (`runtime` or `dev`) are there.

        Returns the interpreter to continue with, or None when the running one has them all. Callers in the
        same clone wait for each other; what an interrupted call left behind is built anew.

        Refuses: `SetupError`.
        """
        if self.is_current() and self._is_marked(name):
            return None
        if has_all(read_pins(self.lock(name))) and not self._unfinished.exists():
            return None
        if not self._is_marked(name):
            with self._only_one() as held:
                if not self._is_marked(name):
                    self._install(name, held)
        return self.python

    def _marker(self, name: str) -> Path:
        return self.venv / f".bancale-lock-{name}"

    def _is_marked(self, name: str) -> bool:
        try:
            return self._marker(name).read_text(encoding="ascii") == fingerprint(self.lock(name))
        except OSError:
            return False

    @contextmanager
    def _only_one(self) -> Iterator[int]:
        folder = self.root / ".data"
        try:
            folder.mkdir(exist_ok=True)
            handle = (folder / "setup.lock").open("w")
        except OSError as error:
            raise SetupError(
                f"{self.root} cannot be written ({error.strerror}): clone Bancale into a folder of yours."
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with step("Waiting for another set-up in this folder"):
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle.fileno()

    def _install(self, name: str, held: int) -> None:
        say(f"Setting Bancale up in {self.venv}")
        self._make_venv()
        count = len(read_pins(self.lock(name)))
        self._unfinished.touch()
        for label, command in self._installers(name):
            try:
                with step(f"Installing {count} locked packages with {label}"):
                    run_quietly(command, env=_installer_environment(), keep_open=[held])
            except CommandFailed as failure:
                last = failure
                say(failure.tail())
            else:
                break
        else:
            raise SetupError(f"The packages could not be installed: {_reason(last.output)}.")
        for done in {name, "runtime"}:
            self._marker(done).write_text(fingerprint(self.lock(done)), encoding="ascii")
        self._unfinished.unlink()

    def _make_venv(self) -> None:
        if self.venv.exists() and (self._unfinished.exists() or not self._python_works()):
            with step("Removing what an interrupted or outdated set-up left"):
                shutil.rmtree(self.venv)
        if self.venv.exists():
            return
        try:
            with step("Creating the environment"):
                run_quietly([_base_python(), "-m", "venv", "--without-pip", str(self.venv)])
        except CommandFailed as failure:
            say(failure.tail())
            raise SetupError(f"{self.venv} could not be created: {_reason(failure.output)}.") from failure

    def _python_works(self) -> bool:
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            return subprocess.run([self.python, "-c", check], capture_output=True).returncode == 0
        except OSError:
            return False

    def _installers(self, name: str) -> list[tuple[str, list[str]]]:
        """The commands that can install the lock, best first: uv is faster, pip knows the user's pip.conf."""
        lock = str(self.lock(name))
        found = []
        if uv := shutil.which("uv"):
            found.append(
                ("uv", [uv, "pip", "install", "--python", str(self.python), "--require-hashes", "-r", lock])
            )
        if pip := _find_pip():
            quiet = [
                "--no-input",
                "--disable-pip-version-check",
                "--progress-bar=off",
                "--root-user-action=ignore",
            ]
            target = ["--python", str(self.python), "install", "--require-hashes", "--no-deps"]
            found.append(("pip", [*pip, *target, *quiet, "-r", lock]))
        if not found:
            raise SetupError(
                "Neither pip nor uv was found: install one of them (on Debian: apt install python3-pip), "
                "then run the same command again."
            )
        return found


def _base_python() -> str:
    """The interpreter behind this one: the running one may stand in the folder that is built anew."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def _find_pip() -> list[str] | None:
    base = _base_python()
    if base != sys.executable and _has_pip(base):
        return [base, "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    return [found] if found else None


def _has_pip(python: str) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def _installer_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in MISLEADING_PIP_SETTINGS}


def _reason(output: str) -> str:
    text = output.lower()
    return next((reason for sign, reason in REASONS if sign in text), "the installer's own words stand above")
