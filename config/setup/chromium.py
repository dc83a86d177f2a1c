"""Where this machine's Chromium is."""

import os
import shutil
from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium(environ: Mapping[str, str]) -> str | None:
    """The path of `BANCALE_CHROMIUM`, else of a Chromium on PATH; None when there is none that can be run."""
    given = environ.get("BANCALE_CHROMIUM", "")
    if given:
        return shutil.which(given)
    found = (shutil.which(name, path=environ.get("PATH")) for name in NAMES)
    return next((path for path in found if path), next(filter(os.path.exists, ELSEWHERE), None))
