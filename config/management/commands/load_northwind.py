import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.kernel.errors import BancaleError
from config.northwind.loading import load
from config.northwind.reading import read_book
from config.northwind.totals import Totals, stored_totals


class Command(BaseCommand):
    help = "Load the Northwind order book (830 orders) through the verbs, as a live replay or as history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="folder with the Northwind CSV files")
        parser.add_argument(
            "--history", action="store_true", help="shipped orders enter completed, the rest live"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            load(
                read_book(folder),
                as_history=options["history"],
                say=lambda text: self.stdout.write(f"  {text}"),
            )
        except BancaleError as error:
            raise CommandError(str(error)) from error
        totals = stored_totals()
        self.stdout.write(
            f"{totals.orders} orders, {totals.lines} lines, gross {totals.gross}, net {totals.net}, "
            f"freight {totals.freight}, {totals.unshipped} not shipped"
            + ("" if totals.late is None else f", {totals.late} shipped late")
        )
        if (facts := folder / "facts.json").is_file():
            self._compare(totals, json.loads(facts.read_text(), parse_float=Decimal))

    def _compare(self, totals: Totals, facts: dict[str, Any]) -> None:
        told = totals.as_facts()
        wrong = [
            f"{name}: {told[name]} instead of {facts[name]}" for name in told if told[name] != facts[name]
        ]
        if wrong:
            raise CommandError("The totals differ from facts.json: " + "; ".join(wrong))
        self.stdout.write(f"Equal to facts.json in {', '.join(told)}.")
