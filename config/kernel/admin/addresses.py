"""Addresses of admin pages."""

from typing import Any

from django.db.models import Model
from django.urls import reverse


def admin_url(model: type[Model] | Model, page: str, *args: Any) -> str:
    """The address of a model's admin page: `admin_url(Order, "change", 42)`, or of one of its verbs."""
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)
