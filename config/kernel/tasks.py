"""Celery's doors to the kernel. They carry ids; the rows say what is owed."""

from celery import shared_task

from config.kernel import jobs, outbox
from config.kernel.heartbeat import beat


@shared_task(name="kernel.deliver_outbox")
def deliver_outbox(lane: str) -> None:
    beat("worker")
    outbox.deliver_due(lane)


@shared_task(name="kernel.sweep_outbox")
def sweep_outbox() -> None:
    """Reclaim what a dead worker held, then deliver whatever is due."""
    beat("worker")
    outbox.reclaim()
    for lane in outbox.LANES:
        outbox.deliver_due(lane)


@shared_task(name="kernel.run_job")
def run_job(job_id: int) -> None:
    beat("worker")
    jobs.run_job(job_id)


@shared_task(name="kernel.sweep_jobs")
def sweep_jobs() -> None:
    """Run the jobs whose message was lost or whose worker died."""
    for job_id in jobs.due_job_ids():
        jobs.run_job(job_id)


@shared_task(name="kernel.beat_heartbeat")
def beat_heartbeat() -> None:
    """Came through beat and a worker, so both are alive."""
    beat("beat")
    beat("worker")
