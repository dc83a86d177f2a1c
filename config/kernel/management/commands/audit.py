import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.kernel.audit import INVARIANTS, run_audit


class Command(BaseCommand):
    help = "Check every invariant: a line and a time each, exit 1 on a violation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("codes", nargs="*", help="only these invariants")
        parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := [code for code in options["codes"] if code not in INVARIANTS]:
            raise CommandError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(INVARIANTS))}")
        broken = 0
        report = []
        for finding in run_audit(options["codes"]):
            broken += bool(finding.violations)
            found = [{"subject": v.subject, "detail": v.detail} for v in finding.violations]
            report.append({"code": finding.invariant.code, "seconds": finding.seconds, "violations": found})
            if not options["json"]:
                self._line(finding)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=1))
        else:
            self.stdout.write(f"{len(report)} invariants, {broken} broken")
        if broken:
            raise SystemExit(1)

    def _line(self, finding: Any) -> None:
        mark = "BROKEN" if finding.violations else "ok"
        code, title = finding.invariant.code, finding.invariant.title
        self.stdout.write(f"{mark:>6}  {finding.seconds:7.3f} s  {code:<26} {title}")
        for violation in finding.violations[:20]:
            self.stdout.write(f"{'':>19}{violation.subject}: {violation.detail}")
