"""Take orders in from files, as a shop's webhook would bring them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels.bodies import split_bodies
from channels.services.intake import Body, take_in
from config.kernel.actors import Actor
from config.kernel.batches import MAX_BATCH
from config.kernel.errors import BancaleError
from config.kernel.results import Results
from orders.models import SalesChannel


class Command(BaseCommand):
    help = "Store, read and accept the orders of JSON files (one order, or a list) of a sales channel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("channel", help="code of the sales channel, which decides how the files are read")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        channel = SalesChannel.objects.filter(code=options["channel"]).first()
        if channel is None:
            known = ", ".join(SalesChannel.objects.values_list("code", flat=True)) or "none"
            raise CommandError(f"no sales channel “{options['channel']}”; there are: {known}")
        bodies, unreadable = self._bodies(options["files"])
        results: Results[str] = Results()
        for start in range(0, len(bodies), MAX_BATCH):
            part = bodies[start : start + MAX_BATCH]
            actor = Actor.channel(channel.pk, channel.name)
            results.absorb(take_in(part, sales_channel_id=channel.pk, door="file", actor=actor))
        for key, problem in results.refusals.items():
            self.stderr.write(f"{key}: {problem}")
        counts = results.counts()
        self.stdout.write(
            f"{counts['done']} accepted, {counts['unchanged']} known already, "
            f"{counts['refused'] + unreadable} refused"
        )
        if results.refusals or unreadable:
            raise CommandError("some orders were refused; their bodies are kept as raw orders", returncode=1)

    def _bodies(self, files: list[Path]) -> tuple[list[Body], int]:
        bodies: list[Body] = []
        unreadable = 0
        for file in files:
            try:
                texts = split_bodies(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, BancaleError) as error:
                self.stderr.write(f"{file}: {error}")
                unreadable += 1
                continue
            bodies += [Body(f"{file}#{place}", text) for place, text in enumerate(texts, start=1)]
        return bodies, unreadable
