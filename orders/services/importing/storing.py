"""Uploaded files in private storage, under names that only we choose."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from orders.models import ImportRun
from orders.sheets.budget import is_workbook
from orders.sheets.problems import UnreadableFile
from orders.sheets.sniffing import MOST_BYTES

FOLDER, UNPACKED = "imports", ".rows"
_CHUNK = 1 << 20


def store_file(file: BinaryIO) -> tuple[str, int, str]:
    """Keep a file; returns its generated name, its size and the hash of its bytes. Refuses: `UnreadableFile`."""
    digest, size = hashlib.sha256(), 0
    start = file.read(8)
    file.seek(0)
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise UnreadableFile(_("it has more than %(limit)s MiB; split it"), limit=MOST_BYTES // 2**20)
        digest.update(chunk)
    if not size:
        raise UnreadableFile(_("it is empty"))
    file.seek(0)
    ending = ".xlsx" if is_workbook(start) else ".csv"
    name = default_storage.save(f"{FOLDER}/{uuid4().hex}{ending}", File(file))
    return name, size, digest.hexdigest()


def is_stored_workbook(name: str) -> bool:
    return name.endswith(".xlsx")


def path_of(name: str) -> Path:
    return Path(default_storage.path(name))


@contextmanager
def open_rows(run: ImportRun) -> Iterator[BinaryIO]:
    """The bytes whose rows are read: the file itself, or what the child process unpacked of a workbook."""
    name = run.stored_name
    with default_storage.open(f"{name}{UNPACKED}" if is_stored_workbook(name) else name, "rb") as file:
        yield cast(BinaryIO, file)


def remove_files(name: str) -> None:
    """Delete a stored file and what was unpacked of it; one that is gone is no matter."""
    for one in (name, f"{name}{UNPACKED}"):
        if name and default_storage.exists(one):
            default_storage.delete(one)
