"""The jobs of the import desk: what each does with its run, and what it says when a file refuses."""

from collections.abc import Callable, Mapping
from typing import Any

from config.kernel.actors import Actor
from config.kernel.jobs import JobRun, register_job
from orders.errors import ImportStopped
from orders.services.importing.applying import APPLY_JOB, apply_run
from orders.services.importing.checking import check_run
from orders.services.importing.failing import note_failure
from orders.services.importing.finishing import FINISH_JOB, let_go
from orders.services.importing.mapping import CHECK_JOB
from orders.services.importing.rolling_back import ROLL_BACK_JOB, take_back
from orders.services.importing.uploading import READ_JOB, read_upload
from orders.sheets.problems import UnreadableFile


def register() -> None:
    """Register the jobs; called once from `AppConfig.ready()`."""
    register_job(READ_JOB, _job(lambda run_id, _run, _actor: read_upload(run_id)))
    register_job(CHECK_JOB, _job(lambda run_id, run, actor: check_run(run_id, run, actor=actor)))
    register_job(APPLY_JOB, _job(lambda run_id, run, actor: apply_run(run_id, run, actor=actor)))
    register_job(FINISH_JOB, _job(lambda run_id, run, _actor: let_go(run_id, run)))
    register_job(ROLL_BACK_JOB, _job(lambda run_id, run, _actor: take_back(run_id, run)))


def _job(step: Callable[[int, JobRun, Actor], object]) -> Callable[[JobRun], Mapping[str, Any]]:
    """A step as a job: what the file itself refuses stands on the run, in words."""

    def work(run: JobRun) -> Mapping[str, Any]:
        run_id = int(run.params["run"])
        try:
            step(run_id, run, run.actor)
        except UnreadableFile as error:
            note_failure(run_id, error)
            run.log(error)
        except ImportStopped as error:
            run.log(error)
        return {"run": run_id}

    return work
