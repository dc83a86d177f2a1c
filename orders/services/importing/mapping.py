"""What the columns of a run mean, said by a person or by the ready map; and the check's start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel.actors import Actor
from config.kernel.batches import batch_transaction, verb
from config.kernel.errors import InvalidInput
from config.kernel.jobs import cancel_job, enqueue_job
from config.kernel.models import Job
from config.kernel.results import Results
from config.kernel.states import apply_transition
from orders.enums import ImportMode, ImportStatus, MoneyOwner
from orders.errors import ColumnsMissing, ImportStopped
from orders.models import ImportRun
from orders.services.importing.runs import expired, hold_runs, lock_runs, refuse_unknown_runs
from orders.services.importing.uploading import profile_of, remember
from orders.sheets.fields import BY_NAME, FIELDS
from orders.sheets.plan import Plan, Rules
from orders.sheets.values import DateStyle, NumberStyle
from orders.states import CANCEL_IMPORT, IMPORT, IMPORT_RUN, REMAP

CHECK_JOB = "orders.check_import"


@dataclass(frozen=True, slots=True)
class Columns:
    """Field → heading, and the ways of the file's values where a person said them ("" leaves it to the file)."""

    columns: Mapping[str, str]
    number_style: str = ""
    date_style: str = ""
    prices_include_tax: bool | None = None


def map_columns(run_id: int, given: Columns, *, actor: Actor) -> None:
    """Say what the columns mean and remember it for this heading; a checked run goes back to `uploaded`, and whatever a
    check has found out is read anew.

    Refuses: `ColumnsMissing`, `InvalidInput` for a heading that is not the file's; `ImportStopped`, `NotAllowed`.
    """
    actor.require(IMPORT)
    with transaction.atomic():
        run = _mappable(run_id)
        header = run.reading["header"]
        for name, heading in given.columns.items():
            if name not in BY_NAME or heading not in header:
                raise InvalidInput(field=name, value=heading, accepted=_("accepted are the file's headings"))
        if missing := missing_fields(given.columns):
            raise ColumnsMissing(fields=", ".join(missing))
        if run.status == ImportStatus.CHECKED:
            apply_transition(IMPORT_RUN, REMAP, [run], actor=actor)
        styles: dict[str, Any] = {
            "number_style": given.number_style,
            "date_style": given.date_style,
            "prices_include_tax": given.prices_include_tax,
        }
        run.columns = dict(given.columns)
        found: dict[str, Any] = {"summary": {}, "question": {}, "error": ""}
        ImportRun.objects.filter(pk=run.pk).update(columns=run.columns, **found, **styles)
        remember(run, styles)


def _mappable(run_id: int) -> ImportRun:
    runs = lock_runs([run_id])
    if not runs or runs[0].status not in (ImportStatus.UPLOADED, ImportStatus.CHECKED) or not runs[0].reading:
        return hold_runs([run_id], status=ImportStatus.UPLOADED)[0]
    if (gone := expired(runs[0])) is not None:
        raise gone
    return runs[0]


def missing_fields(columns: Mapping[str, str]) -> list[str]:
    """Labels of what every file must have and no column is given for."""
    missing = [str(field.label) for field in FIELDS if field.is_needed and field.name not in columns]
    if "sku" not in columns and "title" not in columns:
        missing.append(str(BY_NAME["sku"].label))
    return missing


def start_check(run_id: int, *, actor: Actor) -> int:
    """Queue the dry run of a mapped file; returns the job. Refuses: `ColumnsMissing`, `ImportStopped`, `NotAllowed`."""
    actor.require(IMPORT)
    with transaction.atomic():
        run = hold_runs([run_id], status=ImportStatus.UPLOADED)[0]
        if (gone := expired(run)) is not None:
            raise gone
        if missing := missing_fields(run.columns):
            raise ColumnsMissing(fields=", ".join(missing))
        job_id = enqueue_job(CHECK_JOB, title=run.file_name, params={"run": run_id}, actor=actor)
        ImportRun.objects.filter(pk=run_id).update(job_id=job_id, error="", question={})
    return job_id


@verb
def cancel_runs(run_ids: Sequence[int], *, actor: Actor) -> Results[int]:
    """Give runs up before anything of them was applied; their work stops at its next chunk.

    A cancelled one is `unchanged`. Refuses: `ImportStopped` (roll back what was applied), `NotFound`. Raises
    `NotAllowed`.
    """
    actor.require(IMPORT)
    results: Results[int] = Results(run_ids)
    with batch_transaction():
        runs = lock_runs(run_ids)
        refuse_unknown_runs(results, runs)
        for run in runs:
            if run.status == ImportStatus.CANCELLED:
                results.unchanged(run.pk)
            elif not CANCEL_IMPORT.leads_from(run.status):
                results.refuse(
                    run.pk, ImportStopped(name=run.file_name, status=ImportStatus(run.status).label)
                )
            else:
                results.done(run.pk)
        chosen = [run for run in runs if results.is_done(run.pk)]
        apply_transition(IMPORT_RUN, CANCEL_IMPORT, chosen, actor=actor)
        for run in chosen:
            if run.job_id and Job.objects.filter(pk=run.job_id).exists():
                cancel_job(run.job_id, actor=Actor.system("import"))
    return results


def plan_of(run: ImportRun) -> Plan:
    """How a run's rows are read, once its ways are known."""
    header = tuple(run.reading["header"])
    profile = profile_of(run)
    channel = run.sales_channel
    return Plan(
        columns={name: header.index(heading) for name, heading in run.columns.items() if heading in header},
        header=header,
        numbers=NumberStyle(run.number_style or NumberStyle.POINT),
        dates=DateStyle(run.date_style or DateStyle.DAY_FIRST),
        zone=ZoneInfo(channel.legal_entity.time_zone),
        currency=channel.currency,
        prices_include_tax=run.prices_include_tax,
        paid_to=MoneyOwner.MARKETPLACE if profile and profile.is_paid else None,
        is_live=run.mode == ImportMode.LIVE,
        rules=profile.rules if profile else Rules(),
    )
