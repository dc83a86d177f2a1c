"""How long a fuzzer looks: `FUZZ_SECONDS` as the whole suite sets it, else a moment."""

import os
import time
from collections.abc import Callable, Sequence

SECONDS = int(os.environ.get("FUZZ_SECONDS", "4"))


def for_a_while(checks: Sequence[Callable[[], object]], seconds: float = SECONDS) -> int:
    """Run the checks in turn, each with new examples, until the time is up; returns how many rounds were made."""
    end, rounds = time.monotonic() + seconds, 0
    while rounds == 0 or time.monotonic() < end:
        for check in checks:
            check()
        rounds += 1
    return rounds
