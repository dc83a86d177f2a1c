"""The admin site: navigation by work instead of by model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import dashboard


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of work. `first` names the models that lead it; the other models of its apps follow by name."""

    key: str
    label: str | Promise
    first: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()


SECTIONS = (
    Section("orders", _("Orders"), ("orders.order", "orders.customer"), ("orders",)),
    Section(
        "stock",
        _("Stock"),
        ("inventory.sku", "inventory.stocklevel", "inventory.reservation", "inventory.stockmovement"),
        ("inventory",),
    ),
    Section("warehouse", _("Warehouse"), ("fulfillment.fulfillmentorder",), ("fulfillment",)),
    Section("returns", _("Returns"), (), ("returns",)),
    Section("channels", _("Channels"), ("orders.saleschannel",), ("channels",)),
    Section("system", _("System"), ("kernel.job",)),
)
ELSEWHERE = {"orders.legalentity": "system"}


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
    count: int = 0
    tone: str = ""


def navigation(
    apps: Sequence[Mapping[str, Any]], path: str, counts: Mapping[str, tuple[int, str]]
) -> list[Work]:
    """Sort Django's list of permitted apps into kinds of work; a section without a page is left out."""
    entries: dict[str, list[Entry]] = {section.key: [] for section in SECTIONS}
    for app in apps:
        for model in app["models"]:
            if model["admin_url"]:
                key = f"{app['app_label']}.{model['object_name'].lower()}"
                here = path.startswith(model["admin_url"])
                entries[_section_of(key)].append(
                    Entry(key, model["name"], model["admin_url"], model["add_url"], here)
                )
    return [
        _work(section, entries[section.key], path, counts) for section in SECTIONS if entries[section.key]
    ]


def _section_of(key: str) -> str:
    if key in ELSEWHERE:
        return ELSEWHERE[key]
    for section in SECTIONS:
        if key in section.first:
            return section.key
    app_label = key.partition(".")[0]
    return next((section.key for section in SECTIONS if app_label in section.apps), "system")


def _work(section: Section, entries: list[Entry], path: str, counts: Mapping[str, tuple[int, str]]) -> Work:
    rank = {key: place for place, key in enumerate(section.first)}
    entries.sort(key=lambda entry: (rank.get(entry.key, len(rank)), entry.label.lower()))
    count, tone = counts.get(section.key, (0, ""))
    current = any(entry.current for entry in entries)
    return Work(section.key, section.label, entries[0].url, entries, current, count, tone)


class BancaleAdminSite(admin.AdminSite):
    site_title = "Bancale"
    site_header = "Bancale"
    index_title = _("What needs you now")
    site_url = None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        if not context["has_permission"] or context["is_popup"]:
            return {**context, "navigation": []}
        counts = dashboard.section_counts(request.user)
        works = navigation(context["available_apps"], request.path, counts)
        return {
            **context,
            "navigation": works,
            "at_home": request.path == reverse("admin:index", current_app=self.name),
            "here": next((work for work in works if work.current), None),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tiles = dashboard.tiles(request.user)
        return super().index(request, {"tiles": tiles, **(extra_context or {})})
