from config.kernel.models.access import RecoveryCode, StaffSession
from config.kernel.models.columns import ChosenColumns
from config.kernel.models.events import Event
from config.kernel.models.exports import Export
from config.kernel.models.jobs import Heartbeat, Job, JobLine
from config.kernel.models.keys import DocumentCounter, IdempotencyKey
from config.kernel.models.outbox import Attempt, Delivery, Fact
from config.kernel.models.versioned import Versioned
from config.kernel.models.views import SavedView

__all__ = [
    "Attempt",
    "ChosenColumns",
    "Delivery",
    "DocumentCounter",
    "Event",
    "Export",
    "Fact",
    "Heartbeat",
    "IdempotencyKey",
    "Job",
    "JobLine",
    "RecoveryCode",
    "SavedView",
    "StaffSession",
    "Versioned",
]
