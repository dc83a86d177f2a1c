"""`manage.py doctor`, for callers inside Django; from a shell the bootstrap runs it before the settings load."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import doctor


class Command(BaseCommand):
    help = "List every configuration fault at once, each with its variable and its fix."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        faults = doctor.all_faults()
        self.stdout.write(doctor.report(faults), ending="")
        if faults:
            raise CommandError(f"{len(faults)} to mend", returncode=1)
