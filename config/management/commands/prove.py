"""`manage.py prove oversell|races`: proofs on the configured PostgreSQL, in a database of their own."""

import random
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.prove import oversell, races
from config.prove.database import CannotProve, own_database
from config.prove.figures import Figures, audit_figures
from config.prove.shop import open_shop


class Command(BaseCommand):
    help = "Prove on real PostgreSQL that nothing is sold twice, whoever races and whatever is killed."

    def add_arguments(self, parser: CommandParser) -> None:
        proofs = parser.add_subparsers(dest="proof", required=True)
        for name in ("oversell", "races"):
            proof = proofs.add_parser(name)
            proof.add_argument("--seed", type=int, help="repeat the dice of an earlier run")
            if name == "races":
                proof.add_argument("--rounds", type=int, default=50, help="each race so often (default 50)")
            if name == "oversell":
                proof.add_argument("--rounds", type=int, default=1)
                proof.add_argument("--processes", type=int, default=16)
                proof.add_argument("--attempts", type=int, default=1_600, help="a round (default 1600)")
                proof.add_argument("--units", type=int, default=500, help="there are (default 500)")
                proof.add_argument(
                    "--control",
                    action="store_true",
                    help="without protection; succeeds when it is seen to fail",
                )

    def handle(self, *args: Any, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else random.SystemRandom().randrange(10**6)
        self.stdout.write(f"prove {options['proof']}, seed {seed}")
        try:
            with own_database() as name:
                self.stdout.write(f"database {name}, migrated")
                broken = self._show(self._figures(options, seed))
        except CannotProve as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if options.get("control"):
            self._judge_control(broken)
        elif broken:
            raise CommandError(f"{len(broken)} violations, seed {seed}")
        else:
            self.stdout.write(f"Proven: 0 violations, seed {seed}")

    def _figures(self, options: dict[str, Any], seed: int) -> Iterator[Figures]:
        if options["proof"] == "oversell":
            sizes = (options[name] for name in ("processes", "attempts", "units", "rounds"))
            if options["control"]:
                oversell.drop_check_constraint()
            yield from oversell.prove(open_shop(), oversell.Size(*sizes), seed, is_control=options["control"])
        elif options["proof"] == "races":
            yield from races.prove(open_shop(), options["rounds"], seed)
        yield audit_figures()

    def _show(self, parts: Iterator[Figures]) -> list[str]:
        broken = []
        for figures in parts:
            self.stdout.write("\n" + figures.table())
            self.stdout.flush()
            broken += figures.broken
        self.stdout.write("")
        return broken

    def _judge_control(self, broken: list[str]) -> None:
        if not any("oversold" in sentence for sentence in broken):
            raise CommandError(
                "The control did not oversell: this proof would not have noticed a missing lock."
            )
        self.stdout.write(f"The control failed as it must: {len(broken)} violations without the protection.")
