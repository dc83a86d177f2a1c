"""Logins of the demo: made with random passwords, kept beside its database, printed at each start."""

import json
import os
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, transaction

WORDS = (
    "cassa",
    "pallet",
    "forbice",
    "scaffale",
    "nastro",
    "carrello",
    "bolla",
    "bilancia",
    "muletto",
    "etichetta",
)
FILE = "demo_logins.json"
# Login name → group; None is the superuser.
PEOPLE = {
    "admin": None,
    "manager": "Manager",
    "support": "Support",
    "picker": "Picker",
    "reader": "Reader",
}


def is_the_demos(folder: Path) -> bool:
    """Whether the database is empty of people, or one of its people has the password that the demo gave them.

    Anything else is somebody's real business, which the demo must neither join nor start over.
    """
    users = get_user_model().objects
    if get_user_model()._meta.db_table not in connection.introspection.table_names() or not users.exists():
        return True
    known = _known(folder)
    return any(user.check_password(known[user.username]) for user in users.filter(username__in=known))


def _known(folder: Path) -> dict[str, str]:
    path = folder / FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


@transaction.atomic
def ensure_logins(folder: Path) -> dict[str, str]:
    """Make the demo's people once, all or none, and return {login: password}; a changed password is set back."""
    path = folder / FILE
    known = _known(folder)
    users = get_user_model().objects
    changed = False
    for name, group in PEOPLE.items():
        user, made = users.get_or_create(
            username=name,
            defaults={"is_staff": True, "is_superuser": group is None, "email": f"{name}@example.com"},
        )
        if group is not None:
            user.groups.set(Group.objects.filter(name=group))
        if made or name not in known or not user.check_password(known[name]):
            known[name] = _password()
            user.set_password(known[name])
            user.save(update_fields=["password"])
            changed = True
    if changed:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file)
    return known


def _password() -> str:
    return "-".join(secrets.choice(WORDS) for _ in range(3)) + f"-{secrets.randbelow(9000) + 1000}"
