"""The environment of the settings in tests: fixed, whatever the machine says; only the database is given."""

import os
import tempfile
from pathlib import Path

# As the run was called, before `prepare` changes it.
GIVEN = dict(os.environ)

FIXED = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "CSRF_TRUSTED_ORIGINS": "",
    "BANCALE_SITE_URL": "http://127.0.0.1:8000",
    "SECURE_SSL_REDIRECT": "off",
    "BEHIND_PROXY": "off",
    "BANCALE_PROXY_COUNT": "0",
    "BANCALE_REQUIRE_TOTP": "off",
    "BANCALE_SESSION_HOURS": "12",
    "BANCALE_SESSION_IDLE_MINUTES": "30",
    "BANCALE_LOCKOUT_MINUTES": "15",
    "BANCALE_REDIS_URL": "",
    "BANCALE_IMPORT_FOLDER": "",
    "EMAIL_URL": "",
    "DEFAULT_FROM_EMAIL": "orders@example.com",
    "TIME_ZONE": "Europe/Rome",
    "LOG_LEVEL": "WARNING",
}


def is_postgresql() -> bool:
    """Whether this run is on PostgreSQL, as `DATABASE_URL` says."""
    return GIVEN.get("DATABASE_URL", "").startswith("postgres")


def prepare() -> Path:
    """Set the variables, load Django, and return the data folder of this process, to be deleted at the end.

    SQLite runs on a file, as in production: an in-memory database that threads share answers "table is
    locked" at once, where a file waits. It only leaves out fsync, which nothing but a power cut can tell.
    """
    folder = Path(tempfile.mkdtemp(prefix="bancale-test-"))
    for name in ("static", "media", "mail"):
        (folder / name).mkdir()
    os.environ.update(FIXED, BANCALE_DATA_DIR=str(folder))
    if not is_postgresql():
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bancale.sqlite3'}"

    import django
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if is_postgresql():
        # Rivals queue by eight; a busy machine lets the last of them wait long, and that is no fault.
        settings.DATABASES["default"]["OPTIONS"]["options"] += " -c lock_timeout=60s"
    else:
        database = settings.DATABASES["default"]
        database.setdefault("TEST", {})["NAME"] = str(folder / "test.sqlite3")
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    django.setup()
    return folder
