"""What a verb would answer now, before anybody presses."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction

from config.kernel.batches import is_transient

T = TypeVar("T")


def rehearse(call: Callable[[], T]) -> T | None:
    """Run a verb and take back all that it wrote; its answer, or None where its locks did not come free.

    The decisions are the verb's own. Its rows are locked until it has answered, so keep to one batch; what runs
    after a commit does not run.
    """
    try:
        with transaction.atomic():
            answer = call()
            transaction.set_rollback(True)
    except OperationalError as error:
        if not is_transient(error):
            raise
        return None
    return answer
