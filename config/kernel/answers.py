"""What a verb said of subjects, as the answer to the deliveries that named them."""

from collections.abc import Sequence

from config.kernel.errors import BancaleError
from config.kernel.outbox import Owed, Suppressed
from config.kernel.results import Results


def answer_by_subject(owed: Sequence[Owed], answers: Results[int]) -> Results[int]:
    """Answer each delivery as the verb answered its subject; a subject it was not asked about is unchanged."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    for one in owed:
        refusal = answers.refusals.get(one.subject_id)
        if refusal is not None:
            results.refuse(one.delivery_id, _as_answer(refusal))
        elif answers.is_done(one.subject_id):
            results.done(one.delivery_id)
        else:
            results.unchanged(one.delivery_id)
    return results


def _as_answer(refusal: BancaleError) -> BancaleError:
    """A conflict is tried again; any other refusal would stay the same."""
    return refusal if refusal.code == "conflict" else Suppressed("%(why)s", why=refusal)
