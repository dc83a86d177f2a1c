"""The product's Celery app with the protection off: its workers never look after what dead ones held."""

from config.celery import app

__all__ = ["app"]


@app.on_after_finalize.connect
def _leave_the_dead(**_named: object) -> None:
    from config.kernel import outbox

    setattr(outbox, "reclaim_now_and_then", lambda: None)  # noqa: B010  (not its name to export)
