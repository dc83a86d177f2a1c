"""Setting up a bare machine: what is installed, when nothing is, and the sentence at the end when it cannot be."""

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from config import bootstrap
from config.setup import environment as environment_module
from config.setup.console import CommandFailed, SetupError, run_quietly
from config.setup.environment import Environment
from config.setup.locks import has_all, read_pins

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "bancale-example"


def build_wheel(folder: Path, version: str) -> str:
    """A package of one empty module; returns its line in a lock."""
    folder.mkdir(exist_ok=True)
    wheel = folder / f"bancale_example-{version}-py3-none-any.whl"
    info = f"bancale_example-{version}.dist-info"
    files = {
        "bancale_example.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return f"{PACKAGE}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A repository whose lock pins one package, which stands in a folder instead of a registry."""
    environment = Environment(tmp_path / "clone")
    environment.lock("runtime").parent.mkdir(parents=True)
    for name in ("runtime", "dev"):
        environment.lock(name).write_text(build_wheel(tmp_path / "wheels", "1.0"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.delenv("PIP_REQUIRE_HASHES", raising=False)
    monkeypatch.setattr(environment_module.shutil, "which", lambda name: None)
    if environment_module._find_pip() is None:
        pytest.skip("no pip behind this interpreter")
    return environment


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The installers that were run."""
    seen: list[str] = []

    def counted(command: list[str], **options: object) -> str:
        if "install" in command:
            seen.append(Path(command[-1]).stem)
        return run_quietly(command, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(environment_module, "run_quietly", counted)
    return seen


def installed_version(environment: Environment) -> str:
    command = [environment.python, "-c", "import bancale_example; print(bancale_example.version)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_bootstrap_needs_nothing_but_the_standard_library() -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import config.bootstrap, config.setup.environment"

    done = subprocess.run([sys.executable, "-I", "-S", "-c", script, ROOT], capture_output=True, text=True)

    assert done.stderr == ""


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 14, 0)])
def test_new_python_is_taken(version: tuple[int, ...]) -> None:
    assert bootstrap.refuse_old_python(version) == ""


def test_old_python_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name if name == "python3.12" else None)

    assert bootstrap.refuse_old_python((3, 9, 2)) == (
        "Bancale needs Python 3.11 or newer and this is 3.9.2: use python3.12, which is on this machine."
    )


def test_interrupt_ends_with_130_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(argv: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "_run", interrupted)

    assert bootstrap.main(["manage.py", "demo"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_first_call_installs_and_second_does_nothing(clone: Environment, installs: list[str]) -> None:
    assert clone.ensure("runtime") == clone.python
    assert clone.ensure("runtime") == clone.python

    assert installs == ["runtime"]
    assert installed_version(clone) == "1.0"


def test_dev_lock_counts_for_runtime_too(clone: Environment, installs: list[str]) -> None:
    clone.ensure("dev")
    clone.ensure("runtime")

    assert installs == ["dev"]


def test_changed_lock_is_installed(clone: Environment, installs: list[str], tmp_path: Path) -> None:
    clone.ensure("runtime")
    clone.lock("runtime").write_text(build_wheel(tmp_path / "wheels", "1.1"))

    clone.ensure("runtime")

    assert installs == ["runtime", "runtime"]
    assert installed_version(clone) == "1.1"


def test_interrupted_install_is_built_anew(clone: Environment, installs: list[str]) -> None:
    clone.ensure("runtime")
    (clone.venv / ".bancale-unfinished").touch()
    (clone.venv / ".bancale-lock-runtime").unlink()
    leftover = clone.venv / "half"
    leftover.touch()

    clone.ensure("runtime")

    assert not leftover.exists()
    assert installs == ["runtime", "runtime"]


def test_environment_of_a_lost_python_is_built_anew(clone: Environment, installs: list[str]) -> None:
    clone.ensure("runtime")
    clone.python.unlink()
    clone.python.symlink_to("/nowhere/python3")
    clone.lock("runtime").write_text(clone.lock("runtime").read_text() + "# changed\n")

    clone.ensure("runtime")

    assert installed_version(clone) == "1.0"


def refusal_of(act: Callable[[], object]) -> str:
    with pytest.raises(SetupError) as refusal:
        act()
    return str(refusal.value)


def test_foreign_package_is_refused(clone: Environment, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wheels" / "bancale_example-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("extra.py", "")

    assert "is not the one that the lock file names" in refusal_of(lambda: clone.ensure("runtime"))
    assert not (clone.venv / ".bancale-lock-runtime").exists()


def test_unreachable_registry_is_refused(clone: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")

    assert "the package registry cannot be reached" in refusal_of(lambda: clone.ensure("runtime"))


def test_machine_without_pip_and_uv_is_refused(clone: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_module, "_find_pip", lambda: None)

    assert refusal_of(lambda: clone.ensure("runtime")).startswith("Neither pip nor uv was found")


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clone").write_text("")
    (tmp_path / "lock").mkdir()
    clone = Environment(tmp_path / "clone")
    lock = tmp_path / "runtime.lock"
    lock.write_text("bancale-example==1.0\n")
    clone.lock = lambda name: lock  # type: ignore[method-assign]

    assert "cannot be written" in refusal_of(lambda: clone.ensure("runtime"))


def test_calls_at_the_same_time_install_once(clone: Environment) -> None:
    script = (
        "import sys; from pathlib import Path; from config.setup import environment as e;"
        "e.shutil.which = lambda name: None; print(e.Environment(Path(sys.argv[1])).ensure('runtime'))"
    )
    command = [sys.executable, "-c", script, str(clone.root)]
    calls = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    outputs = [call.communicate(timeout=120) for call in calls]

    assert [call.returncode for call in calls] == [0, 0, 0]
    assert sum("Installing" in errors for _, errors in outputs) == 1
    assert installed_version(clone) == "1.0"


def test_interpreter_that_has_the_packages_is_used_as_it_is(tmp_path: Path) -> None:
    clone = Environment(tmp_path)
    clone.lock("runtime").parent.mkdir(parents=True)
    clone.lock("runtime").write_text((ROOT / "config/requirements/runtime.lock").read_text())

    assert clone.ensure("runtime") is None
    assert not clone.venv.exists()


def test_pins_of_other_systems_are_left_out(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    lock.write_text(
        "django==5.2.1 \\\n    --hash=sha256:00\ntzdata==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
        "psycopg[binary]==3.3 \\\n    --hash=sha256:00\n"
    )

    assert read_pins(lock) == {"django": "5.2.1", "psycopg": "3.3"}
    assert set(read_pins(lock, with_markers=True)) == {"django", "psycopg", "tzdata"}
    assert has_all({"django": "5.2"}, installed=lambda name: "5.2")
    assert not has_all({"django": "5.2"}, installed=lambda name: "5.1")
    assert not has_all({"no-such-package-of-ours": "1"})


def test_environment_that_does_not_start_is_no_endless_loop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setenv(bootstrap.REEXEC_MARKER, str(tmp_path / ".venv"))

    assert bootstrap.main(["manage.py", "check"]) == 2
    assert "delete that folder" in capsys.readouterr().err


def test_failed_command_shows_its_last_lines() -> None:
    with pytest.raises(CommandFailed) as failure:
        run_quietly([sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)"])

    assert failure.value.tail() == "    one\n    two"
