"""URLs: the admin is the product; health checks, the choice of language and what programs read beside it."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from config import health

handler500 = "config.failures.failed"

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("language", set_language, name="set_language"),
    path("api/", include("inventory.api.urls")),
    path("", admin.site.urls),
]
