"""The watched folder: every file that is put there becomes a run, is refused with the reason, or is tried again."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.kernel import clock
from orders.models import ImportRun
from orders.services.importing import watching
from orders.services.importing.watching import watch_folder
from tests.factories.imports import row, text_of, work
from tests.factories.orders import make_channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / make_channel(code="shop").code).mkdir()
    return tmp_path


def put(folder: Path, name: str, text: str | None = None) -> Path:
    """A file of the channel that has not grown for a minute."""
    path = folder / "shop" / name
    path.write_text(text_of(row("W-1")) if text is None else text, encoding="utf-8")
    before = clock.now().timestamp() - 60
    os.utime(path, (before, before))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "shop").iterdir())


def test_file_is_uploaded_and_checked_and_stays_beside(folder: Path) -> None:
    put(folder, "orders.csv")
    put(folder, "notes.pdf")

    (run_id,) = watch_folder(folder)
    again = watch_folder(folder)

    run = ImportRun.objects.get(pk=run_id)
    work(run.job_id or 0)
    run.refresh_from_db()
    assert (run.file_name, run.status, again) == ("orders.csv", "checked", [])
    assert names(folder) == ["notes.pdf", "orders.csv.taken"]


def test_file_that_still_grows_waits(folder: Path) -> None:
    path = put(folder, "orders.csv")
    os.utime(path)

    assert watch_folder(folder) == []
    assert names(folder) == ["orders.csv"]


def test_file_that_is_refused_stays_with_the_reason(folder: Path) -> None:
    put(folder, "empty.csv", "")
    put(folder, "orders.csv")

    assert len(watch_folder(folder)) == 1
    assert names(folder) == ["empty.csv.refused", "empty.csv.refused.txt", "orders.csv.taken"]
    assert "it is empty" in (folder / "shop" / "empty.csv.refused.txt").read_text(encoding="utf-8")


def test_file_that_cannot_be_kept_now_is_tried_again_and_stops_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv")
    put(folder, "b.csv", text_of(row("W-2")))
    keep = watching.upload_file

    def full(file: Any, given: Any, **more: Any) -> int:
        if given.name == "a.csv":
            raise OSError("no space left on device")
        return keep(file, given, **more)

    monkeypatch.setattr(watching, "upload_file", full)
    assert len(watch_folder(folder)) == 1
    assert names(folder) == ["a.csv", "b.csv.taken"]
    monkeypatch.setattr(watching, "upload_file", keep)

    assert len(watch_folder(folder)) == 1
    assert names(folder) == ["a.csv.taken", "b.csv.taken"]


def test_file_whose_watcher_died_is_taken_by_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "orders.csv")

    def killed(*_given: Any, **_more: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(watching, "upload_file", killed)
        with pytest.raises(KeyboardInterrupt):
            watch_folder(folder)
    assert watch_folder(folder) == []
    assert names(folder) == ["orders.csv.taking"]

    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert len(watch_folder(folder)) == 1

    assert names(folder) == ["orders.csv.taken"]


def test_folder_that_cannot_be_read_stops_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_channel(code="closed")
    put(folder, "orders.csv")
    look = watching._waiting

    def closed(path: Path, quiet: float) -> list[Path]:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return look(path, quiet)

    monkeypatch.setattr(watching, "_waiting", closed)

    assert len(watch_folder(folder)) == 1


def test_name_in_no_encoding_of_ours_is_shown_as_far_as_it_can_be(folder: Path) -> None:
    put(folder, os.fsdecode(b"ordini-citt\xe0.csv"))

    watch_folder(folder)

    assert ImportRun.objects.get().file_name == "ordini-citt?.csv"
