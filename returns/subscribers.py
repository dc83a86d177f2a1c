"""What this room hears of through the outbox."""

from collections import defaultdict
from collections.abc import Sequence

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from config.kernel.outbox import Owed, subscribe
from config.kernel.results import Results
from orders.services.voiding import VOIDED
from returns.enums import ORDER_VOID
from returns.models import Rma
from returns.services.approving import cancel_returns
from returns.states import CANCEL

CALL_OFF = "returns.call_off"


def register() -> None:
    """Subscribe; called once from `AppConfig.ready()`."""
    subscribe(CALL_OFF, [VOIDED], call_returns_off)


def call_returns_off(owed: Sequence[Owed]) -> Results[int]:
    """Cancel the returns of orders that never were, of which nothing has arrived; a second delivery finds none."""
    results: Results[int] = Results(one.delivery_id for one in owed)
    rows = Rma.objects.filter(order__in=[one.subject_id for one in owed], status__in=CANCEL.sources)
    mine: dict[int, list[int]] = defaultdict(list)
    for pk, order_id in rows.order_by("pk").values_list("pk", "order_id"):
        mine[order_id].append(pk)
    wanted = [pk for ids in mine.values() for pk in ids]
    answers = in_batches(cancel_returns, wanted, reason=ORDER_VOID, actor=Actor.system("order void"))
    for one in owed:
        refused = [answers.refusals[pk] for pk in mine.get(one.subject_id, ()) if pk in answers.refusals]
        if refused:
            results.refuse(one.delivery_id, refused[0])
        elif one.subject_id in mine:
            results.done(one.delivery_id)
        else:
            results.unchanged(one.delivery_id)
    return results
