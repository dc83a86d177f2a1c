"""Where upper rooms add to the order page: cards and buttons, registered from their own `admin`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from config.kernel.admin import ExtraVerb
from orders.models import Order


@dataclass(frozen=True, slots=True)
class PanelContext:
    """A card of the order page. `template` gets `context` as `panel`.

    `column` is "main" (below the lines) or "side"; lower `place` stands higher. `flush` lets a table reach the
    card's edges. `more` is the link at the card's right end.
    """

    title: str | Promise
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    column: str = "main"
    place: int = 50
    more: str | Promise = ""
    url: str = ""
    flush: bool = True


Panel = Callable[[Order, HttpRequest], PanelContext | None]
_panels: list[Panel] = []
_buttons: dict[str, ExtraVerb] = {}


def register_order_panel(panel: Panel) -> Panel:
    """Add a card; it answers None where it has nothing to say. A function registers once."""
    if panel not in _panels:
        _panels.append(panel)
    return panel


def register_order_button(verb: ExtraVerb) -> ExtraVerb:
    """Add a button; its verb takes order ids. Registered by name, before the URLs are built."""
    _buttons[verb.name] = verb
    return verb


def panels_of(order: Order, request: HttpRequest) -> list[PanelContext]:
    found = [context for panel in _panels if (context := panel(order, request)) is not None]
    return sorted(found, key=lambda context: context.place)


def extra_buttons() -> list[ExtraVerb]:
    return list(_buttons.values())
