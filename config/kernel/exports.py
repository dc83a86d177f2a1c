"""Exports: files of what a list finds, made by a job, kept in private storage for 30 days, bound to who asked."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.enums import ExportFormat
from config.kernel.errors import BancaleError, NotFound
from config.kernel.events import Entry, Thread, record_events
from config.kernel.jobs import JobPaused, JobRun, enqueue_job
from config.kernel.sheets import MARK, Cell, csv_lines, write_workbook

log = logging.getLogger(__name__)

EXPORT_JOB = "export"
FOLDER, KEPT = "exports", timedelta(days=30)
CHUNK = 500
# A workbook is written in one turn, and 50,000 rows of it took 35 s on a busy machine; CSV has no such end.
MOST_WORKBOOK_ROWS = 100_000
# More than these are written into a workbook in a turn of their own, so that no turn grows long.
_ROWS_OF_A_TURN = 20_000


class TooManyRows(BancaleError):
    code = "too_many_rows"
    message = _("An Excel file holds up to %(limit)s rows; export as CSV, or narrow the list.")


class TooLate(BancaleError):
    code = "export_expired"
    message = _("The time of this export is up. Export the list again.")


class MadeWithMore(BancaleError):
    code = "made_with_more"
    message = _("This file was made with the right to see more than you may see now. Export the list again.")


@dataclass(frozen=True, slots=True)
class Column:
    """A heading. With `needs` it is only for those who have that permission; personal ones are asked for."""

    name: str
    needs: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class ExportKind:
    """What a list of `model` can be exported as. `rows` makes the rows of some of its objects, in all columns, with
    a fixed number of statements. `personal` is the permission for the personal columns."""

    name: str
    model: str
    label: str | Promise
    permission: str
    columns: tuple[Column, ...]
    rows: Callable[[Sequence[int]], Iterable[Sequence[Cell]]]
    personal: str = ""

    def places(self, actor: Actor, *, has_personal: bool) -> list[int]:
        """Which columns an actor gets."""
        shown = has_personal and actor.may(self.personal)
        return [
            place
            for place, column in enumerate(self.columns)
            if (shown or not column.is_personal) and (not column.needs or actor.may(column.needs))
        ]

    def shown_to(self, actor: Actor, *, has_personal: bool) -> dict[str, Any]:
        """What an actor's file shows, for its job to keep: the columns, and of which locations the rows are."""
        columns = [self.columns[place].name for place in self.places(actor, has_personal=has_personal)]
        return {
            "locations": None if actor.locations is None else sorted(actor.locations),
            "columns": columns,
        }


EXPORT_KINDS: dict[str, ExportKind] = {}


def register_export(kind: ExportKind) -> None:
    """Offer an export on the list of its model; called once, when the apps are ready."""
    EXPORT_KINDS[kind.name] = kind


def kinds_of(model: str) -> list[ExportKind]:
    return [kind for kind in EXPORT_KINDS.values() if kind.model == model]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for; `query` is the address of the list whose rows are meant."""

    kind: str
    format: ExportFormat
    query: str = ""
    has_personal: bool = False


def request_export(wanted: Wanted, *, actor: Actor) -> int:
    """Note an export and queue its job; returns the export. Refuses: `NotAllowed`, `NotFound` for an unknown kind."""
    from config.kernel.models import Export

    kind = EXPORT_KINDS.get(wanted.kind)
    if kind is None:
        raise NotFound(kind=wanted.kind)
    require(actor, kind, has_personal=wanted.has_personal)
    ending = "xlsx" if wanted.format == ExportFormat.XLSX else "csv"
    at = clock.now()
    with transaction.atomic():
        export = Export.objects.create(
            kind=kind.name,
            format=wanted.format,
            query=wanted.query,
            has_personal=wanted.has_personal,
            stored_name=f"{FOLDER}/{uuid4().hex}.{ending}",
            requested_at=at,
            expires_at=at + KEPT,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label[:80],
        )
        title = str(_("Export: %(what)s") % {"what": kind.label})
        export.job_id = enqueue_job(EXPORT_JOB, title=title, params={"export": export.pk}, actor=actor)
        Export.objects.filter(pk=export.pk).update(job_id=export.job_id)
        record(export, "requested", actor=actor)
    return int(export.pk)


def require(actor: Actor, kind: ExportKind, *, has_personal: bool) -> None:
    """Raises `NotAllowed` for who may not export this kind, or not with personal data."""
    actor.require(kind.permission)
    if has_personal:
        actor.require(kind.personal)


def require_no_less(actor: Actor, kind: ExportKind, export: Any) -> None:
    """Raises `MadeWithMore` where a file shows columns, or rows of locations, that this actor does not see now.

    Of a file of which nobody noted what it shows, it is what nothing bounds.
    """
    from config.kernel.models import Job

    kept = Job.objects.filter(pk=export.job_id).values_list("result", flat=True).first() or {}
    now = kind.shown_to(actor, has_personal=export.has_personal)
    made_for, sees = kept.get("locations"), now["locations"]
    has_rows = sees is None or (made_for is not None and set(made_for) <= set(sees))
    if not has_rows or not set(kept.get("columns", ())) <= set(now["columns"]):
        raise MadeWithMore


def record(export: Any, what: str, *, actor: Actor, **facts: Any) -> None:
    """Write an event on an export's timeline: what was taken out, never a word of it."""
    said = {"what": export.kind, "format": export.format, "personal": export.has_personal, **facts}
    record_events([Entry(("export", export.pk), Thread("export", export.pk), what, facts=said)], actor=actor)


def path_of(export: Any) -> Path:
    return Path(default_storage.path(export.stored_name))


def make_file(export: Any, kind: ExportKind, rows: QuerySet[Any], run: JobRun) -> int:
    """Write the file of these rows, some hundred at a time, and note it; returns how many rows it has.

    Goes on where an earlier call stopped. Raises `TooManyRows`, `JobCancelled`, `JobPaused`, `JobLost`.
    """
    part = _part(path_of(export))
    part.parent.mkdir(parents=True, exist_ok=True)
    count = _collect(export, kind, rows, run, part)
    if export.format == ExportFormat.XLSX:
        # Writing takes long and asks the database nothing: whoever lost the job meanwhile would write into its file.
        run.stop_if_asked()
        draft = part.with_suffix(f".{uuid4().hex}.draft")
        try:
            write_workbook(draft, _staged(part), title=str(kind.label), author=export.actor_label)
            run.stop_if_asked()
            os.replace(draft, path_of(export))
        finally:
            draft.unlink(missing_ok=True)
        part.unlink()
    else:
        run.make_sure()
        os.replace(part, path_of(export))
    _note(export.pk, count, run.actor)
    return count


def _part(path: Path) -> Path:
    return path.with_suffix(".part")


def _collect(export: Any, kind: ExportKind, rows: QuerySet[Any], run: JobRun, part: Path) -> int:
    """Write all rows into the part file: CSV as it will be, a workbook's as JSON."""
    places = kind.places(run.actor, has_personal=export.has_personal)
    shown = kind.shown_to(run.actor, has_personal=export.has_personal)
    sofar = _sofar(run, part, shown)
    count, began_at = int(sofar["rows"]), int(sofar["after"])
    is_workbook = export.format == ExportFormat.XLSX
    with open(part, "r+b" if count or part.exists() else "w+b") as file:
        file.seek(sofar["bytes"])
        file.truncate()
        if not sofar["bytes"]:
            _append(
                file, [shown["columns"]], is_workbook, mark=MARK if export.format == ExportFormat.CSV else ""
            )
        total = sofar.get("total") or rows.order_by().count()
        after, done = began_at, int(sofar["done"])
        while ids := list(_next(rows, after)):
            chosen = [[row[place] for place in places] for row in kind.rows(ids)]
            _append(file, chosen, is_workbook)
            file.flush()
            after, done, count = ids[-1], done + len(ids), count + len(chosen)
            if is_workbook and count > MOST_WORKBOOK_ROWS:
                raise TooManyRows(limit=MOST_WORKBOOK_ROWS)
            kept = {"after": after, "done": done, "rows": count, "bytes": file.tell(), "total": total}
            run.keep({**kept, **shown})
            run.progress(done, max(total, done))
    if is_workbook and count - int(sofar["rows"]) > _ROWS_OF_A_TURN:
        raise JobPaused
    return count


def _sofar(run: JobRun, part: Path, shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """How far an earlier run came; the beginning where its file is gone, or its person saw other things then."""
    kept = run.job.result
    is_same = all(kept.get(name) == value for name, value in shown.items())
    if is_same and kept.get("bytes") and part.exists() and part.stat().st_size >= kept["bytes"]:
        return dict(kept)
    return {"after": 0, "done": 0, "rows": 0, "bytes": 0}


def _next(rows: QuerySet[Any], after: int) -> QuerySet[Any]:
    return rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK]


def _append(file: BinaryIO, rows: Sequence[Sequence[Cell]], is_workbook: bool, *, mark: str = "") -> None:
    if is_workbook:
        lines: Iterable[str] = (json.dumps(row, default=_as_number) + "\n" for row in rows)
    else:
        lines = csv_lines(rows, mark=mark)
    for line in lines:
        file.write(line.encode(errors="replace"))


def _as_number(cell: object) -> list[str]:
    """A decimal in the part file: a list of its digits, since a JSON number would pass through a float."""
    return [str(cell)]


def _staged(part: Path) -> Iterator[list[Cell]]:
    with open(part, encoding="utf-8") as file:
        for line in file:
            yield [Decimal(cell[0]) if isinstance(cell, list) else cell for cell in json.loads(line)]


def _note(export_id: int, count: int, actor: Actor) -> None:
    from config.kernel.models import Export

    with transaction.atomic():
        export = Export.objects.select_for_update().get(pk=export_id)
        path = path_of(export)
        export.row_count, export.sha256 = count, _digest(path)
        export.file_size, export.ready_at = path.stat().st_size, clock.now()
        export.save(update_fields=["row_count", "sha256", "file_size", "ready_at"])
        record(export, "made", actor=actor, rows=count)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_files(export: Any) -> None:
    """Delete an export's file and what is half written of it; one that is gone is no matter."""
    path = path_of(export)
    for one in path.parent.glob(f"{path.stem}.*"):
        one.unlink(missing_ok=True)


def expire_exports(limit: int = 200) -> int:
    """Remove the files whose time is up, and the filters, which may name people; returns how many.

    Who took what out and when stays. A second call finds none; of two at once each takes its own. Each export is one
    transaction under its lock; its file goes after the commit. One that cannot be removed is logged, and again tried
    by the next call.
    """
    from config.kernel.models import Export

    due = Export.objects.filter(expires_at__lte=clock.now(), expired_at=None).order_by("pk")
    expired = sum(_expire(due, pk) for pk in list(due.values_list("pk", flat=True)[:limit]))
    _remove_expired()
    return expired


def _expire(due: QuerySet[Any], export_id: int) -> bool:
    with transaction.atomic():
        export = due.select_for_update(skip_locked=True).filter(pk=export_id).first()
        if export is None:
            return False
        export.expired_at, export.query = clock.now(), ""
        export.save(update_fields=["expired_at", "query"])
        record(export, "expired", actor=Actor.system("exports"))
    return True


def _remove_expired() -> None:
    """Delete what the folder holds of expired exports, also what a crash after their commit left there."""
    from config.kernel.models import Export

    folder = Path(default_storage.path(FOLDER))
    if not folder.is_dir():
        return
    stems = sorted({path.name.partition(".")[0] for path in folder.iterdir()})
    for begin in range(0, len(stems), CHUNK):
        names = [f"{FOLDER}/{stem}.{end}" for stem in stems[begin : begin + CHUNK] for end in ("csv", "xlsx")]
        for export in Export.objects.filter(stored_name__in=names).exclude(expired_at=None):
            try:
                remove_files(export)
            except OSError as error:
                log.warning("the file of export %s cannot be removed: %s", export.pk, error)
