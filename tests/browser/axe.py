"""Whether a page can be read, heard and pressed by everybody: axe-core over the page one stands on, light and dark."""

import os
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
# `preload` would write the sheets into the page a second time, which our policy refuses.
RUN = """(only) => axe.run(document, { runOnly: only, preload: false, resultTypes: ["violations"] }).then(
    (found) => found.violations.flatMap((rule) => rule.nodes.map(
        (node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.split("\\n")[1].trim()}`)))"""
# A picture of each page that was looked at is written here when this names a folder (".data/screenshots").
PICTURES = os.environ.get("BANCALE_SCREENSHOTS", "")


def look(page: Page, name: str) -> list[str]:
    """What axe has against the page in either scheme; the second look asks for what colours change only.

    From the end of the page, where nothing lies under the bar that a phone keeps at the lower edge; and with the
    upper bar at rest, under which what one scrolled past lies by halves.
    """
    page.evaluate(AXE_SCRIPT)
    _let_upper_bar(page, "static")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        rules = {"type": "tag", "values": RULES}
        if scheme == "dark":
            rules = {"type": "rule", "values": ["color-contrast"]}
        found += [f"{name}, {scheme}: {said}" for said in page.evaluate(RUN, rules)]
        _keep(page, name, scheme)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    _let_upper_bar(page, "")
    page.evaluate("window.scrollTo(0, 0)")
    return found


def _let_upper_bar(page: Page, position: str) -> None:
    page.evaluate("(it) => document.getElementById('header')?.style.setProperty('position', it)", position)


def _keep(page: Page, name: str, scheme: str) -> None:
    if PICTURES:
        width = page.evaluate("innerWidth")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
