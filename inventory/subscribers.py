"""What this room hears of through the outbox."""

from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.answers import answer_by_subject
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, subscribe
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
    return answer_by_subject(owed, answers)
