"""The admin site: navigation by work instead of by model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config import dashboard
from config.find import find_url


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


def navigation(apps: Sequence[Mapping[str, Any]], here: str) -> list[Work]:
    """Sort Django's list of permitted apps into kinds of work; a section without a page is left out."""
    entries: dict[str, list[Entry]] = {section.key: [] for section in SECTIONS}
    for app in apps:
        for model in app["models"]:
            if model["admin_url"]:
                key = f"{app['app_label']}.{model['object_name'].lower()}"
                is_here = here.startswith(model["admin_url"])
                entries[_section_of(key)].append(
                    Entry(key, model["name"], model["admin_url"], model["add_url"], is_here)
                )
    return [_work(section, entries[section.key]) for section in SECTIONS if entries[section.key]]


def _section_of(key: str) -> str:
    if key in ELSEWHERE:
        return ELSEWHERE[key]
    for section in SECTIONS:
        if key in section.first:
            return section.key
    app_label = key.partition(".")[0]
    return next((section.key for section in SECTIONS if app_label in section.apps), "system")


def _work(section: Section, entries: list[Entry]) -> Work:
    rank = {key: place for place, key in enumerate(section.first)}
    entries.sort(key=lambda entry: (rank.get(entry.key, len(rank)), entry.label.lower()))
    return Work(section.key, section.label, entries[0].url, entries, any(entry.current for entry in entries))


class BancaleAdminSite(admin.AdminSite):
    site_title = "Bancale"
    site_header = "Bancale"
    index_title = _("What needs you now")
    site_url = None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds the navigation. Counts are left to `queues`, so that no page pays for counting."""
        context: dict[str, Any] = super().each_context(request)
        if not context["has_permission"]:
            return context
        works = navigation(context["available_apps"], request.path)
        return {
            **context,
            "navigation": works,
            "at_home": request.path == reverse("admin:index", current_app=self.name),
            "here": next((work for work in works if work.current), None),
            "find_url": reverse("admin:find", current_app=self.name),
            "queues_url": reverse("admin:queues", current_app=self.name),
        }

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("find/", self.admin_view(self.find), name="find"),
            path("queues/", self.admin_view(self.queues), name="queues"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        tiles = dashboard.tiles(request.user)
        return super().index(request, {"tiles": tiles, **(extra_context or {})})

    def find(self, request: HttpRequest) -> HttpResponse:
        """Open what the typed or scanned text names, or a list that searches for it."""
        text = request.GET.get("q", "").strip()[:200]
        url = find_url(request, self, text) if text else None
        if text and url is None:
            messages.warning(request, _("Nothing is called “%(text)s”.") % {"text": text})
        return redirect(url or reverse("admin:index", current_app=self.name))

    def queues(self, request: HttpRequest) -> JsonResponse:
        """Fresh figures for the navigation and the tiles of an open page."""
        tiles = dashboard.tiles(request.user)
        words, tone = dashboard.worker_state()
        return JsonResponse(
            {
                "sections": dashboard.section_counts(tiles),
                "tiles": [[str(tile.url), tile.count, tile.shown_tone, str(tile.detail)] for tile in tiles],
                "worker": [words, tone],
            }
        )
