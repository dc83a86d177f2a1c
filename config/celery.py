"""The Celery app. Production: `celery -A config worker -Q work,mail,jobs` and `celery -A config beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("bancale")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Without it a pool thread resolves a fresh default app that speaks AMQP to localhost, and its retries are lost.
app.set_default()
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "deliver-outbox": {"task": "kernel.sweep_outbox", "schedule": 10.0},
    "dispatch-jobs": {"task": "kernel.sweep_jobs", "schedule": 10.0},
    "heartbeat": {"task": "kernel.beat_heartbeat", "schedule": 30.0},
    "fill-backorders": {"task": "orders.sweep_backorders", "schedule": 60.0},
    "expire-reservations": {"task": "inventory.sweep_reservations", "schedule": 60.0},
    "watch-low-stock": {"task": "inventory.sweep_low_stock", "schedule": 10.0},
    "tell-low-stock": {"task": "inventory.sweep_digests", "schedule": 60.0},
    "revive-lines": {"task": "orders.sweep_unknown_skus", "schedule": 60.0},
    "move-merged": {"task": "orders.sweep_merged_customers", "schedule": 300.0},
    "read-raw-orders": {"task": "channels.sweep_raw_orders", "schedule": 60.0},
}
