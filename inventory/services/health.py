"""The stock room's invariants, checked by a job that keeps what each said last."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.audit import INVARIANTS, run_audit
from config.kernel.enums import JobState
from config.kernel.jobs import JobRun, enqueue_job
from config.kernel.models import Job
from inventory.models import StockCheck

CHECK = "inventory.check_stock"
CHECK_JOB = "stock_check"
PREFIX = "stock."
EVERY_NIGHT_AT = time(2, 30)


def stock_codes() -> list[str]:
    """The invariants of this room."""
    return sorted(code for code in INVARIANTS if code.startswith(PREFIX))


def start_stock_check(title: str, *, actor: Actor) -> int:
    """Have every invariant of the room checked by a job; returns the id of the one that is under way, if one is.

    Raises `NotAllowed`.
    """
    actor.require(CHECK)
    alive = Job.objects.filter(kind=CHECK_JOB, state__in=[JobState.QUEUED, JobState.RUNNING])
    found = alive.order_by("pk").values_list("pk", flat=True).first()
    if found is not None:
        return int(found)
    return enqueue_job(CHECK_JOB, title=title, params={}, actor=actor, total=len(stock_codes()))


def check_stock(run: JobRun) -> Mapping[str, Any]:
    """Check one invariant after the other and write down what it said. Checking again changes nothing else."""
    total, broken = len(stock_codes()), []
    for number, (code, found) in enumerate(check_rules(), start=1):
        if found:
            broken.append(code)
            run.log(f"{code}: {found}")
        run.progress(number, total)
    return {"checked": total, "broken": broken}


def check_rules() -> Iterator[tuple[str, int]]:
    """Check each invariant of the room when it is asked for; (code, violations), written down already."""
    codes = stock_codes()
    for code in codes:
        (finding,) = run_audit([code])
        found = [[one.subject, one.detail] for one in finding.violations]
        StockCheck.objects.update_or_create(
            code=code,
            defaults={
                "checked_at": clock.now(),
                "milliseconds": round(finding.seconds * 1000),
                "violation_count": len(found),
                "violations": found,
            },
        )
        yield code, len(found)
    StockCheck.objects.exclude(code__in=codes).delete()


def is_check_due() -> bool:
    """Whether an invariant has not been checked since the last night's hour (UTC)."""
    at = clock.now()
    due: datetime = datetime.combine(at.date(), EVERY_NIGHT_AT, tzinfo=at.tzinfo)
    since = due if at >= due else due - timedelta(days=1)
    fresh = StockCheck.objects.filter(code__in=stock_codes(), checked_at__gte=since).count()
    return fresh < len(stock_codes())
