"""Why a file could not be read through, said on its run."""

from django.db import transaction

from config.kernel.errors import BancaleError
from config.kernel.languages import kept_words
from orders.enums import ImportStatus
from orders.models import ImportRun
from orders.services.importing.runs import lock_runs


def note_failure(run_id: int, reason: BancaleError) -> None:
    """Keep the reason; the run waits as it is for another try or for its end."""
    with transaction.atomic():
        for run in lock_runs([run_id]):
            if run.status == ImportStatus.UPLOADED:
                ImportRun.objects.filter(pk=run_id).update(error=kept_words(reason, 2000))
