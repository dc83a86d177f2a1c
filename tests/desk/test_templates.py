"""Every template compiles and keeps to the policy: no inline script, style or handler."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

pytestmark = pytest.mark.once
FOLDER = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"<style|\sstyle\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a switched off escape": re.compile(r"\|\s*safe\b|autoescape off"),
    "a foreign address": re.compile(r"(src|href)\s*=\s*[\"'](https?:)?//", re.IGNORECASE),
}
# A mail client reads no style sheet; mails are no pages of ours.
MAILS = "/mail/"


@pytest.mark.parametrize("name", PAGES)
def test_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", [name for name in PAGES if MAILS not in f"/{name}"])
def test_page_template_keeps_to_the_policy(name: str) -> None:
    source = (FOLDER / name).read_text(encoding="utf-8")

    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(source)] == []
