"""What this room hears of through the outbox."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.errors import BancaleError
from config.kernel.outbox import Owed, Suppressed, subscribe
from config.kernel.results import Results
from inventory.services.alerts import refresh_alerts
from inventory.services.digests import DIGEST_DUE, DIGEST_MAIL, send_digests
from inventory.services.levels import REORDER_POINT_CROSSED

LOW_STOCK = "inventory.low_stock"
BY_RULE = Actor.rule("stock")


def register() -> None:
    """Subscribe; called once from `AppConfig.ready()`."""
    subscribe(LOW_STOCK, [REORDER_POINT_CROSSED], refresh_crossed)
    subscribe(DIGEST_MAIL, [DIGEST_DUE], send_digests, lane="mail")


def refresh_crossed(owed: Sequence[Owed]) -> Results[int]:
    """Raise or clear the alerts of levels that crossed their reorder point, as they stand now."""
    answers = in_batches(refresh_alerts, [one.subject_id for one in owed], actor=BY_RULE)
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
    return refusal if refusal.code == "conflict" else Suppressed(str(refusal))
