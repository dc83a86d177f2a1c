"""Random days in a line of waiting buyers; what the machine over them finds is the answer."""

from tests.statemachines.queue import QueueMachine
from tests.statemachines.size import run_at

EXAMPLES, STEPS, SEED = 12, 25, 20260302


def wait_in_line() -> list[str]:
    """Orders join, are moved and changed by proposals, goods come and go, in any order."""
    try:
        run_at(QueueMachine, examples=EXAMPLES, steps=STEPS, number=SEED, is_shrunk=False)
    except AssertionError as error:
        return [str(error).splitlines()[0]]
    return []
