"""Addresses below /api/ of the stock room."""

from django.urls import path

from inventory.api.skus import sku_waterfall

urlpatterns = [path("skus/<path:code>/waterfall", sku_waterfall, name="sku_waterfall")]
