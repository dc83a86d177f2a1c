"""Reading the hashed lock files: what they pin, and whether an interpreter has it."""

import hashlib
import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)\s*(?P<marker>;[^\\]*)?")


def read_pins(lock: Path, *, with_markers: bool = False) -> dict[str, str]:
    """Names and exact versions of a lock file.

    Pins with an environment marker (another system, an older Python) are left out unless asked for, since
    only an installer can tell whether they apply here.
    """
    pins = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = PIN.match(line)
        if match and (with_markers or not match["marker"]):
            pins[match["name"].lower()] = match["version"]
    return pins


def fingerprint(lock: Path) -> str:
    """The SHA-256 of a lock file, as written into an environment's marker."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def has_all(pins: Mapping[str, str], *, installed: Callable[[str], str] = version) -> bool:
    """Whether the running interpreter has every pin in exactly the locked version."""
    try:
        return all(installed(name) == wanted for name, wanted in pins.items())
    except PackageNotFoundError:
        return False
