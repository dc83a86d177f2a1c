"""Calls that rivals make at the same moment, and the words in which they answer."""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db import OperationalError, connection

from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.prove.crew import Crew
from inventory.services import levels

# A verb or another function of a module, its one positional argument, and the named ones.
Call = tuple[Callable[..., Any], Any, dict[str, Any]]


def call_one(call: Call | None) -> str:
    """In a rival process: make the call; "done", "unchanged", "mixed", or the name of the refusal."""
    if call is None:
        return ""
    function, first, named = call
    try:
        answer = function(first, **named)
    except (BancaleError, OperationalError) as error:
        return _name(error)
    return word(answer) if isinstance(answer, Results) else str(answer)


LOCK = re.compile(r" FOR (?:NO KEY )?UPDATE(?: OF [\w\", ]+?)?(?: NOWAIT| SKIP LOCKED)?(?=\s*(?:$|\)))")
# The control's time between reading a row and changing it, so that rivals meet.
PAUSE = 0.005


def call_unlocked(call: Call | None) -> str:
    """`call_one` without a single row lock, and without the condition on the units that are taken."""
    levels.ENOUGH_FREE = "1 = 1"
    with connection.execute_wrapper(_unlocked):
        try:
            return call_one(call)
        except Exception as error:
            return type(error).__name__


def _unlocked(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    bare = LOCK.sub("", sql)
    answer = execute(bare, params, many, context)
    if bare != sql:
        time.sleep(PAUSE)
    return answer


def _name(error: Exception) -> str:
    if isinstance(error, OperationalError):
        return getattr(error.__cause__, "sqlstate", None) or "OperationalError"
    return type(error).__name__


def word(results: Results[Any]) -> str:
    """One word for all units of a call, when they share one."""
    words = {type(error).__name__ for error in results.refusals.values()}
    words |= {"done"} if results.done_ids else set()
    words |= {"unchanged"} if results.unchanged_ids else set()
    return words.pop() if len(words) == 1 else "mixed"


def at_once(crew: Crew, calls: Sequence[Call]) -> Counter[str]:
    """Let rivals make these calls together, at most as many as there are; how often each word was answered."""
    spare: list[Call | None] = [None] * (crew.count - len(calls))
    answers = crew.run(call_unlocked if crew.is_control else call_one, [*calls, *spare])
    return Counter(answers[: len(calls)])
