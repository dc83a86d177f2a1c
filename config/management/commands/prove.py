"""`manage.py prove oversell|races`: proofs on the configured PostgreSQL, in a database of their own; and
`manage.py prove kills`, on servers of its own."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.prove import oversell, races
from config.prove.database import CannotProve, own_database
from config.prove.figures import WITHOUT_WORKER, Figures, audit_figures
from config.prove.kills import proof as kills
from config.prove.kills.faults import Counts
from config.prove.kills.stage import Stage, private_stage
from config.prove.shop import open_shop

# What the proofs' controls must be seen to do.
SEEN_TO = {"oversell": "oversold", "kills": "lost", "races": "failed"}


class Command(BaseCommand):
    help = "Prove on real PostgreSQL that nothing is sold twice, whoever races and whatever is killed."

    def add_arguments(self, parser: CommandParser) -> None:
        proofs = parser.add_subparsers(dest="proof", required=True)
        for name in ("oversell", "races", "kills"):
            proof = proofs.add_parser(name)
            proof.add_argument("--seed", type=int, help="repeat the dice of an earlier run")
            if name == "races":
                proof.add_argument("--rounds", type=int, default=50, help="each race so often (default 50)")
            if name == "oversell":
                proof.add_argument("--rounds", type=int, default=1)
                proof.add_argument("--processes", type=int, default=16)
                proof.add_argument("--attempts", type=int, default=1_600, help="a round (default 1600)")
                proof.add_argument("--units", type=int, default=500, help="there are (default 500)")
            if name == "kills":
                self._add_faults(proof)
            proof.add_argument(
                "--control", action="store_true", help="without protection; succeeds when it is seen to fail"
            )

    def _add_faults(self, proof: CommandParser) -> None:
        proof.add_argument("--kills", type=int, default=60, help="of web and worker processes (default 60)")
        proof.add_argument("--crashes", type=int, default=5, help="of PostgreSQL (default 5)")
        proof.add_argument("--flushes", type=int, default=5, help="of Redis (default 5)")
        proof.add_argument("--clients", type=int, default=4, help="who order at once (default 4)")
        proof.add_argument("--hasty", action="store_true", help="with leases and sweeps of seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        seed = options["seed"] if options["seed"] is not None else random.SystemRandom().randrange(10**6)
        self.stdout.write(f"prove {options['proof']}, seed {seed}")
        try:
            with self._figures(options, seed) as parts:
                broken = self._show(parts)
        except CannotProve as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        if options["control"]:
            missed = races.unnoticed(broken) if options["proof"] == "races" else []
            self._judge_control(broken, SEEN_TO[options["proof"]], missed)
        elif broken:
            raise CommandError(f"{len(broken)} violations, seed {seed}")
        else:
            self.stdout.write(f"Proven: 0 violations, seed {seed}")

    @contextmanager
    def _figures(self, options: dict[str, Any], seed: int) -> Iterator[Iterator[Figures]]:
        if options["proof"] == "kills":
            counts = Counts(options["kills"], options["crashes"], options["flushes"])
            plan = kills.Plan(counts, options["clients"], seed, options["hasty"], options["control"])
            with private_stage(app=plan.app) as stage:
                self.stdout.write(f"PostgreSQL on port {stage.postgres.port}, Redis at {stage.broker_url}")
                yield self._kills(stage, plan)
        else:
            with own_database() as name:
                self.stdout.write(f"database {name}, migrated")
                yield self._rivals(options, seed)

    def _kills(self, stage: Stage, plan: kills.Plan) -> Iterator[Figures]:
        yield from kills.prove(stage, plan)
        yield audit_figures()

    def _rivals(self, options: dict[str, Any], seed: int) -> Iterator[Figures]:
        if options["proof"] == "oversell":
            sizes = (options[name] for name in ("processes", "attempts", "units", "rounds"))
            if options["control"]:
                oversell.drop_check_constraint()
            yield from oversell.prove(open_shop(), oversell.Size(*sizes), seed, is_control=options["control"])
        else:
            yield from races.prove(open_shop(), options["rounds"], seed, is_control=options["control"])
        yield audit_figures(without=WITHOUT_WORKER)

    def _show(self, parts: Iterator[Figures]) -> list[str]:
        broken = []
        for figures in parts:
            self.stdout.write("\n" + figures.table())
            self.stdout.flush()
            broken += figures.broken
        self.stdout.write("")
        return broken

    def _judge_control(self, broken: list[str], sign: str, missed: list[str]) -> None:
        if missed or not any(sign in sentence for sentence in broken):
            where = f" of {', '.join(missed)}" if missed else ""
            raise CommandError(
                f"Nothing was {sign} in the control{where}: this proof would not have noticed a missing protection."
            )
        self.stdout.write(f"The control failed as it must: {len(broken)} violations without the protection.")
