"""Every page of the admin, from the site's own URL patterns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import reverse

MISSING = 999_999_999


@dataclass(frozen=True)
class Route:
    """A named pattern; with `takes_row` it is about one row of the model."""

    name: str
    model: Any
    takes_row: bool
    page: str

    def url(self, pk: Any = None) -> str:
        return reverse(f"admin:{self.name}", args=[pk] if self.takes_row else [])


def model_routes() -> Iterator[Route]:
    for model, page in sorted(admin.site._registry.items(), key=lambda row: row[0]._meta.label):
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        for pattern in page.get_urls():
            name: str = getattr(pattern, "name", None) or ""
            converters = pattern.pattern.converters
            if name and len(converters) <= 1:
                yield Route(name, model, bool(converters), name.removeprefix(prefix))


def site_urls() -> list[str]:
    """Pages of no model that any member of staff may open."""
    names = ("index", "queues", "account", "factor", "password_change", "jsi18n")
    apps = sorted({model._meta.app_label for model in admin.site._registry})
    lists = [reverse("admin:app_list", kwargs={"app_label": app}) for app in apps]
    return [*(reverse(f"admin:{name}") for name in names), f"{reverse('admin:find')}?q=10001", *lists]
