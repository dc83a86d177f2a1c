"""What `manage.py test` checks before it runs a test."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A production that lacks nothing, so that `check --deploy` has only real faults to tell. Nothing connects.
SOUND_PRODUCTION = {
    "SECRET_KEY": "only-for-checks-" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "orders.example.com",
    "BANCALE_SITE_URL": "https://orders.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://orders.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "BANCALE_REDIS_URL": "",
    "EMAIL_URL": "smtp://localhost:25",
}
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Check:
    """One command, given to the interpreter; it passes with exit code 0."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: SOUND_PRODUCTION)


CHECKS = (
    Check("ruff check", ("-m", "ruff", "check", "--quiet", ".")),
    Check("ruff format", ("-m", "ruff", "format", "--check", "--quiet", ".")),
    Check("import directions", (str(SCRIPTS / "lint-imports"), "--no-cache")),
    Check(
        "mypy",
        (
            "-m",
            "mypy",
        ),
    ),
    Check("no missing migration", ("manage.py", "makemigrations", "--check", "--dry-run")),
    Check("production settings", ("manage.py", "check", "--deploy", "--fail-level", "WARNING")),
)
