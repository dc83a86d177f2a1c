"""A folder that is watched: whatever is put there is uploaded and checked, and waits for a person to apply it.

Each channel has a folder of its code. A file is taken once it has not grown for a while; it is renamed to `.taking`
first, so that two watchers never take the same one, and stays beside as `.taken`, or as `.refused` with the reason. One
that could not be taken for another cause gets its name back, and so does one whose watcher died. A shop may put the
next file of that name meanwhile: none ever replaces another, the later one becomes `orders (2).csv`.
"""

import errno
import logging
import os
import re
from pathlib import Path
from uuid import uuid4

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
REASON = ".refused.txt"
TAKING, LONGEST_TAKING = ".taking", 15 * 60
# A token stands in the name of what is held, so that two files of one name are held beside each other.
_HELD = re.compile(rf"(?P<name>.+?)(\.[0-9a-f]{{8}})?{re.escape(TAKING)}", re.DOTALL)
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
)
WATCHER = Actor.system("watched folder")


def watch_folder(folder: Path | None = None, *, quiet: float = QUIET_SECONDS) -> list[int]:
    """Take the files that wait; returns the runs made of them. Without a folder there is nothing to watch.

    What one channel's folder or one file does not allow is logged, tried again the next time, and stops no other: a
    file that was tried goes behind those that wait.
    """
    root = folder or (Path(settings.IMPORT_FOLDER) if settings.IMPORT_FOLDER else None)
    if root is None or not root.is_dir():
        return []
    waiting: list[tuple[float, Path, int]] = []
    for channel in SalesChannel.objects.filter(is_active=True).order_by("pk"):
        try:
            _give_back(root / channel.code)
            waiting += [(since, path, channel.pk) for since, path in _waiting(root / channel.code, quiet)]
        except OSError as error:
            log.warning("the folder of %s cannot be read: %s", channel.code, error)
    runs: list[int] = []
    tried = 0
    for _since, path, channel_id in sorted(waiting):
        if tried == MOST_FILES:
            break
        held = path.with_name(f"{path.name}.{uuid4().hex[:8]}{TAKING}")
        try:
            path.rename(held)
        except OSError as error:
            log.warning("%s cannot be taken: %s", path.name, error)
            continue
        tried += 1
        if (run_id := _take(held, path, channel_id)) is not None:
            runs.append(run_id)
    return runs


def _give_back(folder: Path) -> None:
    """Rename what a watcher held that died over it; nobody takes that long."""
    if folder.is_dir():
        long_ago = clock.now().timestamp() - LONGEST_TAKING
        for held in folder.glob(f"*{TAKING}"):
            # The moment of its last renaming, which changes no content.
            if held.stat().st_ctime <= long_ago and (found := _HELD.fullmatch(held.name)):
                _move(held, held.with_name(found["name"]))


def _move(held: Path, path: Path, ending: str = "") -> Path:
    """Rename to this name, with an ending, or to the first numbered one that is free; returns which."""
    number, name = 1, path.name
    while True:
        free = path.with_name(f"{name}{ending}")
        try:
            _rename_to_free(held, free)
        except FileExistsError:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        else:
            return free


def _rename_to_free(held: Path, free: Path) -> None:
    """Raises `FileExistsError` where something has that name: a plain rename would replace it."""
    try:
        os.link(held, free)
    except FileExistsError:
        # Cut off between the two steps: both names are one file.
        if not held.samefile(free):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # No hard links here, or none to the files of others: an empty file keeps the name.
        free.touch(exist_ok=False)
        try:
            held.rename(free)
        except OSError:
            free.unlink()
            raise
        return
    held.unlink(missing_ok=True)


def _waiting(folder: Path, quiet: float) -> list[tuple[float, Path]]:
    """The files, each with the moment it was written or last tried, whichever is later."""
    if not folder.is_dir():
        return []
    still = clock.now().timestamp() - quiet
    return [
        (path.stat().st_ctime, path)
        for path in folder.iterdir()
        if path.is_file()
        and not path.is_symlink()
        and path.suffix.lower() in ENDINGS
        and not path.name.endswith(REASON)
        and path.stat().st_mtime <= still
    ]


def _take(held: Path, path: Path, channel_id: int) -> int | None:
    try:
        with held.open("rb") as file:
            upload = Upload(path.name, channel_id, ImportMode.LIVE)
            run_id = upload_file(file, upload, actor=WATCHER)
    except BancaleError as error:
        log.warning("%s was refused: %s", path.name, error)
        refused = _move(held, path, ".refused")
        refused.with_suffix(REASON).write_text(f"{error}\n", encoding="utf-8")
        return None
    except Exception:
        log.exception("%s could not be taken; it is tried again", path.name)
        _move(held, path)
        return None
    _move(held, path, ".taken")
    run = ImportRun.objects.get(pk=run_id)
    if run.reading and not missing_fields(run.columns):
        start_check(run_id, actor=WATCHER)
    return run_id
