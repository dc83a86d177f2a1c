"""How long the state machines run: `BANCALE_PROPERTY_PROFILE` chooses, `BANCALE_PROPERTY_SEED` repeats a run.

    pytest tests/statemachines                                         # ci: 60 examples of up to 30 steps
    BANCALE_PROPERTY_PROFILE=deep pytest -s tests/statemachines        # 300 examples of up to 50 steps

The seed of `ci` is fixed, so that a run is the same on every machine; `deep` takes a new one each time. Either is
printed with the size (`-s` shows it for a run that passes), and a failure prints the steps that lead to it.
"""

import os
import random
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

PROFILE, SEED = "BANCALE_PROPERTY_PROFILE", "BANCALE_PROPERTY_SEED"


@dataclass(frozen=True, slots=True)
class Size:
    examples: int
    steps: int
    seed: int | None = None


SIZES = {"ci": Size(60, 30, seed=20260302), "deep": Size(300, 50)}


def run(machine: type[RuleBasedStateMachine]) -> None:
    """Run a machine at the chosen size; a failure is shrunk to the fewest steps."""
    name = os.environ.get(PROFILE, "ci")
    size = SIZES[name]
    given = os.environ.get(SEED)
    number = int(given) if given else size.seed or random.SystemRandom().randrange(2**32)
    print(f"{machine.__name__}: {name}, {size.examples} examples of {size.steps} steps, {SEED}={number}")
    run_at(machine, examples=size.examples, steps=size.steps, number=number)


def run_at(
    machine: type[RuleBasedStateMachine], *, examples: int, steps: int, number: int, is_shrunk: bool = True
) -> None:
    """Run a machine with this seed; unshrunk, it ends at the first failure as it was found."""
    phases = [Phase.generate, *([Phase.shrink] if is_shrunk else [])]
    seeded = seed(number)(type(machine.__name__, (machine,), {}))
    run_state_machine_as_test(
        seeded,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
