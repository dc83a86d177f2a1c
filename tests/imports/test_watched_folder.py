"""The watched folder: every file that is put there becomes a run, is refused with the reason, or is tried again."""

import errno
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


def test_reason_of_a_refusal_is_no_file_to_take(folder: Path) -> None:
    put(folder, "empty.csv", "")
    put(folder, "orders.txt")
    watch_folder(folder)

    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert watch_folder(folder) == []

    assert names(folder) == ["empty.csv.refused", "empty.csv.refused.txt", "orders.txt.taken"]


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
    (held,) = names(folder)
    assert held.startswith("orders.csv.")
    assert held.endswith(".taking")

    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert len(watch_folder(folder)) == 1

    assert names(folder) == ["orders.csv.taken"]


@pytest.fixture(params=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that allows hard links, and one of files that belong to somebody else."""

    def forbidden(*_given: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", forbidden)


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "shop").iterdir()}


@pytest.mark.usefixtures("links")
def test_file_of_a_name_that_is_held_replaces_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = text_of(row("W-1")), text_of(row("W-2"))
    put(folder, "orders.csv", first)

    def killed(*_given: Any, **_more: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(watching, "upload_file", killed)
        with pytest.raises(KeyboardInterrupt):
            watch_folder(folder)
        put(folder, "orders.csv", second)
        with pytest.raises(KeyboardInterrupt):
            watch_folder(folder)
    assert sorted(texts(folder).values()) == [first, second]
    third = text_of(row("W-3"))
    put(folder, "orders.csv", third)

    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert len(watch_folder(folder)) == 3

    assert names(folder) == ["orders (2).csv.taken", "orders (3).csv.taken", "orders.csv.taken"]
    assert sorted(texts(folder).values()) == [first, second, third]


@pytest.mark.usefixtures("links")
def test_file_that_gets_its_name_back_replaces_no_newer_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = text_of(row("W-1")), text_of(row("W-2"))
    put(folder, "orders.csv", first)

    def full(*_given: Any, **_more: Any) -> int:
        put(folder, "orders.csv", second)
        raise OSError("no space left on device")

    monkeypatch.setattr(watching, "upload_file", full)

    assert watch_folder(folder) == []
    assert texts(folder) == {"orders.csv": second, "orders (2).csv": first}


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize(("text", "endings"), [(None, ["taken"]), ("", ["refused", "refused.txt"])])
def test_second_file_of_a_name_stays_beside_the_first(
    folder: Path, text: str | None, endings: list[str]
) -> None:
    for _number in range(2):
        put(folder, "orders.csv", text)
        watch_folder(folder)

    assert names(folder) == [f"orders{also}.csv.{ending}" for also in (" (2)", "") for ending in endings]


def test_file_with_two_names_of_a_watcher_that_died_is_taken_once(folder: Path) -> None:
    path = put(folder, "orders.csv")
    os.link(path, path.with_name("orders.csv.0a1b2c3d.taking"))

    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert len(watch_folder(folder)) == 1

    assert names(folder) == ["orders.csv.taken"]


def test_files_that_always_fail_let_those_behind_them_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel(code="zoo")
    (folder / "zoo").mkdir()
    for number in range(watching.MOST_FILES):
        put(folder, f"a{number}.csv")
    put(folder, "b.csv", text_of(row("W-2")))
    put(folder, "../zoo/c.csv", text_of(row("W-3")))
    keep = watching.upload_file
    tried: list[str] = []

    def full(file: Any, given: Any, **more: Any) -> int:
        tried.append(given.name)
        if given.name.startswith("a"):
            raise OSError("no space left on device")
        return keep(file, given, **more)

    monkeypatch.setattr(watching, "upload_file", full)
    made = [len(watch_folder(folder)) for _turn in range(2)]

    assert made == [0, 2]
    assert len(tried) == 2 * watching.MOST_FILES


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
