"""URLs: the admin is the product; health checks and the choice of language beside it."""

from django.contrib import admin
from django.urls import path
from django.views.i18n import set_language

from config import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("language", set_language, name="set_language"),
    path("", admin.site.urls),
]
