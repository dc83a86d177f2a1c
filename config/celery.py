"""The Celery app. Production: `celery -A config worker -Q work,mail,jobs` and `celery -A config beat`."""

import os

from celery import Celery
from celery.schedules import crontab

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
    "check-stock": {"task": "inventory.sweep_health", "schedule": 900.0},
    "tell-low-stock": {"task": "inventory.sweep_digests", "schedule": 60.0},
    "note-delays": {"task": "orders.sweep_delays", "schedule": 300.0},
    "revive-lines": {"task": "orders.sweep_unknown_skus", "schedule": 60.0},
    "move-merged": {"task": "orders.sweep_merged_customers", "schedule": 300.0},
    "count-sales": {"task": "orders.sweep_daily_sales", "schedule": 60.0, "args": (2,)},
    "count-sales-again": {"task": "orders.sweep_daily_sales", "schedule": 900.0, "args": (90,)},
    "count-all-sales": {
        "task": "orders.sweep_daily_sales",
        "schedule": crontab(hour="3", minute="10"),
        "args": (None,),
    },
    "measure-stages": {"task": "fulfillment.sweep_stage_times", "schedule": 300.0},
    "forget-access": {"task": "config.sweep_access", "schedule": 3600.0},
    "finish-imports": {"task": "orders.sweep_imports", "schedule": 30.0},
    "watch-imports": {"task": "orders.watch_imports", "schedule": 60.0},
    "expire-exports": {"task": "kernel.expire_exports", "schedule": 3600.0},
    "forget-keys": {"task": "kernel.forget_keys", "schedule": 3600.0},
    "expire-imports": {"task": "orders.expire_imports", "schedule": 3600.0},
    "read-raw-orders": {"task": "channels.sweep_raw_orders", "schedule": 60.0},
}
