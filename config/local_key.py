"""The secret key of a laptop: made once, kept in the data folder, readable by its owner only."""

import os
import secrets
from pathlib import Path


def local_key(folder: Path) -> str:
    """Read the key of this data folder, or make it; two processes that start together get the same one."""
    path = folder / "secret_key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()
