"""Celery's doors to this room."""

from celery import shared_task

from config.kernel.actors import Actor
from config.kernel.batches import in_batches
from orders.selectors.queues import fillable_sku_ids
from orders.services.allocating import BY_RULE
from orders.services.backorders import fill_backorders
from orders.services.delays import note_delays, unnoted_delays
from orders.services.importing.expiring import expire_originals
from orders.services.importing.finishing import sweep_imports as finish_due_imports
from orders.services.importing.rolling_back import sweep_roll_backs
from orders.services.importing.watching import watch_folder
from orders.services.merging import follow_merges
from orders.services.reports import refresh_daily_sales
from orders.services.reviving import revive_known_orders


@shared_task(name="orders.sweep_backorders")
def sweep_backorders() -> None:
    """Serve every SKU that has free units and somebody waiting for them, whatever news was lost."""
    in_batches(fill_backorders, fillable_sku_ids(), actor=BY_RULE)


@shared_task(name="orders.sweep_unknown_skus")
def sweep_unknown_skus() -> None:
    """Bring to life every line whose code has been mapped or has become a SKU of ours, whatever news was lost."""
    revive_known_orders()


@shared_task(name="orders.sweep_merged_customers")
def sweep_merged_customers() -> None:
    """Move every order and address that still names a merged customer to the one that was kept."""
    follow_merges()


@shared_task(name="orders.sweep_daily_sales")
def sweep_daily_sales(days: int | None) -> None:
    """Count the last days' sales again, all of them where none is said, whatever was cancelled or came late."""
    refresh_daily_sales(days)


@shared_task(name="orders.sweep_imports")
def sweep_imports() -> None:
    """Finish imports whose time is up, and go on with what a lost job left half done."""
    finish_due_imports()
    sweep_roll_backs()


@shared_task(name="orders.watch_imports")
def watch_imports() -> None:
    """Take the files that wait in the watched folder."""
    watch_folder()


@shared_task(name="orders.expire_imports")
def expire_imports() -> None:
    """Remove the originals of imports of more than 30 days ago."""
    expire_originals()


@shared_task(name="orders.sweep_delays")
def sweep_delays() -> None:
    """Note every promised day that has passed with goods still here, whenever the last sweep ran."""
    in_batches(note_delays, unnoted_delays(), actor=Actor.system("promises"))
