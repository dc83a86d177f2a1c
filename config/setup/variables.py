"""What can be wrong with the environment's variables, told without loading Django or opening a connection."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

Environ = Mapping[str, str]
WORDS = frozenset({"", "on", "off", "true", "false", "yes", "no", "y", "n", "ok", "1", "0"})
TRUE_WORDS = frozenset({"on", "true", "yes", "y", "ok", "1"})
SWITCHES = ("DEBUG", "SECURE_SSL_REDIRECT", "BEHIND_PROXY", "BANCALE_REQUIRE_TOTP")
# Whole numbers and the least that each may be.
NUMBERS = {
    "BANCALE_PROXY_COUNT": 0,
    "BANCALE_SESSION_HOURS": 1,
    "BANCALE_SESSION_IDLE_MINUTES": 1,
    "BANCALE_LOCKOUT_MINUTES": 1,
}
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "[::1]", "testserver"})
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail")
KNOWN = frozenset(
    f"BANCALE_{name}"
    for name in (
        *(
            "BOOTSTRAP",
            "CHROMIUM",
            "DATA_DIR",
            "IMPORT_FOLDER",
            "LOCKOUT_MINUTES",
            "PROXY_COUNT",
            "REQUIRE_TOTP",
            "SESSION_HOURS",
            "SESSION_IDLE_MINUTES",
            "REDIS_URL",
            "REQUIRE",
            "SITE_URL",
            "TEST_DATA",
            "TEST_DB_SUFFIX",
        ),
        *("TEST_FACTS", "TEST_REDIS_URL", "TEST_REPEAT"),
    )
)
SHORTEST_KEY, FEWEST_CHARACTERS = 50, 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the variable (or the server) it is about, what, and what to do."""

    about: str
    problem: str
    fix: str


def environment_faults(environ: Environ, root: Path) -> list[Fault]:
    """Every fault of the variables alone; `root` is the clone, whose `.data` is the default data folder."""
    return [fault for check in CHECKS for fault in check(environ, root)]


def data_folder(environ: Environ, root: Path) -> Path:
    return Path(environ.get("BANCALE_DATA_DIR") or root / ".data")


def is_on(environ: Environ, name: str) -> bool:
    return environ.get(name, "").strip().lower() in TRUE_WORDS


def is_public(environ: Environ) -> bool:
    """Whether others can reach this site, as its own address and host names say."""
    names = [*_listed(environ, "ALLOWED_HOSTS"), _site(environ).hostname or ""]
    return any(name and name not in LOCAL_HOSTS for name in names)


def uses_sqlite(environ: Environ) -> bool:
    return not environ.get("DATABASE_URL") or environ["DATABASE_URL"].startswith("sqlite")


def _listed(environ: Environ, name: str) -> list[str]:
    return [word.strip() for word in environ.get(name, "").split(",") if word.strip()]


def _site(environ: Environ) -> "SplitAddress":
    return SplitAddress(environ.get("BANCALE_SITE_URL") or "http://127.0.0.1:8000")


class SplitAddress:
    """An address taken apart, with None in place of what cannot be read."""

    def __init__(self, text: str) -> None:
        self.scheme = self.hostname = self.path = None
        self.port: int | None = None
        try:
            parts = urlsplit(text)
            self.scheme, self.hostname, self.path, self.port = (
                parts.scheme,
                parts.hostname,
                parts.path,
                parts.port,
            )
            self.is_readable = True
        except ValueError:
            self.is_readable = False


def _secret_key(environ: Environ, _root: Path) -> Iterator[Fault]:
    key = environ.get("SECRET_KEY", "")
    new_key = """python3 -c "import secrets; print(secrets.token_urlsafe(50))" prints a new one"""
    if not key:
        # On the embedded default the settings make one and keep it in the data folder.
        if environ.get("DATABASE_URL"):
            yield Fault("SECRET_KEY", "is missing", f"set it; {new_key}")
    elif len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or key.startswith("django-insecure"):
        yield Fault(
            "SECRET_KEY", "can be guessed", f"use {SHORTEST_KEY} random characters or more; {new_key}"
        )


def _switches(environ: Environ, _root: Path) -> Iterator[Fault]:
    for name in SWITCHES:
        word = environ.get(name, "").strip().lower()
        if word not in WORDS:
            yield Fault(name, f"is {word!r}, which counts as off", "write on or off")
    if is_on(environ, "DEBUG") and is_public(environ):
        problem = "is on while others can reach the site: pages would show source and settings"
        yield Fault("DEBUG", problem, "write DEBUG=off, or keep ALLOWED_HOSTS and BANCALE_SITE_URL local")


def _numbers(environ: Environ, _root: Path) -> Iterator[Fault]:
    for name, least in NUMBERS.items():
        text = environ.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit() and int(text) >= least):
            yield Fault(name, f"is {text!r}", f"write a whole number from {least}")
    proxies = environ.get("BANCALE_PROXY_COUNT", "").strip()
    if is_on(environ, "BEHIND_PROXY") and proxies in {"", "0"}:
        problem = "is 0 behind a proxy, so everybody's failed log-ins count for one address"
        yield Fault("BANCALE_PROXY_COUNT", problem, "write how many proxies of yours stand before the site")


def _addresses(environ: Environ, _root: Path) -> Iterator[Fault]:
    site, hosts = _site(environ), _listed(environ, "ALLOWED_HOSTS")
    if site.scheme not in {"http", "https"} or not site.hostname or site.path not in {"", "/"}:
        yield Fault(
            "BANCALE_SITE_URL",
            f"is {environ.get('BANCALE_SITE_URL')!r}, which is no address of a site",
            "write it like https://orders.example.com, without a path",
        )
    elif site.hostname not in LOCAL_HOSTS:
        if site.scheme == "http":
            problem = "is not https, so passwords travel in the open"
            yield Fault("BANCALE_SITE_URL", problem, "put TLS before the site and write https://")
        if not any(_matches(site.hostname, host) for host in hosts):
            yield Fault("ALLOWED_HOSTS", f"does not list {site.hostname}", f"add {site.hostname}")
    elif not LOCAL_HOSTS.issuperset(hosts):
        problem = "is of this machine alone, so links in mails lead nowhere"
        yield Fault("BANCALE_SITE_URL", problem, "write the address that people open")
    if "*" in hosts:
        yield Fault("ALLOWED_HOSTS", "answers to every name", "list the site's own host names")
    for origin in _listed(environ, "CSRF_TRUSTED_ORIGINS"):
        if SplitAddress(origin).scheme not in {"http", "https"}:
            problem = f"holds {origin!r}, which has no scheme"
            yield Fault("CSRF_TRUSTED_ORIGINS", problem, f"write https://{origin}")


def _matches(name: str, host: str) -> bool:
    return name == host or (host.startswith(".") and f".{name}".endswith(host)) or host == "*"


def _database(environ: Environ, _root: Path) -> Iterator[Fault]:
    text = environ.get("DATABASE_URL", "")
    if not text:
        return
    address = SplitAddress(text)
    example = "postgres://user:password@127.0.0.1:5432/bancale"
    if not address.is_readable or address.scheme not in {"sqlite", "postgres", "postgresql"}:
        yield Fault("DATABASE_URL", "is no address of SQLite or PostgreSQL", f"write it like {example}")
    elif address.scheme != "sqlite" and (address.path or "").strip("/") == "":
        yield Fault("DATABASE_URL", "names no database", f"write it like {example}")


def _broker(environ: Environ, _root: Path) -> Iterator[Fault]:
    text = environ.get("BANCALE_REDIS_URL", "")
    address = SplitAddress(text)
    if text and (not address.is_readable or address.scheme not in {"redis", "rediss", "unix"}):
        yield Fault("BANCALE_REDIS_URL", "is no address of a Redis", "write it like redis://127.0.0.1:6379/0")
    if not text and is_public(environ) and not uses_sqlite(environ):
        problem = "is empty, so work runs inside each web process"
        yield Fault("BANCALE_REDIS_URL", problem, "start a Redis and write redis://127.0.0.1:6379/0")
    if uses_sqlite(environ):
        fix = "set DATABASE_URL to a PostgreSQL, or keep to one process: SQLite takes one writer at a time"
        if text:
            yield Fault("DATABASE_URL", "is SQLite while Redis lets several workers write", fix)
        if environ.get("WEB_CONCURRENCY", "1").strip() not in {"", "1"}:
            yield Fault("WEB_CONCURRENCY", "starts several web processes on SQLite", fix)


def _folders(environ: Environ, root: Path) -> Iterator[Fault]:
    folder = data_folder(environ, root)
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    fix = "make it a folder that this user may write, or set BANCALE_DATA_DIR to one"
    if not nearest.is_dir():
        yield Fault("BANCALE_DATA_DIR", f"is not a folder: {nearest}", fix)
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield Fault("BANCALE_DATA_DIR", f"cannot be written: {nearest}", fix)
    dotenv = root / ".env"
    if dotenv.exists() and is_public(environ) and dotenv.stat().st_mode & 0o077:
        yield Fault(".env", "can be read by other users of this machine", "chmod 600 .env")


def _mail(environ: Environ, _root: Path) -> Iterator[Fault]:
    text, sender = environ.get("EMAIL_URL", ""), environ.get("DEFAULT_FROM_EMAIL", "")
    address = SplitAddress(text)
    example = "smtp+tls://user:password@mail.example.com:587"
    if text and (not address.is_readable or address.scheme not in MAIL_SCHEMES):
        yield Fault("EMAIL_URL", "is no address of a mail server", f"write it like {example}")
    if not is_public(environ):
        return
    if not text or address.scheme in {"consolemail", "filemail", "memorymail", "dummymail"}:
        yield Fault("EMAIL_URL", "sends no mail: customers hear nothing", f"write it like {example}")
    _name, box = parseaddr(sender)
    if "@" not in box or box.endswith("@localhost"):
        yield Fault("DEFAULT_FROM_EMAIL", "is nobody's address", "write one that may send for your domain")


def _zone_and_level(environ: Environ, _root: Path) -> Iterator[Fault]:
    zone, level = environ.get("TIME_ZONE", ""), environ.get("LOG_LEVEL", "")
    try:
        ZoneInfo(zone or "UTC")
    except (ValueError, OSError, KeyError):
        yield Fault("TIME_ZONE", f"is {zone!r}, which is no time zone", "write one like Europe/Rome")
    if level and level not in LEVELS:
        yield Fault("LOG_LEVEL", f"is {level!r}", f"write one of {', '.join(LEVELS)}")


def _misspelt(environ: Environ, _root: Path) -> Iterator[Fault]:
    for name in sorted(environ):
        if name.startswith("BANCALE_") and name not in KNOWN:
            yield Fault(name, "is no variable of Bancale", "compare it with .env.example")


CHECKS: tuple[Callable[[Environ, Path], Iterator[Fault]], ...] = (
    *(
        _secret_key,
        _switches,
        _numbers,
        _addresses,
        _database,
        _broker,
        _folders,
        _mail,
        _zone_and_level,
        _misspelt,
    ),
)
