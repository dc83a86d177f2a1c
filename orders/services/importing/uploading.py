"""Uploading: a file is kept, its ways are read, its columns are proposed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import NotFound
from config.kernel.events import record_events
from config.kernel.jobs import enqueue_job
from orders.enums import ImportMode, ImportStatus
from orders.models import ImportMapping, ImportRun, SalesChannel
from orders.services.importing.runs import hold_runs
from orders.services.importing.storing import (
    UNPACKED,
    is_stored_workbook,
    path_of,
    remove_files,
    store_file,
)
from orders.services.texts import fit
from orders.sheets.budget import check_workbook
from orders.sheets.problems import UnreadableFile
from orders.sheets.profiles import BY_CODE, HEADINGS, columns_for, recognise, what_instead
from orders.sheets.sniffing import Reading, name_key, sniff_sheet, sniff_text
from orders.sheets.workbook import unpack_workbook
from orders.states import IMPORT, IMPORT_RUN

READ_JOB = "orders.read_import"
# A workbook up to this size is unpacked while its sender waits.
AT_ONCE = 1 << 20
PROBLEM_COLUMN = "problem"


@dataclass(frozen=True, slots=True)
class Upload:
    """What comes with a file. `name` is only shown; `repairs_id` the run whose failed rows these are."""

    name: str
    sales_channel_id: int
    mode: ImportMode
    repairs_id: int | None = None


def upload_file(file: BinaryIO, upload: Upload, *, actor: Actor) -> int:
    """Keep a file as a new run and propose what its columns mean; returns the run's pk.

    Large workbooks are read by a job (`READ_JOB`), everything else at once. Refuses: `UnreadableFile`, and then
    nothing is kept; `NotFound` for the channel; `NotAllowed`.
    """
    actor.require(IMPORT)
    channel = SalesChannel.objects.filter(pk=upload.sales_channel_id).first()
    if channel is None:
        raise NotFound()
    stored, size, digest = store_file(file)
    try:
        reading = None
        if is_stored_workbook(stored):
            with default_storage.open(stored, "rb") as kept:
                check_workbook(_bytes(kept))
        if not is_stored_workbook(stored) or size <= AT_ONCE:
            reading = read_ways(stored)
        with transaction.atomic():
            run = ImportRun.objects.create(
                sales_channel=channel,
                status=ImportStatus.UPLOADED,
                mode=upload.mode,
                repairs_id=upload.repairs_id,
                file_name=fit(ImportRun, "file_name", upload.name) or "–",
                stored_name=stored,
                file_size=size,
                file_hash=digest,
                uploaded_at=clock.now(),
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_label=actor.label[:80],
                **(propose(reading, channel.pk) if reading else {}),
            )
            record_events([IMPORT_RUN.created_entry(run, {"channel": channel.pk})], actor=actor)
            if reading is None:
                title = f"{run.file_name}"
                run.job_id = enqueue_job(READ_JOB, title=title, params={"run": run.pk}, actor=actor)
                run.save(update_fields=["job_id"])
    except BaseException:
        remove_files(stored)
        raise
    return int(run.pk)


def read_ways(stored: str) -> Reading:
    """What a stored file is; a workbook is unpacked beside itself first. Refuses: `UnreadableFile`, also for one that
    holds something else than orders."""
    reading = _sniff(stored)
    if what := what_instead(reading.header):
        raise UnreadableFile(_("it holds %(what)s"), what=what)
    return reading


def _sniff(stored: str) -> Reading:
    if not is_stored_workbook(stored):
        with default_storage.open(stored, "rb") as file:
            return sniff_text(_bytes(file), HEADINGS)
    target = path_of(f"{stored}{UNPACKED}")
    with default_storage.open(stored, "rb") as file:
        unpack_workbook(_bytes(file), path_of(stored), target)
    with target.open("rb") as rows:
        return sniff_sheet(rows, HEADINGS)


def _bytes(file: Any) -> BinaryIO:
    return cast(BinaryIO, file)


def read_upload(run_id: int) -> None:
    """The job's part of an upload: read a large workbook's ways. A second call changes nothing."""
    run = ImportRun.objects.get(pk=run_id)
    if run.reading or run.status != ImportStatus.UPLOADED:
        return
    values = propose(read_ways(run.stored_name), run.sales_channel_id)
    with transaction.atomic():
        hold_runs([run_id], status=ImportStatus.UPLOADED)
        ImportRun.objects.filter(pk=run_id).update(**values)


def propose(reading: Reading, sales_channel_id: int) -> dict[str, Any]:
    """The columns of a run: as remembered for this heading on this channel, else by a ready map, else by name."""
    profile = recognise(reading.header)
    values: dict[str, Any] = {
        "reading": reading.as_json(),
        "profile": profile.code if profile else "",
        "columns": columns_for(reading.header, profile),
        "prices_include_tax": profile.includes_tax if profile else None,
    }
    remembered = ImportMapping.objects.filter(
        sales_channel=sales_channel_id, fingerprint=fingerprint(reading.header)
    ).first()
    if remembered is not None and set(remembered.columns.values()) <= set(reading.header):
        values |= {
            "columns": remembered.columns,
            "number_style": remembered.number_style,
            "date_style": remembered.date_style,
            "prices_include_tax": remembered.prices_include_tax,
        }
    return values


def fingerprint(header: Sequence[str]) -> str:
    """What files of one source have in common: their heading, the failed-rows file's own column apart."""
    names = [name_key(name) for name in header if name_key(name) != PROBLEM_COLUMN]
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()


def remember(run: ImportRun, styles: Mapping[str, Any]) -> None:
    """Keep how this heading was mapped, for the next file of its kind."""
    ImportMapping.objects.update_or_create(
        sales_channel_id=run.sales_channel_id,
        fingerprint=fingerprint(run.reading["header"]),
        defaults={"columns": run.columns, "used_at": clock.now(), **styles},
    )


def profile_of(run: ImportRun) -> Any:
    return BY_CODE.get(run.profile)
