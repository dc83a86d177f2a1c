"""A folder that is watched: whatever is put there is uploaded and checked, and waits for a person to apply it.

Each channel has a folder of its code. A file is taken once it has not grown for a while; it is renamed to `.taking`
first, so that two watchers never take the same one, and stays beside as `.taken`, or as `.refused` with the reason. One
that could not be taken for another cause gets its name back, and so does one whose watcher died.
"""

import logging
from pathlib import Path

from django.conf import settings

from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.errors import BancaleError
from orders.enums import ImportMode
from orders.models import ImportRun, SalesChannel
from orders.services.importing.mapping import missing_fields, start_check
from orders.services.importing.uploading import Upload, upload_file

log = logging.getLogger(__name__)

ENDINGS = frozenset({".csv", ".txt", ".tsv", ".xlsx"})
QUIET_SECONDS = 20
MOST_FILES = 10
TAKING, LONGEST_TAKING = ".taking", 15 * 60
WATCHER = Actor.system("watched folder")


def watch_folder(folder: Path | None = None, *, quiet: float = QUIET_SECONDS) -> list[int]:
    """Take the files that wait; returns the runs made of them. Without a folder there is nothing to watch.

    What one channel's folder or one file does not allow is logged, tried again the next time, and stops no other.
    """
    root = folder or (Path(settings.IMPORT_FOLDER) if settings.IMPORT_FOLDER else None)
    if root is None or not root.is_dir():
        return []
    runs: list[int] = []
    for channel in SalesChannel.objects.filter(is_active=True).order_by("pk"):
        try:
            _give_back(root / channel.code)
            waiting = _waiting(root / channel.code, quiet)
        except OSError as error:
            log.warning("the folder of %s cannot be read: %s", channel.code, error)
            continue
        for path in waiting[: MOST_FILES - len(runs)]:
            held = path.with_name(f"{path.name}{TAKING}")
            try:
                path.rename(held)
            except OSError:
                continue
            if (run_id := _take(held, path, channel.pk)) is not None:
                runs.append(run_id)
    return runs


def _give_back(folder: Path) -> None:
    """Rename what a watcher held that died over it; nobody takes that long."""
    if folder.is_dir():
        long_ago = clock.now().timestamp() - LONGEST_TAKING
        for held in folder.glob(f"*{TAKING}"):
            # The moment of its last renaming, which changes no content.
            if held.stat().st_ctime <= long_ago:
                held.rename(held.with_name(held.name.removesuffix(TAKING)))


def _waiting(folder: Path, quiet: float) -> list[Path]:
    if not folder.is_dir():
        return []
    still = clock.now().timestamp() - quiet
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.is_symlink()
        and path.suffix.lower() in ENDINGS
        and path.stat().st_mtime <= still
    )


def _take(held: Path, path: Path, channel_id: int) -> int | None:
    try:
        with held.open("rb") as file:
            upload = Upload(path.name, channel_id, ImportMode.LIVE)
            run_id = upload_file(file, upload, actor=WATCHER)
    except BancaleError as error:
        log.warning("%s was refused: %s", path.name, error)
        held.rename(path.with_name(f"{path.name}.refused"))
        path.with_name(f"{path.name}.refused.txt").write_text(f"{error}\n", encoding="utf-8")
        return None
    except Exception:
        log.exception("%s could not be taken; it is tried again", path.name)
        held.rename(path)
        return None
    held.rename(path.with_name(f"{path.name}.taken"))
    run = ImportRun.objects.get(pk=run_id)
    if run.reading and not missing_fields(run.columns):
        start_check(run_id, actor=WATCHER)
    return run_id
