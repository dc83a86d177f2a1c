"""The admin site: its first page, its search box and the figures that stay fresh."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.i18n import JavaScriptCatalog

from config import dashboard
from config.access import views
from config.access.factors import about
from config.access.sessions import end_sessions, follow_key
from config.find import find_url
from config.kernel.admin import acting
from config.kernel.events import record_events
from config.kernel.templatetags.bancale import DASH
from config.navigation import navigation


class BancaleAdminSite(admin.AdminSite):
    site_title = "Bancale"
    site_header = "Bancale"
    index_title = _("What needs you now")
    site_url = None
    empty_value_display = DASH

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
            "palette_url": reverse("admin:palette", current_app=self.name),
            "queues_url": reverse("admin:queues", current_app=self.name),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Asked for by the navigation and by the first page itself: once a request."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        if not hasattr(request, "_bancale_apps"):
            request._bancale_apps = super().get_app_list(request)  # type: ignore[attr-defined]
        return request._bancale_apps  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("find/", self.admin_view(self.find), name="find"),
            path("palette/", self.admin_view(self.palette), name="palette"),
            path("queues/", self.admin_view(self.queues), name="queues"),
            path("today/", self.admin_view(self.today), name="today"),
            path("<slug:app>/<slug:model>/sheet/<slug:code>/", self.admin_view(self.sheet), name="sheet"),
            path("second-factor/", never_cache(partial(views.second_factor, self)), name="second_factor"),
            path("account/", self.admin_view(partial(views.account, self)), name="account"),
            path("account/end/", self.admin_view(partial(views.end_session, self)), name="end_session"),
            path("account/factor/", self.admin_view(partial(views.factor, self)), name="factor"),
            path(
                "account/factor/code.svg", never_cache(partial(views.factor_image, self)), name="factor_image"
            ),
            path(
                "account/factor/off/",
                self.admin_view(partial(views.remove_own_factor, self)),
                name="factor_off",
            ),
            *super().get_urls(),
        ]

    def i18n_javascript(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's, with our translations of what it leaves in English."""
        return JavaScriptCatalog.as_view(packages=["django.contrib.admin", "config"])(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from config import today  # the pages that it leads to are registered with this site

        context = {"page": today.today(request), **today.head_words(request.user)}
        return super().index(request, {**context, **(extra_context or {})})

    def today(self, request: HttpRequest) -> JsonResponse:
        """The first page's figures, drawn again for a page that stands open."""
        from config import today  # the pages that it leads to are registered with this site

        html = render_to_string("kernel/_today.html", {"page": today.today(request)}, request)
        return JsonResponse({"html": html})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One's own password: what Django does, noted, and every other session ends."""
        former = request.session.session_key
        with transaction.atomic():
            response = super().password_change(request, extra_context)
            user: Any = request.user
            if request.method == "POST" and response.status_code == 302:
                follow_key(former, request.session)
                end_sessions(user, but=str(request.session.session_key))
                record_events([about(user, "password_set")], actor=acting(request))
        return response

    def sheet(self, request: HttpRequest, app: str, model: str, code: str) -> HttpResponse:
        """Bring a plain sheet in."""
        from config.plain_sheets.pages import (
            sheet_view,  # names models, which are not there when this site is made
        )

        return sheet_view(self, request, f"{app}.{model}", code)

    def find(self, request: HttpRequest) -> HttpResponse:
        """Open what the typed or scanned text names, or a list that searches for it."""
        text = request.GET.get("q", "").strip()[:200]
        url = find_url(request, self, text) if text else None
        if text and url is None:
            messages.warning(request, _("Nothing is called “%(text)s”.") % {"text": text})
        return redirect(url or reverse("admin:index", current_app=self.name))

    def palette(self, request: HttpRequest) -> JsonResponse:
        """What the typed letters could mean, for the box that stands on every page."""
        from config.palette import palette  # names models, which are not there when this site is made

        text = " ".join(request.GET.get("q", "").split())[:80]
        return JsonResponse({"groups": palette(request, self, text)})

    def queues(self, request: HttpRequest) -> JsonResponse:
        """Fresh figures for the navigation and the tiles of an open page."""
        tiles = dashboard.tiles(request.user)
        words, tone = dashboard.worker_state()
        return JsonResponse(
            {
                "sections": {
                    section: [tile.count, tile.tone, tile.url, str(tile.label)]
                    for section, tile in dashboard.most_pressing(tiles).items()
                },
                "tiles": [[str(tile.url), tile.count, tile.shown_tone, str(tile.detail)] for tile in tiles],
                "worker": [words, tone],
                "most": dashboard.MOST,
            }
        )
