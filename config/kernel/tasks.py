"""Celery's doors to the kernel. They carry ids; the rows say what is owed."""

from celery import shared_task

from config.kernel import exports, idempotency, jobs, outbox
from config.kernel.heartbeat import beat

# Two lanes and one last round each end well before the soft time limit, which would cut a mail off in the middle.
TURN_SECONDS = 40


@shared_task(name="kernel.deliver_outbox")
def deliver_outbox(lane: str) -> None:
    """Deliver what is due in a lane, after a look after the dead: the sweep stands behind everything that was asked."""
    beat("worker")
    outbox.reclaim_now_and_then()
    outbox.deliver_due(lane, seconds=TURN_SECONDS)


@shared_task(name="kernel.sweep_outbox")
def sweep_outbox() -> None:
    """Reclaim what a dead worker held, then deliver whatever is due."""
    beat("worker")
    outbox.reclaim()
    for lane in outbox.LANES:
        outbox.deliver_due(lane, seconds=TURN_SECONDS)


@shared_task(name="kernel.run_job")
def run_job(job_id: int) -> None:
    beat("worker")
    jobs.run_job(job_id)


@shared_task(name="kernel.sweep_jobs")
def sweep_jobs() -> None:
    """Ask again for the jobs whose message was lost or whose worker died."""
    jobs.dispatch_due()


@shared_task(name="kernel.beat_heartbeat")
def beat_heartbeat() -> None:
    """Came through beat and a worker, so both are alive."""
    beat("beat")
    beat("worker")


@shared_task(name="kernel.expire_exports")
def expire_exports() -> None:
    """Remove the files of exports of more than 30 days ago."""
    exports.expire_exports()


@shared_task(name="kernel.forget_keys")
def forget_keys() -> None:
    """Delete idempotency keys of more than 30 days ago, with what was answered."""
    idempotency.forget_old_keys()
