"""What a browser calls itself, in words that its owner knows."""

import re

from django.utils.translation import gettext as _

# The first that is found: most browsers also name those whose pages they can show.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_LONGEST = 60


def browser_words(agent: str) -> str:
    """`Firefox on Windows`; the beginning of what it says where neither is known."""
    browser = next((name for mark, name in _BROWSERS if re.search(rf"{mark}[A-Za-z]*/", agent)), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or agent[:_LONGEST] or "–"
