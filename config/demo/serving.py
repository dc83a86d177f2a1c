"""Web, worker and beat in one process, for a laptop: SQLite and Celery's memory broker, no server to install."""

import errno
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.beat import EmbeddedService
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

from config.celery import app
from config.wsgi import application

HOST = "127.0.0.1"
PORTS_TRIED = 50


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        logging.getLogger("bancale.web").debug(format, *args)


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


def bind(port: int) -> ThreadedServer:
    """Listen on loopback at `port`, or at the next free one of the following fifty."""
    for candidate in range(port, port + PORTS_TRIED):
        try:
            server = ThreadedServer((HOST, candidate), QuietHandler, ipv6=False)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        server.set_app(application)
        return server
    raise OSError(errno.EADDRINUSE, f"ports {port} to {port + PORTS_TRIED - 1} are all taken")


@contextmanager
def workers(*, concurrency: int = 2) -> Iterator[None]:
    """A worker with threads and a beat thread inside this process, stopped at the end of the block."""
    app.conf.worker_soft_shutdown_timeout = 0  # what is cut off here is swept up at the next start
    worker = app.WorkController(
        pool="threads", concurrency=concurrency, queues=["work", "mail", "jobs"], loglevel="WARNING",
        without_gossip=True, without_mingle=True, without_heartbeat=True,
    )  # fmt: skip
    beat = EmbeddedService(app, thread=True)
    threading.Thread(target=worker.start, name="worker", daemon=True).start()
    beat.start()
    app.send_task("kernel.beat_heartbeat")  # so that the front page knows of the worker at once
    try:
        yield
    finally:
        beat.stop()
        worker.stop()
