"""Navigation by work instead of by model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of work. `first` names the models that lead it; the other models of its apps follow by name."""

    key: str
    label: str | Promise
    first: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "orders",
        _("Orders"),
        (
            "orders.order",
            "orders.importrun",
            "orders.customer",
            "orders.hold",
            "orders.payment",
            "orders.maildelivery",
        ),
        ("orders",),
    ),
    Section(
        "stock",
        _("Stock"),
        (
            "inventory.sku",
            "inventory.stocklevel",
            "inventory.lowstockalert",
            "inventory.reservation",
            "inventory.stockmovement",
        ),
        ("inventory",),
    ),
    Section("warehouse", _("Warehouse"), ("fulfillment.fulfillmentorder",), ("fulfillment",)),
    Section("returns", _("Returns"), (), ("returns",)),
    Section("channels", _("Channels"), ("orders.raworder", "orders.skualias"), ("channels",)),
    Section(
        "insight",
        _("Insight"),
        ("inventory.stockcheck", "kernel.job", "kernel.export", "kernel.delivery", "kernel.event"),
        ("kernel",),
    ),
    Section(
        "settings",
        _("Settings"),
        ("orders.saleschannel", "orders.legalentity", "orders.mailtext", "auth.user", "auth.group"),
    ),
)


@dataclass(slots=True)
class Entry:
    key: str
    label: str
    url: str
    add_url: str | None = None
    current: bool = False


@dataclass(slots=True)
class Work:
    """A section as one person sees it: only what they may open."""

    key: str
    label: str | Promise
    url: str
    entries: list[Entry] = field(default_factory=list)
    current: bool = False


def navigation(apps: Sequence[Mapping[str, Any]], here: str) -> list[Work]:
    """Sort Django's list of permitted apps into kinds of work; a section without a page is left out."""
    entries: dict[str, list[Entry]] = {section.key: [] for section in SECTIONS}
    for app in apps:
        for model in app["models"]:
            if model["admin_url"]:
                key = f"{app['app_label']}.{model['object_name'].lower()}"
                is_here = here.startswith(model["admin_url"])
                entries[section_of(key)].append(
                    Entry(key, model["name"], model["admin_url"], model["add_url"], is_here)
                )
    return [_work(section, entries[section.key]) for section in SECTIONS if entries[section.key]]


def section_of(key: str) -> str:
    """The kind of work that a model ("orders.order") belongs to."""
    for section in SECTIONS:
        if key in section.first:
            return section.key
    app_label = key.partition(".")[0]
    return next((section.key for section in SECTIONS if app_label in section.apps), SECTIONS[-1].key)


def place_of(key: str) -> tuple[int, int]:
    """Where a model stands in the navigation: its section, and its rank among those that lead it."""
    home = section_of(key)
    place, section = next((at, row) for at, row in enumerate(SECTIONS) if row.key == home)
    return place, section.first.index(key) if key in section.first else len(section.first)


def _work(section: Section, entries: list[Entry]) -> Work:
    rank = {key: place for place, key in enumerate(section.first)}
    entries.sort(key=lambda entry: (rank.get(entry.key, len(rank)), entry.label.lower()))
    return Work(section.key, section.label, entries[0].url, entries, any(entry.current for entry in entries))
