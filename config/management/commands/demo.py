import logging
import signal
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from config.demo import business, logins, serving
from config.demo.trickle import Trickle
from fulfillment.services.reports import refresh_stage_times
from inventory.services.health import check_rules
from orders.services.reports import refresh_daily_sales


class Command(BaseCommand):
    help = "A running system with a sample business: web, worker and beat in one process, on loopback."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="first port to try (default 8000)")
        parser.add_argument("--reset", action="store_true", help="start over: drop the demo's data first")
        parser.add_argument("--load-only", action="store_true", help="load the sample business and stop")
        parser.add_argument("--no-trickle", action="store_true", help="no new orders while it runs")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.REDIS_URL and not options["load_only"]:
            raise CommandError("The demo runs its own worker: unset BANCALE_REDIS_URL, or use --load-only.")
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        if not logins.is_the_demos(settings.DATA_DIR):
            raise CommandError(
                "This database has people whom the demo did not make, so it is left alone: "
                "unset DATABASE_URL, or give the demo a folder of its own with BANCALE_DATA_DIR."
            )
        if options["reset"]:
            self._reset()
        self._step("Database", lambda: call_command("migrate", verbosity=0, interactive=False))
        people = logins.ensure_logins(settings.DATA_DIR)
        if options["load_only"]:
            self._load()
        else:
            self._serve(people, options)

    def _load(self) -> None:
        try:
            self._step("Sample business", lambda: business.load(self._progress))
            self._step("Figures", _count)
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped halfway through the sample: “manage.py demo --reset” starts over."
            ) from None

    def _reset(self) -> None:
        if connection.vendor == "sqlite":
            connections.close_all()
            for ending in ("", "-wal", "-shm"):
                Path(f"{connection.settings_dict['NAME']}{ending}").unlink(missing_ok=True)
        else:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("flush", verbosity=0, interactive=False)
        (settings.DATA_DIR / logins.FILE).unlink(missing_ok=True)
        self.stdout.write("Started over: the demo's data is gone.")

    def _step(self, title: str, work: Any) -> None:
        started = time.perf_counter()
        told = work()
        self.stdout.write(f"{title}: {told or 'ready'} ({time.perf_counter() - started:.1f} s)")
        self.stdout.flush()

    def _progress(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()

    def _serve(self, people: dict[str, str], options: dict[str, Any]) -> None:
        server = serving.bind(options["port"])
        port = server.server_address[1]
        if port != options["port"]:
            self.stdout.write(f"Port {options['port']} is taken, using {port}.")
        stop = threading.Event()
        for noisy in ("celery", "kombu"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        threading.Thread(target=server.serve_forever, name="web", daemon=True).start()
        self._announce(port, people)
        # The pages are there while they fill up; workers would take the past for the present, and wait for its end.
        self._load()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with serving.workers():
            trickle = None if options["no_trickle"] else Trickle(stop)
            if trickle:
                trickle.start()
            stop.wait()
            self.stdout.write("Stopping …")
            server.shutdown()
            if trickle:
                trickle.join(timeout=10)

    def _announce(self, port: int, people: dict[str, str]) -> None:
        self.stdout.write(f"\nBancale runs at http://{serving.HOST}:{port}/\n")
        for name, password in people.items():
            self.stdout.write(f"  {name:<8} {password}")
        self.stdout.write(f"\nMails land in {settings.EMAIL_FILE_PATH}. Ctrl-C stops it; the data stays.\n")
        self.stdout.flush()


def _count() -> None:
    """What the sweeps of a running system keep."""
    refresh_daily_sales(None)
    refresh_stage_times()
    list(check_rules())
