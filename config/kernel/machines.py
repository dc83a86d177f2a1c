"""The kernel's own machines: an outbox delivery and a job."""

from django.utils.translation import gettext_lazy as _

from config.kernel.enums import DeliveryState, JobState
from config.kernel.states import Edge, Machine, register

S = DeliveryState
SETTLE = "kernel.change_delivery"

CLAIM = Edge("claim", frozenset({S.DUE, S.FAILED}), S.IN_FLIGHT, SETTLE, _("Try"))
DELIVER = Edge(
    "deliver", frozenset({S.IN_FLIGHT, S.UNKNOWN, S.DEAD}), S.DELIVERED, SETTLE, _("Mark as delivered")
)
FAIL = Edge("fail", frozenset({S.IN_FLIGHT}), S.FAILED, SETTLE, _("Fail"))
BURY = Edge("bury", frozenset({S.IN_FLIGHT}), S.DEAD, SETTLE, _("Give up"))
LOSE_TRACK = Edge("lose_track", frozenset({S.IN_FLIGHT}), S.UNKNOWN, SETTLE, _("Outcome unknown"))
RETRY = Edge("retry", frozenset({S.DEAD, S.UNKNOWN, S.FAILED}), S.DUE, SETTLE, _("Try again"), "primary")
SUPPRESS = Edge(
    "suppress",
    frozenset({S.DUE, S.FAILED, S.DEAD, S.UNKNOWN, S.IN_FLIGHT}),
    S.SUPPRESSED,
    SETTLE,
    _("Suppress"),
    "risk",
)

DELIVERY = register(
    Machine(
        name="delivery",
        model="kernel.Delivery",
        statuses=DeliveryState,
        initial=frozenset({S.DUE}),
        edges=(CLAIM, DELIVER, FAIL, BURY, LOSE_TRACK, RETRY, SUPPRESS),
        thread=("delivery", "pk"),
        field="state",
        writes_events=False,
    )
)

J = JobState
RUN_JOB = "kernel.change_job"

START = Edge("start", frozenset({J.QUEUED, J.RUNNING}), J.RUNNING, RUN_JOB, _("Start"))
FINISH = Edge("finish", frozenset({J.RUNNING}), J.DONE, RUN_JOB, _("Finish"))
BREAK = Edge("break", frozenset({J.RUNNING}), J.FAILED, RUN_JOB, _("Fail"))
CANCEL_JOB = Edge("cancel", frozenset({J.QUEUED, J.RUNNING}), J.CANCELLED, RUN_JOB, _("Cancel"), "risk")
RETRY_JOB = Edge("retry", frozenset({J.FAILED, J.CANCELLED}), J.QUEUED, RUN_JOB, _("Run again"), "primary")

JOB = register(
    Machine(
        name="job",
        model="kernel.Job",
        statuses=JobState,
        initial=frozenset({J.QUEUED}),
        edges=(START, FINISH, BREAK, CANCEL_JOB, RETRY_JOB),
        thread=("job", "pk"),
        field="state",
        writes_events=False,
    )
)
