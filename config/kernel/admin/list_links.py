"""Buttons on lists that lead to pages composed above a room, such as bringing a sheet in."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest

# Person's request and model ("inventory.sku") → (label, address) of each.
ListLinks = Callable[[HttpRequest, str], Sequence[tuple[str, str]]]
_LINKS: list[ListLinks] = []


def register_list_links(links: ListLinks) -> None:
    """Offer buttons on lists, from `AppConfig.ready()`; a function registers once."""
    if links not in _LINKS:
        _LINKS.append(links)


def list_links(listed: Any, request: HttpRequest) -> list[tuple[str, str]]:
    """The buttons of an open list."""
    if listed.is_popup:
        return []
    return [one for links in _LINKS for one in links(request, listed.opts.label_lower)]
