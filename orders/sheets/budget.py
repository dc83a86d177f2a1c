"""Whether a workbook may be opened at all: read from the archive's directory and its bytes, before any parser."""

import re
import zipfile
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from orders.sheets.problems import UnreadableFile

MOST_BYTES = 20 * 2**20
MOST_UNPACKED = 200 * 2**20
MOST_RATIO = 100
MOST_ENTRIES = 2000
MOST_SHEETS = 50
MOST_ROWS = 200_000
# Smaller parts may be as regular as they like: they cost nothing.
RATIO_FROM = 2**20
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HIGH_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{6,})"')
_ROW = re.compile(rb"<(?:\w+:)?row[ >/]")
# A cell with content in a column past the 200th, GR.
_WIDE = re.compile(rb'\br="(?:[A-Z]{3}|G[S-Z]|[H-Z][A-Z])[0-9]+"[^>]*(?<!/)>')
_CHUNK = 1 << 20


def is_workbook(start: bytes) -> bool:
    """Whether a file begins as an archive or as an old Office document."""
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06", _OLE))


def check_workbook(file: BinaryIO) -> None:
    """Refuse with `UnreadableFile` what is no plain workbook or would grow past its budget."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    start = file.read(64 * 1024)
    if start.startswith(_OLE):
        if _ENCRYPTED in start:
            raise UnreadableFile(_("it is encrypted; save it without a password"))
        raise UnreadableFile(_("it is an old Excel file (.xls); save it as .xlsx or CSV"))
    if size > MOST_BYTES:
        raise UnreadableFile(
            _("it has %(size)s MiB; the limit is %(limit)s MiB"),
            size=-(-size // 2**20), limit=MOST_BYTES // 2**20,
        )  # fmt: skip
    try:
        with zipfile.ZipFile(file) as archive:
            _check_directory(archive, size)
            _check_parts(archive)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UnreadableFile(_("it is a damaged workbook")) from error


def _check_directory(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    names = [entry.filename.lower() for entry in entries]
    if len(entries) > MOST_ENTRIES:
        raise UnreadableFile(
            _("the archive has %(count)s parts; the limit is %(limit)s"),
            count=len(entries), limit=MOST_ENTRIES,
        )  # fmt: skip
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MOST_UNPACKED:
        raise UnreadableFile(
            _("the file expands to %(size)s MiB; the limit is %(limit)s MiB"),
            size=unpacked // 2**20, limit=MOST_UNPACKED // 2**20,
        )  # fmt: skip
    for entry in entries:
        if entry.file_size > RATIO_FROM and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise UnreadableFile(
                _("a part of the file expands %(ratio)s times; the limit is %(limit)s"),
                ratio=entry.file_size // max(entry.compress_size, 1), limit=MOST_RATIO,
            )  # fmt: skip
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(_("it is encrypted; save it without a password"))
    if sum(entry.compress_size for entry in entries) > size:
        raise UnreadableFile(_("it is a damaged workbook"))
    if "xl/workbook.xml" not in names:
        raise UnreadableFile(_("it is no Excel workbook (.xlsx)"))
    if any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableFile(_("it holds macros; save it as a plain .xlsx"))
    if any(name.startswith("xl/externallinks/") for name in names):
        raise UnreadableFile(_("it takes values from other files; save it with its values only"))
    sheets = sum(name.startswith("xl/worksheets/") and name.endswith(".xml") for name in names)
    if sheets > MOST_SHEETS:
        raise UnreadableFile(
            _("it has %(count)s sheets; the limit is %(limit)s"), count=sheets, limit=MOST_SHEETS
        )


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Count rows and look for declarations in the bytes, which costs no memory."""
    for entry in archive.infolist():
        name = entry.filename.lower()
        if not name.endswith((".xml", ".rels")):
            continue
        is_sheet = name.startswith("xl/worksheets/")
        with archive.open(entry) as part:
            rows, tail = 0, b""
            head = part.read(4096)
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head or "<!DOCTYPE".encode("utf-16-le") in head:
                raise UnreadableFile(_("it declares entities, which no spreadsheet needs"))
            if not is_sheet:
                continue
            chunk = head
            while chunk:
                text = tail + chunk
                rows += len(_ROW.findall(text)) - len(_ROW.findall(tail))
                high = max((int(one) for one in _HIGH_ROW.findall(text)), default=0)
                if max(rows, high) > MOST_ROWS + 1:
                    raise UnreadableFile(
                        _("a sheet goes down to row %(row)s; the limit is %(limit)s rows"),
                        row=max(rows, high), limit=MOST_ROWS,
                    )  # fmt: skip
                if _WIDE.search(text):
                    raise UnreadableFile(_("a row has more than 200 columns"))
                tail = text[-200:]
                chunk = part.read(_CHUNK)
