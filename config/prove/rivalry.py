"""Calls that rivals make at the same moment, and the words in which they answer."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.db import OperationalError

from config.kernel.errors import BancaleError
from config.kernel.results import Results
from config.prove.crew import Crew

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
    answers = crew.run(call_one, [*calls, *spare])
    return Counter(answers[: len(calls)])
