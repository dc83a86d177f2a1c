"""`manage.py doctor`: each fault is told with its variable, all at once, however broken the environment is."""

import os
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config import doctor
from config.setup.variables import Fault, environment_faults
from tests.environment import FIXED

ROOT = Path(__file__).resolve().parent.parent
KEY = "k3y-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM"
LOCAL = {"SECRET_KEY": KEY}
PUBLIC = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "orders.example.com",
    "BANCALE_SITE_URL": "https://orders.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://orders.example.com",
    "DATABASE_URL": "postgres://bancale:secret@127.0.0.1:5432/bancale",
    "BANCALE_REDIS_URL": "redis://127.0.0.1:6379/0",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "Bancale <orders@example.com>",
    "TIME_ZONE": "Europe/Rome",
}
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "server_version_num": "150020",
}


def told(environ: Mapping[str, str], root: Path) -> list[str]:
    return [fault.about for fault in environment_faults(environ, root)]


@pytest.mark.once
@pytest.mark.parametrize("environ", [LOCAL, PUBLIC])
def test_sound_environment_has_no_fault(environ: dict[str, str], tmp_path: Path) -> None:
    assert told(environ, tmp_path) == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("base", "change", "about"),
    [
        (PUBLIC, {"SECRET_KEY": ""}, "SECRET_KEY"),
        (LOCAL, {"SECRET_KEY": "short"}, "SECRET_KEY"),
        (LOCAL, {"SECRET_KEY": "a" * 60}, "SECRET_KEY"),
        (LOCAL, {"SECRET_KEY": "django-insecure-" + KEY}, "SECRET_KEY"),
        (LOCAL, {"DEBUG": "maybe"}, "DEBUG"),
        (LOCAL, {"BEHIND_PROXY": "2"}, "BEHIND_PROXY"),
        (LOCAL, {"BEHIND_PROXY": "on"}, "BANCALE_PROXY_COUNT"),
        (LOCAL, {"BANCALE_REQUIRE_TOTP": "perhaps"}, "BANCALE_REQUIRE_TOTP"),
        (LOCAL, {"BANCALE_SESSION_HOURS": "0"}, "BANCALE_SESSION_HOURS"),
        (LOCAL, {"BANCALE_SESSION_IDLE_MINUTES": "half"}, "BANCALE_SESSION_IDLE_MINUTES"),
        (LOCAL, {"BANCALE_LOCKOUT_MINUTES": "-5"}, "BANCALE_LOCKOUT_MINUTES"),
        (PUBLIC, {"DEBUG": "on"}, "DEBUG"),
        (PUBLIC, {"BANCALE_SITE_URL": "orders.example.com"}, "BANCALE_SITE_URL"),
        (PUBLIC, {"BANCALE_SITE_URL": "http://orders.example.com"}, "BANCALE_SITE_URL"),
        (PUBLIC, {"BANCALE_SITE_URL": "https://orders.example.com/shop"}, "BANCALE_SITE_URL"),
        (PUBLIC, {"BANCALE_SITE_URL": ""}, "BANCALE_SITE_URL"),
        (PUBLIC, {"ALLOWED_HOSTS": "other.example.com"}, "ALLOWED_HOSTS"),
        (PUBLIC, {"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        (PUBLIC, {"CSRF_TRUSTED_ORIGINS": "orders.example.com"}, "CSRF_TRUSTED_ORIGINS"),
        (LOCAL, {"DATABASE_URL": "mysql://a@b/c"}, "DATABASE_URL"),
        (LOCAL, {"DATABASE_URL": "postgres://a@b:port/c"}, "DATABASE_URL"),
        (LOCAL, {"DATABASE_URL": "postgres://a@b"}, "DATABASE_URL"),
        (LOCAL, {"BANCALE_REDIS_URL": "redis://127.0.0.1:6379/0"}, "DATABASE_URL"),
        (LOCAL, {"WEB_CONCURRENCY": "4"}, "WEB_CONCURRENCY"),
        (PUBLIC, {"BANCALE_REDIS_URL": ""}, "BANCALE_REDIS_URL"),
        (PUBLIC, {"BANCALE_REDIS_URL": "http://127.0.0.1"}, "BANCALE_REDIS_URL"),
        (PUBLIC, {"EMAIL_URL": ""}, "EMAIL_URL"),
        (PUBLIC, {"EMAIL_URL": "consolemail://"}, "EMAIL_URL"),
        (LOCAL, {"EMAIL_URL": "mail.example.com"}, "EMAIL_URL"),
        (PUBLIC, {"DEFAULT_FROM_EMAIL": "orders@localhost"}, "DEFAULT_FROM_EMAIL"),
        (LOCAL, {"TIME_ZONE": "Mars/Base"}, "TIME_ZONE"),
        (LOCAL, {"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        (LOCAL, {"BANCALE_REDIS_ULR": "x"}, "BANCALE_REDIS_ULR"),
    ],
)
def test_fault_is_told_alone(
    base: dict[str, str], change: dict[str, str], about: str, tmp_path: Path
) -> None:
    assert told({**base, **change}, tmp_path) == [about]


@pytest.mark.once
def test_embedded_default_needs_no_key(tmp_path: Path) -> None:
    assert told({}, tmp_path) == []


@pytest.mark.once
def test_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert told({**LOCAL, "BANCALE_DATA_DIR": str(tmp_path / "file" / "data")}, tmp_path) == [
        "BANCALE_DATA_DIR"
    ]


@pytest.mark.once
def test_readable_dotenv_of_a_public_site_is_told(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("")
    dotenv.chmod(0o644)

    assert told(PUBLIC, tmp_path) == [".env"]
    assert told(LOCAL, tmp_path) == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({}, 0),
        ({"fsync": "off"}, 1),
        ({"full_page_writes": "off"}, 1),
        ({"synchronous_commit": "off"}, 1),
        ({"synchronous_commit": "local"}, 0),
        ({"server_version_num": "130011"}, 1),
    ],
)
def test_postgresql_that_can_forget_is_told(change: dict[str, str], count: int) -> None:
    assert len(list(doctor.durability_faults({**DURABLE, **change}))) == count


@pytest.mark.once
def test_report_counts_and_names_the_fix() -> None:
    assert doctor.report([]) == "No fault found.\n"
    assert doctor.report([Fault("DEBUG", "is on", "write off")]) == (
        "DEBUG is on.\n    Fix: write off.\n1 fault found.\n"
    )


@pytest.mark.django_db
def test_reachable_migrated_database_has_no_fault() -> None:
    assert list(doctor.database_faults()) == []


@pytest.mark.redis
def test_redis_that_drops_work_is_told(redis_url: str, settings: object) -> None:
    import redis

    settings.REDIS_URL = redis_url  # type: ignore[attr-defined]
    with redis.Redis.from_url(redis_url) as client:
        kept = client.config_get("maxmemory-policy")["maxmemory-policy"]
        client.config_set("maxmemory-policy", "noeviction")
        assert list(doctor.redis_faults()) == []

        client.config_set("maxmemory-policy", "allkeys-lru")
        assert [fault.about for fault in doctor.redis_faults()] == ["Redis's maxmemory-policy"]
        client.config_set("maxmemory-policy", kept)


@pytest.mark.once
def test_redis_that_does_not_answer_is_told(settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]

    assert [fault.about for fault in doctor.redis_faults()] == ["BANCALE_REDIS_URL"]


@pytest.mark.django_db
def test_command_refuses_with_exit_1_when_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    out = StringIO()

    with pytest.raises(CommandError) as refusal:
        call_command("doctor", stdout=out)

    assert refusal.value.returncode == 1
    assert "LOG_LEVEL is 'loud'" in out.getvalue()


@pytest.mark.once
def test_broken_environment_is_told_whole_without_a_traceback(tmp_path: Path) -> None:
    broken = {
        **dict.fromkeys(FIXED, ""),  # so that a developer's .env changes nothing
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PATH": os.environ["PATH"],
        "BANCALE_BOOTSTRAP": "off",
        "BANCALE_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "mysql://a:b@c:port/d",
        "TIME_ZONE": "Mars",
        "EMAIL_URL": "::",
        "BANCALE_SITE_URL": "http://[",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=ROOT, env=broken, capture_output=True, text=True
    )

    assert done.returncode == 1
    told_lines = [line for line in done.stdout.splitlines() if not line.startswith("    Fix:")]
    assert [line.split()[0] for line in told_lines] == [
        *("SECRET_KEY", "BANCALE_SITE_URL", "DATABASE_URL", "EMAIL_URL", "TIME_ZONE", "5"),
    ]
    assert "Traceback" not in done.stderr


def test_key_that_begins_as_another_variables_name_does_is_taken_word_for_word() -> None:
    code = "from config import settings; print(settings.SECRET_KEY)"
    environment = {**os.environ, "SECRET_KEY": "$" + KEY}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.stdout.strip() == "$" + KEY, done.stderr
