"""Import a file of orders as the admin does: upload, check, then apply and finish where that is asked."""

import time
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.kernel import jobs
from config.kernel.actors import Actor
from config.kernel.enums import JobState
from config.kernel.errors import BancaleError
from config.kernel.languages import readers_words
from config.kernel.models import Job
from config.kernel.money import round_money
from orders.enums import ImportMode, ImportPlan, ImportPolicy, ImportStatus
from orders.models import ImportProblem, ImportRun, SalesChannel
from orders.services.importing.applying import apply_runs
from orders.services.importing.failed_rows import failed_rows
from orders.services.importing.finishing import finish_runs
from orders.services.importing.mapping import Columns, map_columns, start_check
from orders.services.importing.uploading import Upload, upload_file
from orders.sheets.problems import Problem, sentence
from orders.sheets.values import DateStyle, NumberStyle

ACTOR = Actor.system("import command")
SHOWN = 20
LIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class Command(BaseCommand):
    help = "Import orders from a CSV or XLSX file: always checked whole, applied only when asked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--channel", required=True, help="code of the sales channel")
        parser.add_argument(
            "--history", action="store_true", help="completed orders: no mail, no stock, no hold"
        )
        parser.add_argument(
            "--apply",
            choices=["all-or-nothing", "good-ones"],
            help="apply after the check; without it the file is only checked",
        )
        parser.add_argument("--finish", action="store_true", help="do not wait 15 minutes for a roll back")
        parser.add_argument("--column", action="append", default=[], metavar="FIELD=HEADING")
        parser.add_argument("--numbers", choices=[style.value for style in NumberStyle], default="")
        parser.add_argument("--dates", choices=[style.value for style in DateStyle], default="")
        parser.add_argument("--tax", choices=["included", "added"], help="whether prices include tax")
        parser.add_argument("--failed", type=Path, metavar="FILE", help="write the failed rows here")

    def handle(self, *args: Any, **options: Any) -> None:
        channel = SalesChannel.objects.filter(code=options["channel"]).first()
        if channel is None:
            known = ", ".join(SalesChannel.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"no sales channel “{options['channel']}”; there are: {known}")
        try:
            run_id = self._upload(options, channel.pk)
            self._check(run_id, options)
            if options["apply"]:
                self._apply(run_id, options)
        except BancaleError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        run = ImportRun.objects.get(pk=run_id)
        if options["failed"]:
            with options["failed"].open("w", encoding="utf-8", newline="") as out:
                out.writelines(failed_rows(run))
        if run.summary.get("bad"):
            raise CommandError(f"orders or rows with problems: {run.summary['bad']}", returncode=1)

    def _upload(self, options: dict[str, Any], channel_id: int) -> int:
        mode = ImportMode.HISTORY if options["history"] else ImportMode.LIVE
        path: Path = options["file"]
        with path.open("rb") as file:
            run_id = upload_file(file, Upload(path.name, channel_id, mode), actor=ACTOR)
        run = ImportRun.objects.get(pk=run_id)
        if run.job_id and not run.reading:
            self._work(run.job_id)
            run.refresh_from_db()
        if run.error:
            raise CommandError(readers_words(run.error))
        reading = run.reading
        self.stdout.write(
            f"import {run_id}: {reading['kind']} {reading['encoding']} separator {reading['separator']!r}, "
            f"heading on line {reading['header_line']}, layout {run.profile or 'by its headings'}"
        )
        return run_id

    def _check(self, run_id: int, options: dict[str, Any]) -> None:
        run = ImportRun.objects.get(pk=run_id)
        given = dict(one.split("=", 1) for one in options["column"] if "=" in one)
        taxes = {"included": True, "added": False, None: run.prices_include_tax}
        columns = Columns(
            {**run.columns, **given}, options["numbers"] or run.number_style,
            options["dates"] or run.date_style, taxes[options["tax"]],
        )  # fmt: skip
        map_columns(run_id, columns, actor=ACTOR)
        started = time.monotonic()
        self._work(start_check(run_id, actor=ACTOR))
        run.refresh_from_db()
        if run.question:
            asked = "; ".join(f"--{name}s: {', '.join(some)}" for name, some in run.question.items())
            raise CommandError(f"the file can be read in two ways, say which: {asked}")
        if run.status != ImportStatus.CHECKED:
            raise CommandError(readers_words(run.error) or "the check was stopped")
        self._say(run, time.monotonic() - started)

    def _say(self, run: ImportRun, seconds: float) -> None:
        plans = run.summary["plans"]
        counts = ", ".join(
            f"{plans[plan]['orders']} to {plan.label.lower()}" for plan in ImportPlan if plan in plans
        )
        rows = _counted(run.summary["rows"], "row")
        self.stdout.write(f"checked {rows} in {seconds:.1f} s: {counts or 'no orders'}")
        for total in run.summary["totals"]:
            self.stdout.write(
                f"  {total['plan']}: {_counted(total['orders'], 'order')}, {_counted(total['units'], 'unit')}, "
                f"{_exact(total['total'], total['currency'])}"
            )
        problems = ImportProblem.objects.filter(run=run).order_by("line", "pk")
        for one in problems[:SHOWN]:
            words = sentence(Problem(one.code, one.line, one.column, one.value, one.more))
            self.stderr.write(f"line {one.line}: {words}")
        if (count := problems.count()) > SHOWN:
            self.stderr.write(f"… and {count - SHOWN} more problems")

    def _apply(self, run_id: int, options: dict[str, Any]) -> None:
        policy = ImportPolicy(options["apply"].replace("-", "_"))
        started = time.monotonic()
        self._work(apply_runs([run_id], policy=policy, actor=ACTOR).only())
        run = ImportRun.objects.get(pk=run_id)
        seconds = time.monotonic() - started
        self.stdout.write(
            f"{run.get_status_display()} after {seconds:.1f} s: {_counted(run.orders.count(), 'order')} made"
        )
        if options["finish"] and run.status == ImportStatus.APPLIED:
            job_id = finish_runs([run_id], actor=ACTOR).only()
            if job_id:
                self._work(job_id)
            self.stdout.write("finished")

    def _work(self, job_id: int) -> None:
        """Do a job here, unless a worker took it first; then wait for that."""
        while True:
            if not jobs.run_job(job_id):
                time.sleep(0.2)
            job = Job.objects.get(pk=job_id)
            if job.state not in LIVE_STATES:
                break
        if job.state == JobState.FAILED:
            raise CommandError(job.error)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _exact(amount: str, currency: str) -> str:
    """An amount in whole coins of its currency; where a file has parts of coins, as it is."""
    coins = round_money(Decimal(amount), currency)
    return f"{coins if coins == Decimal(amount) else amount} {currency}"
